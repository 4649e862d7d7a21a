"""Rows that are not mirrored are counted by table and reason, with an example, in the admin and by `check_events`."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client

from tandem.event_sync import live, not_mirrored
from tandem.event_sync.rows import Refused, Tally
from tandem.event_sync.sync import sync_interactions
from tandem.events import Event
from tandem.models import NotMirrored
from tests.library.models import Like, Order, OrderLine, Work
from tests.library.site import interactions, mirrored

MOMENT = datetime(2025, 3, 1, 12, tzinfo=UTC)
EVENTS = {"like": Event(Like, value=lambda row: row.work.title)}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def library(settings: Any, tmp_path: Path) -> Iterator[Any]:
    settings.TANDEM = {**settings.TANDEM, "SPOOL_DIR": str(tmp_path / "spool")}
    with mirrored(events=EVENTS) as mirror:
        yield mirror


def like(title: str) -> Like:
    user, _ = User.objects.get_or_create(username="ann")
    row: Like = Like.objects.create(user=user, work=Work.objects.create(title=title), created_at=MOMENT)
    return row


def counts() -> list[tuple[str, str, int, str]]:
    return list(NotMirrored.objects.order_by("reason").values_list("origin__name", "reason", "rows", "example"))


def test_a_row_that_is_saved_and_refused_is_counted_with_the_last_example(library: Any) -> None:
    like("5")
    assert counts() == []
    like("many")
    last = like("few")
    reason = "a value that cannot be used"
    assert counts() == [("library.like", reason, 2, f"Like {last.pk}: 'few' is not a number")]


def test_a_sync_replaces_the_counts_by_those_of_all_rows(library: Any) -> None:
    like("5")
    like("many")
    row = like("few")
    row.save()
    assert counts()[0][2] == 3
    sync_interactions()
    assert [count for _, _, count, _ in counts()] == [2]
    Work.objects.exclude(title="5").update(title="4")
    sync_interactions()
    assert counts() == []
    assert len(interactions()) == 3


def test_expected_rows_are_counted_by_a_sync_alone(settings: Any, tmp_path: Path) -> None:
    settings.TANDEM = {**settings.TANDEM, "SPOOL_DIR": str(tmp_path / "spool")}
    with mirrored(events={"purchase": Event(OrderLine, user="order__user", time="order__date_placed")}):
        order = Order.objects.create(date_placed=MOMENT)
        line = OrderLine.objects.create(order=order, work=Work.objects.create(title="W"))
        assert counts() == []
        sync_interactions()
        assert counts() == [("library.purchase", "no user", 1, f"OrderLine {line.pk}")]


def test_an_error_of_the_declaration_is_counted_and_reported(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise KeyError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(live, "refresh", fail)
        row = like("5")
    assert counts() == [("library.like", "an error, KeyError", 1, f"Like {row.pk}: 'a bug'")]
    out = io.StringIO()
    call_command("check_events", stdout=out)
    assert f"  since the last sync: 1 with an error, KeyError (such as Like {row.pk}: 'a bug')" in out.getvalue()


def test_reasons_are_bounded(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(not_mirrored, "MOST_REASONS", 3)
    for number in range(6):
        tally = Tally()
        tally.add(Refused(f"reason {number}" + "x" * 500, "y" * 500))
        not_mirrored.add(library, tally)
    assert sum(count for _, _, count, _ in counts()) == 6
    assert [(reason[:8], count) for _, reason, count, _ in counts()] == [
        ("another ", 3), ("reason 0", 1), ("reason 1", 1), ("reason 2", 1),
    ]  # fmt: skip
    whole = Tally()
    for number in range(6):
        whole.add(Refused(f"reason {number}", "y"))
    not_mirrored.replace(library, whole)
    assert [(reason, count) for _, reason, count, _ in counts()] == [
        ("another reason", 3),
        *((f"reason {n}", 1) for n in range(3)),
    ]


def test_counts_of_a_removed_declaration_are_deleted(library: Any) -> None:
    like("many")
    library.source.events = {}
    sync_interactions()
    assert counts() == []


def test_without_the_table_everything_is_mirrored(library: Any, caplog: pytest.LogCaptureFixture) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tandem_notmirrored RENAME TO tandem_later")
    try:
        like("5")
        like("many")
        assert len(interactions()) == 1
        assert sync_interactions()["library.like"] == 0
        out = io.StringIO()
        with pytest.raises(Exception, match="rows are refused"):
            call_command("check_events", stdout=out)
        assert "2 rows -> 1 interactions" in out.getvalue()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE tandem_later RENAME TO tandem_notmirrored")
    assert "cannot be counted" in caplog.text


def test_the_admin_shows_table_reason_and_example(library: Any) -> None:
    row = like("<b>many</b>")
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    page = client.get("/admin/tandem/notmirrored/").content.decode()
    assert "library.like" in page
    assert "a value that cannot be used" in page
    assert f"Like {row.pk}: &#x27;&lt;b&gt;many&lt;/b&gt;&#x27; is not a number" in page
    assert client.get("/admin/tandem/notmirrored/add/").status_code == 403
