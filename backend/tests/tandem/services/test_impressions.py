"""Lists that were shown, one or many at a time, for people who exist."""

import os
import subprocess
import sys
import uuid
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.utils import IntegrityError, OperationalError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tandem.event_sync import spool
from tandem.models import Impression, ImpressionItem, UserInteraction, UserKey
from tandem.services import impressions, record_interactions
from tandem.services.impressions import record_impression, record_impressions
from tandem.surfaces import bound_surface
from tests.support import board

pytestmark = pytest.mark.django_db


def answer(user_id: str | None, *items: Any) -> dict[str, Any]:
    return {
        "request_id": str(uuid.uuid4()),
        "user_id": user_id,
        "use_case": "startups",
        "surface": "for-developer",
        "method_used": "als",
        "model_version": "als_v1",
        "degraded": False,
        "degradation": [],
        "probabilities": {},
        "recommendations": [
            {"item_id": str(item), "position": place, "score": 1 / place, "parts": {"als": 1.0}}
            for place, item in enumerate(items, start=1)
        ],
    }


def shown(told: dict[str, Any]) -> list[tuple[str, int]]:
    rows = ImpressionItem.objects.filter(impression_id=told["request_id"]).order_by("position")
    return list(rows.values_list("item__item_id", "position"))


def test_several_lists_are_each_stored_whole() -> None:
    ada, bob = board.make_developer("Ada"), board.make_developer("Bob")
    told = [answer(str(ada.pk), "a", "b"), answer(str(bob.pk), "b", "c"), answer(None, "a"), answer(str(ada.pk))]
    assert record_impressions(bound=bound_surface("startups", "for-developer"), answers=told) == 4
    assert [shown(one) for one in told] == [[("a", 1), ("b", 2)], [("b", 1), ("c", 2)], [("a", 1)], []]
    people = [Impression.objects.get(pk=one["request_id"]).user for one in told]
    assert [person and person.user_id for person in people] == [str(ada.pk), str(bob.pk), None, str(ada.pk)]


def test_nobodys_list_is_left_out_and_makes_no_user() -> None:
    ada, bound = board.make_developer("Ada"), bound_surface("startups", "for-developer")
    told = [answer("nobody-has-this-id", "a"), answer(str(ada.pk), "a")]
    assert record_impressions(bound=bound, answers=told) == 1
    assert [str(one.pk) for one in Impression.objects.all()] == [told[1]["request_id"]]
    assert list(UserKey.objects.values_list("user_id", flat=True)) == [str(ada.pk)]
    assert not record_impression(bound=bound, answer=told[0])
    assert record_impression(bound=bound, answer=answer(str(ada.pk), "b"))


