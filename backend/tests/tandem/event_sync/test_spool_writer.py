"""Shown lists are written beside the requests: once each, soon, and also by a process that does not run the thread."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, router
from django.test import Client

from sites.startups.models import Startup
from tandem.event_sync import spool, spool_writer
from tandem.models import Impression, UserInteraction
from tandem.services import impressions
from tests.support import board

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_spool(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.TANDEM = {**settings.TANDEM, "SPOOL_DIR": str(tmp_path / "spool"), "BACKGROUND_WRITER": True}
    for module in (spool_writer, impressions):
        monkeypatch.setattr(module, "writes_in_background", lambda: True)  # on SQLite too
    monkeypatch.setattr(spool_writer, "_writer", spool_writer._Writer())
    monkeypatch.setattr(spool_writer, "PAUSE_S", 0.02)
    monkeypatch.setattr(spool_writer, "close_old_connections", connections.close_all)  # a test's database is dropped
    return tmp_path / "spool"


@pytest.fixture
def startups() -> list[Startup]:
    return board.make_startups(12)


def until(happened: Callable[[], bool]) -> None:
    for _ in range(1000):
        if happened():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen within 10 s")


def ask() -> dict[str, Any]:
    ada = board.make_developer("Ada")
    answer = Client().get(board.PATH.format(ada.pk), headers=board.service_header())
    assert answer.status_code == 200
    return dict(answer.json())


def test_the_thread_writes_what_was_shown_once(startups: list[Startup]) -> None:
    lists = [ask() for _ in range(5)]
    until(lambda: not spool.waits())
    assert {str(key) for key in Impression.objects.values_list("pk", flat=True)} == {one["request_id"] for one in lists}


def test_what_the_database_refuses_is_written_when_it_answers_again(
    startups: list[Startup], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []
    replay = spool.replay

    def refuse_twice() -> int:
        tries.append(1)
        return replay() if len(tries) > 2 else 0

    monkeypatch.setattr(spool, "replay", refuse_twice)
    shown = ask()
    until(lambda: not spool.waits())
    assert str(Impression.objects.get().pk) == shown["request_id"]
    assert len(tries) == 3


def test_a_click_right_after_the_list_is_joined_with_it(startups: list[Startup], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_writer, "GATHER_S", 60.0)  # the list still waits when the click comes
    shown = ask()
    assert spool.waits()
    row = {
        "user_id": shown["user_id"],
        "item_id": shown["recommendations"][0]["item_id"],
        "event": "like",
        "catalogue": "startups",
        "request_id": shown["request_id"],
    }
    answer = Client().post("/api/v1/interactions", row, content_type="application/json", headers=board.service_header())
    assert answer.status_code == 201, answer.content
    assert str(UserInteraction.objects.get().request_id) == shown["request_id"]
    assert not spool.waits()


def test_where_no_thread_runs_the_request_writes(startups: list[Startup], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_writer._Writer, "_run", lambda _self: None)
    monkeypatch.setattr(spool_writer, "LATE_S", 0.0)
    first = ask()
    assert spool.waits()
    second = ask()
    assert not spool.waits()
    assert {str(key) for key in Impression.objects.values_list("pk", flat=True)} == {first["request_id"], second["request_id"]}


def test_what_does_not_fit_is_counted(startups: list[Startup], monkeypatch: pytest.MonkeyPatch, own_spool: Path) -> None:
    monkeypatch.setattr(spool, "LIMIT_BYTES", 10)
    assert not spool.append_entry("lists", {"answers": []})
    assert not spool.append_entry("lists", {"answers": []})
    assert spool.lost() == 2


def test_no_thread_writes_into_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    alias = router.db_for_write(Impression)
    assert spool_writer.writes_in_background() is (connections[alias].vendor != "sqlite")
