"""The count that routing, pages and statistics use: one number in every time zone, in Django and in the service."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommendation_service.datasets.weighting import history_of as service_history_of
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.history import HISTORY_LIMIT, PastEvent
from recommendation_service.domain.idmap import IdMap
from sites.startups.models import Developer, Startup
from tandem.models import UserInteraction
from tandem.selectors.history import count_of, counts_of, history_of
from tandem.services.record_interactions import record_interactions
from tandem.sources import source_of
from tandem.use_cases import load
from tests.support import board

pytestmark = pytest.mark.django_db

ZONES = ("UTC", "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Kolkata")
NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    with override_settings(TIME_ZONE=request.param):
        yield request.param


@pytest.fixture
def startups() -> list[Startup]:
    return board.make_startups(4)


@pytest.fixture
def ada(startups: list[Startup]) -> Developer:
    return board.make_developer("Ada")


def record(user: Developer, *rows: tuple[Startup, datetime]) -> None:
    results = record_interactions(
        [
            {"user_id": str(user.pk), "item_id": str(item.pk), "event": "like", "catalogue": "startups", "time": time}
            for item, time in rows
        ],
        source="test",
    )
    assert {result.status for result in results} == {"accepted"}


def service_count(user: Developer) -> int:
    """Count as the service does: its export holds the items that the catalogue has now."""
    source = source_of("startups")
    assert source is not None
    ids = sorted(record.item_id for record in source.records())
    rows = UserInteraction.objects.filter(user__user_id=str(user.pk))
    values = rows.values_list("item__item_id", "kind__name", "time", "value")
    events = [PastEvent(item, event, time.timestamp(), value) for item, event, time, value in values]
    nothing = np.zeros(len(ids), dtype=np.float32)
    catalogue = Catalogue("startups", IdMap(np.array(ids, dtype=np.bytes_)), tuple(ids), nothing, nothing)
    return service_history_of(load("startups"), catalogue, events, NOON.timestamp()).count


def counts(user: Developer) -> set[int]:
    """Return every count of one user that Django can give."""
    source, use_case, user_id = source_of("startups"), load("startups"), str(user.pk)
    assert source is not None
    events, count = history_of(user_id=user_id, catalogue="startups", use_case=use_case)
    return {counts_of(source, [user_id, "nobody"])[user_id], count_of(events, use_case, source) if count is None else count}


def test_a_repeat_counts_again_only_on_another_day_of_utc(zone: str, startups: list[Startup], ada: Developer) -> None:
    record(ada, *((startups[0], NOON.replace(hour=hour)) for hour in (0, 6, 9, 15, 23)))
    record(ada, (startups[0], NOON + timedelta(days=1)), (startups[1], NOON))
    assert counts(ada) == {service_count(ada)} == {3}


def test_events_of_items_that_left_the_catalogue_do_not_count(zone: str, startups: list[Startup], ada: Developer) -> None:
    record(ada, *((startup, NOON) for startup in startups))
    startups[0].delete()
    assert counts(ada) == {service_count(ada)} == {3}


def test_a_long_history_is_counted_by_the_same_rule(zone: str, startups: list[Startup], ada: Developer) -> None:
    record(ada, *((startups[hour % 4], NOON - timedelta(hours=7 * hour)) for hour in range(HISTORY_LIMIT + 40)))
    startups[3].delete()
    source = source_of("startups")
    assert source is not None
    assert history_of(user_id=str(ada.pk), catalogue="startups", use_case=load("startups"))[1] == service_count(ada) > 0
    assert counts_of(source, [str(ada.pk)])[str(ada.pk)] == service_count(ada)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400)), min_size=1, max_size=25), st.sampled_from(ZONES))
def test_whatever_happens_both_halves_count_alike(
    startups: list[Startup], events: list[tuple[int, int]], time_zone: str
) -> None:
    user = board.make_developer("Eve")
    with override_settings(TIME_ZONE=time_zone):
        record(user, *((startups[item], NOON - timedelta(minutes=23 * step)) for item, step in events))
        assert counts(user) == {service_count(user)}