def test_many_lists_cost_as_many_statements_as_one() -> None:
    ada, bound = board.make_developer("Ada"), bound_surface("startups", "for-developer")
    record_impression(bound=bound, answer=answer(str(ada.pk), "a", "b"))

    def statements(count: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            record_impressions(bound=bound, answers=[answer(str(ada.pk), "a", "b") for _ in range(count)])
        return len(queries)

    assert statements(30) == statements(1)


def test_a_list_that_cannot_be_stored_is_told_and_raises_nothing(caplog: pytest.LogCaptureFixture) -> None:
    ada, bound = board.make_developer("Ada"), bound_surface("startups", "for-developer")
    told = answer(str(ada.pk), "a")
    assert record_impression(bound=bound, answer=told)
    assert not record_impression(bound=bound, answer=told)  # the same request id a second time
    assert "a shown list was not recorded: IntegrityError" in caplog.text


def test_many_lists_of_people_without_interactions_cost_as_many_statements_as_one() -> None:
    bound = bound_surface("startups", "for-developer")

    def statements(names: str) -> int:
        answers = [answer(str(board.make_developer(name).pk), "a") for name in names]
        with CaptureQueriesContext(connection) as queries:
            assert record_impressions(bound=bound, answers=answers) == len(answers)
        return len(queries)

    statements("a")  # adds the keys of the catalogue and the item
    assert statements("b") == statements("cdefgh")


@pytest.fixture
def spool_dir(settings: Any, tmp_path: Path) -> Path:
    settings.TANDEM = {**settings.TANDEM, "SPOOL_DIR": str(tmp_path / "spool")}
    return tmp_path / "spool"


def refused(*_args: Any, **_options: Any) -> Any:
    raise OperationalError("database is locked")


def test_lists_that_the_database_refuses_are_stored_later_once(spool_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, bound = board.make_developer("Ada"), bound_surface("startups", "for-developer")
    lists = [answer(str(ada.pk), "a", "b") for _ in range(3)]
    with monkeypatch.context() as patch:
        patch.setattr(impressions, "_store", refused)
        assert not record_impression(bound=bound, answer=lists[0])
    assert not record_impression(bound=bound, answer=lists[1])  # the database is not asked again at once
    impressions._pause.until = 0.0
    written = (spool_dir / "events.jsonl").read_text()
    assert record_impression(bound=bound, answer=lists[2])
    assert list(spool_dir.glob("*.jsonl")) == []
    (spool_dir / "events.jsonl").write_text(written)  # a crash before the file was deleted
    assert spool.replay() == 2
    stored = {str(one.pk): [item.item.item_id for item in one.items.order_by("position")] for one in Impression.objects.all()}
    assert stored == {one["request_id"]: ["a", "b"] for one in lists}


def test_a_stored_list_keeps_the_time_at_which_it_was_shown(spool_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, bound = board.make_developer("Ada"), bound_surface("startups", "for-developer")
    before = timezone.now()
    with monkeypatch.context() as patch:
        patch.setattr(impressions, "_store", refused)
        record_impression(bound=bound, answer=answer(str(ada.pk), "a"))
    shown = timezone.now()
    spool.replay()
    assert before <= Impression.objects.get().time <= shown


def test_lists_of_a_surface_that_is_gone_are_left_out(spool_dir: Path) -> None:
    ada = board.make_developer("Ada")
    spool.append_entry("lists", {"use_case": "startups", "surface": "gone", "answers": [answer(str(ada.pk), "a")]})
    assert spool.replay() == 1
    assert not Impression.objects.exists()


def test_the_command_stores_what_waits_whatever_was_imported(spool_dir: Path) -> None:
    """A command imports no view, and so not the module that spools clicks."""
    ada, startup = board.make_developer("Ada"), board.make_startups(1)[0]
    shown = answer(str(ada.pk), startup.pk)
    click = {"user_id": str(ada.pk), "item_id": str(startup.pk), "event": "view", "catalogue": "startups"}
    spool.append_entry("lists", {"use_case": "startups", "surface": "for-developer", "answers": [shown]})
    spool.append_entry("event", {**click, "event_id": str(uuid.uuid4()), "request_id": shown["request_id"]})
    imports = "import django; django.setup(); from tandem.event_sync.spool import WRITERS, import_string"
    command = [sys.executable, "-c", f"{imports}; print(*map(import_string, WRITERS.values()))"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test", "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.count("<function") == 3
    call_command("sync_interactions", stdout=StringIO())
    assert str(UserInteraction.objects.get().request_id) == shown["request_id"]


@pytest.mark.parametrize("error", [ValueError("a bug"), IntegrityError("no"), RuntimeError("a function of the site")])
def test_a_line_that_can_never_be_stored_holds_up_no_other(
    spool_dir: Path, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ada, bound = board.make_developer("Ada"), bound_surface("startups", "for-developer")
    monkeypatch.setattr(record_interactions, "record_answer", Mock(side_effect=error))
    spool.append_entry("event", {"event_id": "1"})
    later = answer(str(ada.pk), "a")
    spool.append_entry("lists", {"use_case": "startups", "surface": bound.name, "answers": [later]})
    assert spool.replay() == 1
    assert str(Impression.objects.get().pk) == later["request_id"]
    assert list(spool_dir.glob("*.jsonl")) == []
    assert "a line of the spool is skipped" in caplog.text
