"""A time that is not known is NULL, never now; it sorts before every known time, in every database alike."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.test import Client, override_settings

from recommendation_service.datasets.reader import Dataset
from recommendation_service.domain.history import UNKNOWN_TIME
from tandem.event_sync.sync import sync_table
from tandem.events import Event
from tandem.models import UserInteraction
from tandem.selectors.history import history_of, history_version, seen_before
from tandem.services import import_files
from tandem.services.record_interactions import record_interactions
from tandem.trust.limits import Sender
from tests.library.models import Person, Tagging, Vote, Work
from tests.library.site import mirrored
from tests.support.board import bearer, make_startups, service_header
from tests.tandem.exports.test_datasets import run

MOMENT = datetime(2025, 3, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def row(item: Any, **more: Any) -> dict[str, Any]:
    return {"user_id": "u1", "item_id": str(item), "event": "like", "catalogue": "startups", **more}


def record(*rows: dict[str, Any], sender: Sender = Sender.SITE, now: float | None = None) -> list[datetime | None]:
    results = record_interactions(rows, source="test", sender=sender, now=now)
    assert {result.status for result in results} == {"accepted"}, results
    stored = {str(one.event_id): one.time for one in UserInteraction.objects.all()}
    return [stored[str(result.event_id)] for result in results]


def history(user_id: str = "u1") -> list[str]:
    return [event.item_id for event in history_of(user_id=user_id, catalogue="startups")[0]]


def test_null_is_unknown_and_a_time_left_out_is_now_except_in_a_file() -> None:
    before = datetime.now(UTC)
    unknown, now = record(row(1, time=None), row(2))
    assert unknown is None
    assert now is not None
    assert before <= now <= datetime.now(UTC)
    assert record(row(3), row(4, time=None), row(5, time=MOMENT), sender=Sender.FILE) == [None, None, MOMENT]


def test_what_a_browser_sends_happened_now_and_what_a_service_sends_may_be_unknown() -> None:
    item = make_startups(1)[0].pk
    for headers in (bearer("u1"), service_header()):
        body = row(item, time=None)
        answer = Client().post("/api/v1/interactions", body, content_type="application/json", headers=headers)
        assert answer.status_code == 201
    browser, service = UserInteraction.objects.order_by("id").values_list("time", flat=True)
    assert browser is not None
    assert abs(browser - datetime.now(UTC)) < timedelta(minutes=1)
    assert service is None


def test_a_clock_that_runs_ahead_does_not_and_times_out_of_bounds_are_refused() -> None:
    now = time.time()
    assert record(row(1, time=now + 3600), now=now) == [datetime.fromtimestamp(now, UTC)]
    for wrong in ("1989-12-31T00:00:00Z", now + 2 * 86_400, now * 1000):
        (result,) = record_interactions([row(2, time=wrong)], source="test", now=now)
        assert (result.status, result.errors[0]["pointer"]) == ("rejected", "/time")


@pytest.mark.parametrize("use_tz", [True, False])
def test_a_naive_time_of_the_sites_own_code_is_in_its_zone(*, use_tz: bool) -> None:
    with override_settings(TIME_ZONE="Asia/Tokyo", USE_TZ=use_tz):
        stored, text, unknown = record(
            row(1, time=datetime(2025, 3, 1, 21)),  # noqa: DTZ001 - what datetime.now() gives where USE_TZ is False
            row(2, time="2025-03-01T12:00:00"),
            row(3, time=None),
        )
        assert stored == text == MOMENT
        assert unknown is None
        assert history() == ["2", "1", "3"]


def test_unknown_times_are_older_than_all_others_and_equal_ones_stay_in_the_order_of_arrival() -> None:
    record(row(1, time=None), row(2, time=MOMENT), row(3, time=None), row(4, time=MOMENT), row(5, time=MOMENT))
    record(row(6, time=MOMENT - timedelta(days=9)), row(7, time=None))
    assert history() == ["5", "4", "2", "6", "7", "3", "1"]
    events, _ = history_of(user_id="u1", catalogue="startups")
    assert [event.time for event in events[-3:]] == [UNKNOWN_TIME] * 3
    assert seen_before(events[:2], user_id="u1", catalogue="startups") == ["2", "6", "7", "3", "1"]


def test_many_events_of_one_time_keep_their_order_through_batches_and_duplicates() -> None:
    rows = [row(number, time=MOMENT, event_id=f"{number * 7919 % 10_007:032x}") for number in range(400)]
    record(*rows[:150])
    results = record_interactions([*rows[100:], *rows[300:]], source="test")
    assert sum(result.status == "duplicate" for result in results) == 150
    assert history() == [str(number) for number in reversed(range(400))]


def test_an_event_at_an_unknown_or_old_time_makes_the_history_another() -> None:
    record(row(1))
    versions = {history_version(user_id="u1", catalogue="startups")}
    record(row(2, time=MOMENT))
    versions.add(history_version(user_id="u1", catalogue="startups"))
    record(row(3, time=None))
    versions.add(history_version(user_id="u1", catalogue="startups"))
    UserInteraction.objects.filter(time=None).delete()
    versions.add(history_version(user_id="u1", catalogue="startups"))
    assert len(versions) == 4 - 1  # without the last event it is the second history again


def test_an_export_has_unknown_times_first_and_says_how_many(tmp_path: Path) -> None:
    items = [str(item.pk) for item in make_startups(5)]
    record(row(items[3], time=MOMENT), row(items[1], time=None), row(items[0], time=MOMENT), row(items[2], time=None))
    run("generate_all_datasets", tmp_path, "--catalogue", "startups")
    dataset = Dataset.open(tmp_path, "startups")
    events = dataset.events()
    assert [items[index] for index in (1, 2, 3, 0)] == [dataset.item_ids.id(int(item)) for item in events.items]
    assert events.times[:2].tolist() == [UNKNOWN_TIME] * 2
    assert events.times[2:].tolist() == [MOMENT.timestamp()] * 2
    assert [event.item_id for event in dataset.past_events("u1")] == [items[index] for index in (0, 3, 2, 1)]
    assert dataset.summary["counts"]["unknown_times"] == 2
    assert dataset.summary["newest_event"] == MOMENT.timestamp()
    lines = (tmp_path / "startups" / "two_tower_train.csv").read_text().splitlines()
    assert [line.rpartition(",")[2] for line in lines[1:3]] == ["", ""]
    assert np.isneginf(np.load(dataset.folder / "history_times.npy")).sum() == 2


def test_an_export_where_no_time_is_known(tmp_path: Path) -> None:
    items = [str(item.pk) for item in make_startups(2)]
    record(row(items[0], time=None), row(items[1], time=None))
    run("generate_all_datasets", tmp_path, "--catalogue", "startups")
    dataset = Dataset.open(tmp_path, "startups")
    assert dataset.summary["newest_event"] is None
    assert dataset.catalogue().popularity.tolist() == [1.0, 1.0]


def test_a_file_without_times_has_unknown_ones(tmp_path: Path) -> None:
    items = make_startups(2)
    path = tmp_path / "likes.csv"
    path.write_text(f"user,item\nu1,{items[0].pk}\nu2,{items[1].pk}\n")
    import_files.import_interactions(path, catalogue="startups", mapping=["user=user", "item=item"], event="like")
    assert list(UserInteraction.objects.values_list("time", flat=True)) == [None, None]


@pytest.fixture
def ann() -> User:
    return User.objects.create(username="ann")


@pytest.fixture
def work() -> Work:
    return Work.objects.create(title="A work")


def times() -> list[datetime | None]:
    return list(UserInteraction.objects.order_by("id").values_list("time", flat=True))


NO_TIME = {"vote": Event(Vote, item="object_id")}  # its table has no column that is a time


def vote(ann: User, work: Work, voted: str = "") -> Vote:
    return Vote(content_type=ContentType.objects.get_for_model(Work), object_id=str(work.pk), user=ann, voted=voted)


@pytest.mark.usefixtures("transactional_db")
def test_a_table_without_times_has_the_time_of_saving_and_none_for_what_was_there_before(ann: User, work: Work) -> None:
    before = datetime.now(UTC)
    with mirrored(events=NO_TIME) as mirror:
        vote(ann, work).save()
        (live,) = times()
        assert live is not None
        assert before <= live <= datetime.now(UTC)
        Vote.objects.bulk_create([vote(ann, work)])
        assert sync_table(mirror).added == 1
        assert times() == [live, None]
        assert (sync_table(mirror).changed, times()) == (0, [live, None])


@pytest.mark.usefixtures("transactional_db")
def test_null_in_the_column_of_the_time_is_unknown_and_follows_the_row(ann: User, work: Work) -> None:
    with mirrored(events={"vote": Event(Vote, item="object_id", time="voted")}) as mirror:
        row = vote(ann, work)
        row.save()
        assert times() == [None]
        row.voted = MOMENT.isoformat()
        row.save()
        assert times() == [MOMENT]
        Vote.objects.update(voted="NULL")
        assert (sync_table(mirror).changed, times()) == (1, [None])
        assert sync_table(mirror).changed == 0


@pytest.mark.usefixtures("transactional_db")
def test_a_foreign_key_table_with_a_nullable_time(ann: User, work: Work) -> None:
    person = Person.objects.create(account=ann)
    with mirrored(events={"tag": Event(Tagging, user="person__account")}):
        Tagging.objects.create(person=person, work=work)
        Tagging.objects.create(person=person, work=work, created_at=MOMENT)
        assert times() == [None, MOMENT]
