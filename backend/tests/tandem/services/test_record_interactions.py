"""Writing what happened: once, the good rows whatever the bad ones are, with any number of writers."""

import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from django.db import connection, connections

from tandem.models import CatalogueKey, Impression, ItemKey, UserInteraction, UserKey
from tandem.services.erase_user import erase_user
from tandem.services.interaction_validation import Interaction, clean_row
from tandem.services.record_interactions import UNKNOWN_REQUEST, RowResult, record_interactions
from tandem.signals import interaction_recorded
from tests.support.board import make_startups

NOW = 1_760_000_000.0


def row(**changes: Any) -> dict[str, Any]:
    """A good row, changed; a change to None takes the key away."""
    whole = {"user_id": "u1", "item_id": "i1", "event": "like", "catalogue": "startups", "time": NOW - 60, **changes}
    return {name: value for name, value in whole.items() if value is not None}


def record(*rows: Any, **options: Any) -> list[RowResult]:
    return record_interactions(rows, source="test", now=NOW, **options)


@pytest.fixture
def heard() -> Iterator[list[tuple[str, str]]]:
    """What the signal said."""
    pairs: list[tuple[str, str]] = []

    def hear(user_id: str, catalogue: str, **_others: Any) -> None:
        pairs.append((user_id, catalogue))

    interaction_recorded.connect(hear)
    yield pairs
    interaction_recorded.disconnect(hear)


@pytest.mark.django_db
def test_an_interaction_is_written_with_its_keys() -> None:
    (result,) = record(row(value=4.5))
    assert result.status == "accepted"
    written = UserInteraction.objects.select_related("user", "item", "kind", "catalogue").get()
    assert str(written.event_id) == result.event_id
    assert (written.user.user_id, written.item.item_id, written.kind.name, written.catalogue.name) == (
        "u1",
        "i1",
        "like",
        "startups",
    )
    assert written.value == 4.5
    assert written.time == datetime.fromtimestamp(NOW - 60, UTC)


@pytest.mark.django_db
def test_an_event_counts_once_however_often_it_is_sent() -> None:
    events = [row(event_id=str(uuid.UUID(int=place + 1)), user_id=f"u{place % 7}") for place in range(300)]
    rng = np.random.default_rng(7)
    sent = [one for one in events for _ in range(rng.integers(1, 6))]
    sent = [sent[place] for place in rng.permutation(len(sent))]
    results = [result for start in range(0, len(sent), 50) for result in record(*sent[start : start + 50])]
    assert sum(result.status == "accepted" for result in results) == 300
    assert sum(result.status == "duplicate" for result in results) == len(sent) - 300
    assert UserInteraction.objects.count() == 300


@pytest.mark.parametrize("ahead_s", [1, 3600, 86_000])
def test_a_clock_that_runs_ahead_gives_the_moment_of_arrival(ahead_s: float) -> None:
    interaction = clean_row(row(time=NOW + ahead_s), now=NOW)
    assert isinstance(interaction, Interaction)
    assert interaction.time.timestamp() == NOW


@pytest.mark.django_db
def test_a_bad_row_never_loses_the_good_ones() -> None:
    results = record(row(), row(item_id="NaN"), "nonsense", row(item_id="i2"))
    assert [result.status for result in results] == ["accepted", "rejected", "rejected", "accepted"]
    assert results[1].errors[0]["pointer"] == "/item_id"
    assert UserInteraction.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"user_id": None}, "/user_id"),
        ({"user_id": 7}, "/user_id"),
        ({"user_id": "x" * 256}, "/user_id"),
        ({"item_id": "a\x00b"}, "/item_id"),
        ({"item_id": "\ud800"}, "/item_id"),
        ({"item_id": "None"}, "/item_id"),
        ({"event": "explode"}, "/event"),
        ({"event": None}, "/event"),
        ({"catalogue": "nowhere"}, "/catalogue"),
        ({"catalogue": None}, "/catalogue"),
        ({"use_case": "movies"}, "/use_case"),
        ({"time": "yesterday"}, "/time"),
        ({"time": NOW * 1000}, "/time"),
        ({"time": 0}, "/time"),
        ({"time": float("nan")}, "/time"),
        ({"time": float("inf")}, "/time"),
        ({"time": True}, "/time"),
        ({"time": "2099-01-01T00:00:00Z"}, "/time"),
        ({"value": float("nan")}, "/value"),
        ({"value": "5"}, "/value"),
        ({"value": 10**400}, "/value"),
        ({"event_id": "12"}, "/event_id"),
        ({"request_id": 5}, "/request_id"),
        ({"colour": "red"}, "/colour"),
        ({"a/b~": 1}, "/a~1b~0"),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, Any], pointer: str) -> None:
    problems = clean_row(row(**changes), now=NOW)
    assert isinstance(problems, list)
    assert [problem["pointer"] for problem in problems] == [pointer]


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("2025-03-01T12:00:00Z", 1_740_830_400.0),
        ("2025-03-01T13:00:00+01:00", 1_740_830_400.0),
        ("2025-03-01 12:00:00", 1_740_830_400.0),
        (1_740_830_400, 1_740_830_400.0),
        (None, NOW),
    ],
)
def test_a_time_is_iso_8601_or_seconds_or_now(time: Any, seconds: float) -> None:
    clean = clean_row(row(time=time), now=NOW)
    assert isinstance(clean, Interaction)
    assert clean.time.timestamp() == seconds


