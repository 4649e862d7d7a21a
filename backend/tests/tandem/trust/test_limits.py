"""What one account may do: bounds, age, number per day, and which events are outcomes of a list."""

import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from sites.movies.models import Movie
from tandem.models import Impression, ImpressionItem, ItemKey, UserInteraction, UserKey
from tandem.selectors.popular import forget_ranking, popular_ids
from tandem.selectors.statistics import Window, totals
from tandem.services.id_mapping import catalogue_key, item_keys, user_keys
from tandem.services.record_interactions import record_interactions
from tandem.surfaces import bound_surface
from tandem.trust.limits import NO_AMOUNT, NOT_AN_OUTCOME, Sender
from tests.support.board import bearer, make_startups, service_header

pytestmark = pytest.mark.django_db


@pytest.fixture
def startup_id() -> str:
    return str(make_startups(1)[0].pk)


def post(body: Any, headers: dict[str, str]) -> Any:
    return Client().post("/api/v1/interactions", json.dumps(body), content_type="application/json", headers=headers)


def row(item_id: str, **more: Any) -> dict[str, Any]:
    return {"item_id": item_id, "event": "like", "catalogue": "startups", **more}


def pointer(answer: Any) -> str:
    return str(answer.json()["errors"][0]["pointer"])


def test_a_browser_may_not_send_an_old_event_and_a_service_may(startup_id: str) -> None:
    old = row(startup_id, user_id="u1", time=time.time() - 25 * 3600)
    assert pointer(post(old, bearer("u1"))) == "/time"
    assert post({**old, "time": time.time() - 23 * 3600}, bearer("u1")).status_code == 201
    assert post(old, service_header()).status_code == 201


def test_a_browser_sends_no_amounts_and_hears_so(startup_id: str) -> None:
    answer = post(row(startup_id, event="apply", value=1e6), bearer("u1"))
    assert answer.json()["results"][0]["notes"] == [NO_AMOUNT]
    assert UserInteraction.objects.get().value is None
    post(row(startup_id, event="apply", value=1e6, user_id="u2"), service_header())
    assert UserInteraction.objects.get(user__user_id="u2").value == 1e6


@pytest.mark.parametrize("sender", [Sender.BROWSER, Sender.FILE])
def test_a_rating_beyond_its_bounds_is_refused_from_browsers_and_files(sender: Sender) -> None:
    movie = Movie.objects.create(id="m1", title="Heat")
    rating = {"user_id": "u1", "item_id": str(movie.pk), "catalogue": "movies", "event": "rate", "value": 1e9}
    (huge,) = record_interactions([rating], source="test", sender=sender)
    (fair,) = record_interactions([{**rating, "value": 5.0}], source="test", sender=sender)
    (trusted,) = record_interactions([rating], source="test", sender=Sender.SERVICE)
    assert [huge.status, fair.status, trusted.status] == ["rejected", "accepted", "accepted"]
    assert huge.errors[0]["pointer"] == "/value"


def test_a_browser_repeats_one_event_with_one_item_so_often_a_day(startup_id: str) -> None:
    ids = [str(uuid.uuid4()) for _ in range(25)]
    answer = post([row(startup_id, event_id=event_id) for event_id in ids], bearer("u1"))
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (20, 5)
    again = post([row(startup_id, event_id=ids[0]), row(startup_id)], bearer("u1"))
    assert [result["status"] for result in again.json()["results"]] == ["duplicate", "rejected"]
    assert post(row(startup_id, event="view"), bearer("u1")).status_code == 201
    assert post(row(startup_id, user_id="u1"), service_header()).status_code == 201


def test_popularity_moves_by_one_voice_however_much_one_account_does() -> None:
    first, second = make_startups(2)
    many = [row(str(first.pk), user_id="bot", time=datetime.now(UTC) - timedelta(days=day)) for day in range(300)]
    two = [row(str(second.pk), user_id=user) for user in ("u1", "u2")]
    record_interactions([*many, *two], source="test")
    forget_ranking()
    assert popular_ids(bound_surface("startups", "for-developer")) == [(str(second.pk), 2.0), (str(first.pk), 1.0)]


def shown_to(
    user_id: str, item_id: str, *, days_ago: float, catalogue: str = "startups", surface: str = "for-developer"
) -> Impression:
    key = catalogue_key(catalogue)
    shown = Impression.objects.create(
        request_id=uuid.uuid4(),
        user_id=user_keys([user_id])[user_id],
        catalogue_id=key,
        use_case=catalogue,
        surface=surface,
        method_used="als",
        time=datetime.now(UTC) - timedelta(days=days_ago),
    )
    item = item_keys(key, [item_id])[item_id]
    ImpressionItem.objects.create(impression=shown, item_id=item, position=1, score=1.0)
    return shown


@pytest.mark.parametrize(("shown_days_ago", "event_days_ago", "counts"), [(2, 1, True), (2, 3, False), (40, 1, False)])
def test_an_outcome_comes_after_its_list_and_within_the_window(
    startup_id: str, shown_days_ago: float, event_days_ago: float, counts: bool
) -> None:
    shown = shown_to("u1", startup_id, days_ago=shown_days_ago)
    event = row(startup_id, user_id="u1", request_id=shown.pk, time=datetime.now(UTC) - timedelta(days=event_days_ago))
    (result,) = record_interactions([event], source="test")
    assert result.notes == ([] if counts else [NOT_AN_OUTCOME])
    assert UserInteraction.objects.filter(request_id=shown.pk).exists() is counts
    assert UserKey.objects.count() == ItemKey.objects.count() == 1


def test_revenue_is_no_sum_of_stars() -> None:
    Movie.objects.create(id="m1", title="Heat")
    shown = shown_to("u1", "m1", days_ago=1, catalogue="movies", surface="for-you")
    rating = {"user_id": "u1", "item_id": "m1", "catalogue": "movies", "event": "rate", "value": 5.0, "request_id": shown.pk}
    record_interactions([rating], source="test")
    figures = totals(use_case="movies", window=Window.last(3, until=datetime.now(UTC) + timedelta(minutes=1)))
    assert (figures.conversions, figures.revenue) == (1, 0.0)
