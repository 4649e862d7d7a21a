"""Mirroring never changes what the site does: it comes after the commit, and its failures stay its own."""

import io
import json
import logging
import multiprocessing
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tandem.event_sync import live, refresh, spool
from tandem.events import Event
from tandem.models import UserInteraction
from tandem.services.record_interactions import record_interactions
from tests.library.models import Like, Work
from tests.library.site import interactions, mirrored

MOMENT = datetime(2025, 3, 1, 12, tzinfo=UTC)
EVENTS = {"like": Event(Like)}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def spool_dir(settings: Any, tmp_path: Path) -> Path:
    settings.TANDEM = {**settings.TANDEM, "SPOOL_DIR": str(tmp_path / "spool")}
    return tmp_path / "spool"


@pytest.fixture
def library(spool_dir: Path) -> Iterator[Any]:
    with mirrored(events=EVENTS) as mirror:
        yield mirror


def like(work: Work | None = None, **more: Any) -> Like:
    user, _ = User.objects.get_or_create(username="ann")
    return Like.objects.create(user=user, work=work or Work.objects.create(title="Work"), created_at=MOMENT, **more)


def refuse(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Make every write of interactions fail until `monkeypatch.undo()`."""

    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise error

    monkeypatch.setattr(refresh, "insert_interactions", fail)


def waiting(spool_dir: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(spool_dir.glob("*.jsonl")) for line in path.read_text().splitlines()]


def test_nothing_is_mirrored_before_the_commit_or_after_a_rollback(library: Any) -> None:
    with transaction.atomic():
        like()
        assert interactions() == []
        transaction.set_rollback(True)
    assert interactions() == []
    with transaction.atomic():
        like()
        assert interactions() == []
    assert len(interactions()) == 1


def test_a_savepoint_that_is_rolled_back_leaves_nothing(library: Any) -> None:
    with transaction.atomic():
        kept = like()
        with transaction.atomic():
            like()
            transaction.set_rollback(True)
    assert [item for _, item, _ in interactions()] == [str(kept.work_id)]


def test_rows_of_one_transaction_are_mirrored_together(library: Any) -> None:
    works = [Work.objects.create(title=str(number)) for number in range(30)]
    like(works[0])
    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        for work in works[1:]:
            like(work)
    assert len(interactions()) == 30
    mirroring = [query for query in queries if "tandem_" in query["sql"]]
    assert len(mirroring) < 20


def test_a_refused_event_is_spooled_and_replayed_once_by_the_command(
    library: Any, spool_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        refuse(patch, OperationalError("the database is locked"))
        row = like()
    assert Like.objects.filter(pk=row.pk).exists()
    assert interactions() == []
    assert [(entry["rows"]["origin"], entry["rows"]["keys"]) for entry in waiting(spool_dir)] == [
        ("library.like", [str(row.pk)])
    ]
    out = io.StringIO()
    call_command("sync_interactions", stdout=out)
    assert "1 rows of the spool are mirrored" in out.getvalue()
    assert len(interactions()) == 1
    assert waiting(spool_dir) == []
    call_command("sync_interactions", stdout=out)
    assert len(interactions()) == 1


def test_a_later_success_replays_what_waits(library: Any, spool_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        refuse(patch, OperationalError("the database is locked"))
        first = like()
        second = like()  # while it fails, the database is left alone
    live._state.paused_until = 0.0
    third = like()
    assert {item for _, item, _ in interactions()} == {str(row.work_id) for row in (first, second, third)}
    assert waiting(spool_dir) == []


def test_a_replay_tells_what_the_row_is_now(library: Any, spool_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = like()
    with monkeypatch.context() as patch:
        refuse(patch, OperationalError("the database is locked"))
        gone = like()
    spool.append("library.like", [kept.pk], "default")
    Like.objects.filter(pk=gone.pk).delete()
    spool.replay()
    assert spool.replay() == 0
    assert [item for _, item, _ in interactions()] == [str(kept.work_id)]


def test_what_is_refused_again_keeps_waiting(library: Any, spool_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        refuse(patch, OperationalError("the database is locked"))
        like()
        assert spool.replay() == 0
        assert len(waiting(spool_dir)) == 1
    assert spool.replay() == 1
    assert len(interactions()) == 1


def test_a_line_that_was_cut_short_is_skipped(library: Any, spool_dir: Path) -> None:
    row = like()
    UserInteraction.objects.all().delete()
    spool.append("library.like", [row.pk], "default")
    spool.append("library.removed", [1], "default")
    with (spool_dir / "events.jsonl").open("a") as file:
        file.write('{"origin": "library.li')
    assert spool.replay() == 1
    assert len(interactions()) == 1


def test_a_spool_is_bounded(spool_dir: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(spool, "LIMIT_BYTES", 300)
    assert [spool.append("library.like", [1], "default") for _ in range(4)][-1] is False
    assert sum(path.stat().st_size for path in spool_dir.glob("*.jsonl")) <= 300
    assert "is full" in caplog.text


def test_a_spool_that_cannot_be_written_harms_no_one(
    library: Any, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    settings.TANDEM = {**settings.TANDEM, "SPOOL_DIR": str(tmp_path / "file" / "spool")}
    refuse(monkeypatch, OperationalError("the database is locked"))
    assert like().pk is not None
    assert "cannot be spooled" in caplog.text


@pytest.mark.parametrize("error", [OperationalError("locked"), IntegrityError("no"), DatabaseError("no"), ValueError("a bug")])
def test_no_error_reaches_the_site(library: Any, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    refuse(monkeypatch, error)
    row = like()
    row.save()
    row.delete()
    with transaction.atomic():
        like()
        assert Like.objects.count() == 1


def test_code_that_is_deployed_before_migrate_harms_no_one(library: Any, spool_dir: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tandem_userinteraction RENAME COLUMN origin_id TO origin_later")
    try:
        row = like()
        assert Like.objects.filter(pk=row.pk).exists()
        assert len(waiting(spool_dir)) == 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE tandem_userinteraction RENAME COLUMN origin_later TO origin_id")
    assert spool.replay() == 1
    assert len(interactions()) == 1


def test_a_failed_record_leaves_the_sites_transaction_usable(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_interactions: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM no_such_table")

    monkeypatch.setattr("tandem.services.record_interactions._insert_new", fail)
    with transaction.atomic():
        with pytest.raises(DatabaseError):
            record_interactions([{"user_id": "1", "item_id": "2", "event": "like", "catalogue": "library"}], source="test")
        assert Work.objects.create(title="after").pk is not None


def test_a_site_that_commits_by_itself_is_mirrored(library: Any) -> None:
    user, work = User.objects.create(username="ann"), Work.objects.create(title="Work")
    transaction.set_autocommit(False)
    try:
        Like.objects.create(user=user, work=work, created_at=MOMENT)
        transaction.commit()
    finally:
        transaction.set_autocommit(True)
    assert len(interactions()) == 1


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Tokyo", "UTC"])
def test_a_site_without_time_zones_has_the_right_times(library: Any, settings: Any, zone: str) -> None:
    settings.USE_TZ, settings.TIME_ZONE = False, zone
    user, work = User.objects.create(username="ann"), Work.objects.create(title="Work")
    now = datetime.now()  # noqa: DTZ005 - as a site without time zones writes it
    seconds = now.timestamp()
    Like.objects.create(user=user, work=work, created_at=now)
    written = UserInteraction.objects.get()
    assert abs(written.time.timestamp() - seconds) < 1e-3
    assert written.time.tzinfo is UTC
    row = {"user_id": "u", "item_id": "i", "event": "view", "catalogue": "library", "time": seconds}
    assert record_interactions([row], source="test")[0].status == "accepted"
    assert UserInteraction.objects.filter(time__gte=written.time).count() >= 1
    settings.USE_TZ, settings.TIME_ZONE = True, "UTC"
    assert abs(UserInteraction.objects.get(pk=written.pk).time.timestamp() - seconds) < 1e-3


def _append_lines(folder: str, number: int) -> None:
    for line in range(50):
        spool.append("library.like", [number, line], "default")


def test_processes_that_spool_together_lose_no_line(spool_dir: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_append_lines, args=(str(spool_dir), number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert len(waiting(spool_dir)) == 200


def test_refused_rows_are_logged_with_reason_and_example(spool_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), mirrored(events={"like": Event(Like, value=lambda row: row.work.title)}):
        row = like()
    assert f"Like {row.pk}: 'Work' is not a number" in caplog.text