def test_a_use_case_with_one_catalogue_is_enough() -> None:
    clean = clean_row(row(catalogue=None, use_case="startups"), now=NOW)
    assert isinstance(clean, Interaction)
    assert clean.catalogue == "startups"


@pytest.mark.django_db
def test_only_items_that_are_shown_may_be_asked_for() -> None:
    (startup,) = make_startups(1)
    gone = str(uuid.uuid4())
    results = record(row(item_id=str(startup.pk)), row(item_id=gone), row(item_id="no-uuid"), known_items_only=True)
    assert [result.status for result in results] == ["accepted", "rejected", "rejected"]
    assert not ItemKey.objects.filter(item_id=gone).exists()


@pytest.mark.django_db
def test_a_request_id_is_kept_for_a_list_of_the_same_user_only() -> None:
    record(row(user_id="u1"), row(user_id="u2"))
    shown = Impression.objects.create(
        request_id=uuid.uuid4(),
        user=UserKey.objects.get(user_id="u1"),
        catalogue=CatalogueKey.objects.get(name="startups"),
        use_case="startups",
        surface="for-developer",
        method_used="als",
        time=datetime.fromtimestamp(NOW - 120, UTC),
    )
    own, strange, unknown = record(
        row(request_id=str(shown.pk)),
        row(user_id="u2", request_id=shown.pk),
        row(request_id=str(uuid.uuid4())),
    )
    assert (own.notes, strange.notes, unknown.notes) == ([], [UNKNOWN_REQUEST], [UNKNOWN_REQUEST])
    kept = UserInteraction.objects.filter(request_id=shown.pk)
    assert [str(one.event_id) for one in kept] == [own.event_id]


@pytest.mark.django_db
def test_listeners_hear_of_each_user_once_and_only_of_new_events(
    heard: list[tuple[str, str]], django_capture_on_commit_callbacks: Any
) -> None:
    first = row(event_id=uuid.uuid4())
    with django_capture_on_commit_callbacks(execute=True):
        record(first, row(item_id="i2"), row(user_id="u2", event="explode"))
    with django_capture_on_commit_callbacks(execute=True):
        record(first)
    assert heard == [("u1", "startups")]


@pytest.mark.django_db
def test_no_rows_are_no_work() -> None:
    assert record() == []


@pytest.mark.django_db
def test_an_erased_user_leaves_no_row_behind() -> None:
    record(row(user_id="gone"), row(user_id="stays"))
    gone = erase_user(user_id="gone")
    assert (gone["userinteraction"], gone["userkey"]) == (1, 1)
    assert not UserKey.objects.filter(user_id="gone").exists()
    assert UserInteraction.objects.count() == 1
    assert set(erase_user(user_id="gone").values()) == {0}


@pytest.mark.django_db(transaction=True)
def test_32_writers_of_the_same_new_things_lose_nothing() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time; run with DATABASE_URL=postgres://...")
    rows = [row(event_id=uuid.UUID(int=place + 1), user_id=f"u{place % 40}", item_id=f"i{place % 60}") for place in range(600)]
    failures: list[BaseException] = []
    accepted: list[int] = []

    def write(seed: int) -> None:
        own = [rows[place] for place in np.random.default_rng(seed).permutation(len(rows))]
        try:
            for start in range(0, len(own), 100):
                accepted.append(sum(one.status == "accepted" for one in record(*own[start : start + 100])))
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(32)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    assert sum(accepted) == 600
    assert UserInteraction.objects.count() == 600
    assert UserKey.objects.count() == 40
