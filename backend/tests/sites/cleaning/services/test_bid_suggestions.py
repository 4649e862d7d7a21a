"""What a cleaner is advised to bid, from what, and what came of it."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.errors import InvalidInput
from sites.cleaning.models import BidSuggestion, Cleaner, CleaningJob, JobBid
from sites.cleaning.scoring.service import ScoringService
from sites.cleaning.services.bid_suggestions import (
    LEAST,
    MOST,
    SPREAD,
    Known,
    by_rules,
    money,
    note_bid,
    note_decision,
    suggest_bid,
)
from tandem.service_client.client import RecommendationClient
from tests.sites.cleaning import marketplace
from tests.sites.cleaning.engine_world import cleaner_at, open_job
from tests.support.faults import Behaviour, FaultServer, http, says, waits

pytestmark = pytest.mark.django_db
Point = Callable[[str], RecommendationClient]
Ask = Callable[..., BidSuggestion]


def estimates(*amounts: float, **changes: Any) -> Behaviour:
    """Answers with these amounts for whoever is asked about."""

    def behave(server: FaultServer, accepted: Any, request: dict[str, Any]) -> bool:
        low, middle, high = amounts
        rows = [{"item_id": one["item_id"], "minimum": low, "optimal": middle, "maximum": high} for one in request["offers"]]
        known = {"request_id": "1", "use_case": "cleaning", "estimator": "bid", "model_version": "bid_v3"}
        answer = {**known, "estimates": rows, **changes}
        accepted.sendall(http(json.dumps(answer).encode()))
        return True

    return behave


@pytest.fixture
def advised(service_at: Point) -> Ask:
    """A suggestion by a service that behaves so; without a behaviour nobody listens."""

    def ask(job: CleaningJob, cleaner: Cleaner, behave: Behaviour | None = None) -> BidSuggestion:
        if behave is None:
            service_at("http://127.0.0.1:9")
            return suggest_bid(job, cleaner)
        with FaultServer(behave) as server:
            service_at(server.url)
            return suggest_bid(job, cleaner)

    return ask


def known(**more: Any) -> Known:
    told = {"budget": 100.0, "asked": 60.0, "own": None, "market": None, "win_rate": None, "bid_count": 0, "lowest": None}
    return Known(**{**told, **more})


# --- by the network ---------------------------------------------------------------------------------------------------


def test_the_network_says_the_three_amounts_and_which_model_it_was(advised: Ask) -> None:
    found = advised(open_job(), cleaner_at(2), estimates(41.234, 48.006, 57.9951))
    found.refresh_from_db()
    assert (found.minimum, found.optimal, found.maximum) == (Decimal("41.23"), Decimal("48.01"), Decimal("58.00"))
    assert (found.method, found.model_version) == ("neural", "bid_v3")
    assert (found.actual_bid, found.was_used, found.did_win) == (None, None, None)


def test_the_service_is_asked_what_the_network_reads_and_nobodys_home(service_at: Point) -> None:
    job, cleaner = open_job(), cleaner_at(3, rate=15)
    with FaultServer(estimates(1, 2, 3)) as server:
        service_at(server.url)
        suggest_bid(job, cleaner)
    (asked,) = server.asked
    context, (offer,) = asked["context"], asked["offers"]
    assert (context["id"], offer["item_id"]) == (str(job.pk), str(cleaner.pk))
    assert context["text_columns"] == {"property_type": "apartment"}
    assert context["numbers"]["hours"] == 4
    assert offer["numbers"]["distance_km"] == pytest.approx(3, abs=0.01)
    assert offer["numbers"]["hourly_rate"] == 15
    assert "win_rate" not in offer["numbers"]
    everything = json.dumps(asked)
    assert "latitude" not in everything
    assert cleaner.name not in everything


@pytest.mark.parametrize(
    "behave",
    [
        None,
        estimates(50, 40, 60),
        estimates(-1, 40, 60),
        estimates(0, 40, 60),
        estimates(40, 50, float("nan")),
        estimates(40, 50, float("inf")),
        estimates(40, 50, 60, use_case="movies"),
        estimates(40, 50, 60, estimator="rent"),
        estimates(40, 50, 60, estimates=[]),
        estimates(40, 50, 60, estimates=[{"item_id": "0", "minimum": 1, "optimal": 2, "maximum": 3}]),
        says(http(b"{}", status="503 Service Unavailable", kind="application/problem+json")),
        says(http(b"{}", status="404 Not Found", kind="application/problem+json")),
        says(http(b"{}", status="500 Internal Server Error")),
        says(http(b"<html>")),
        says(http(b"[" * 300_000)),
        waits(2.0),
    ],
    ids=lambda one: "nobody there" if one is None else "",
)
def test_a_service_that_is_away_late_or_wrong_leaves_it_to_the_rules_and_the_method_says_so(
    advised: Ask, behave: Behaviour | None
) -> None:
    found = advised(open_job(), cleaner_at(2), behave)
    assert (found.method, found.model_version) == ("rule_based", "")
    assert Decimal(0) < found.minimum <= found.optimal <= found.maximum


def test_a_missing_model_never_closes_the_service_to_the_lists(service_at: Point) -> None:
    job, cleaner = open_job(), cleaner_at(2)
    with FaultServer(says(http(b"{}", status="503 Service Unavailable", kind="application/problem+json"))) as server:
        client = service_at(server.url)
        for _ in range(8):
            assert suggest_bid(job, cleaner).method == "rule_based"
        assert not client.breaker("cleaning").is_open
        assert len(server.asked) == 8


def test_a_service_that_fails_again_and_again_is_left_alone(service_at: Point) -> None:
    job, cleaner = open_job(), cleaner_at(2)
    with FaultServer(says(http(b"{}", status="500 Internal Server Error"))) as server:
        client = service_at(server.url)
        for _ in range(8):
            suggest_bid(job, cleaner)
        assert client.breaker("cleaning").is_open
        assert len(server.asked) == 5


def test_amounts_of_next_to_nothing_are_a_bid_that_can_be_placed(advised: Ask) -> None:
    found = advised(open_job(), cleaner_at(2), estimates(0.0001, 0.2, 1e12))
    assert (found.minimum, found.optimal, found.maximum) == (LEAST, LEAST, MOST)


# --- what it is made of -----------------------------------------------------------------------------------------------


def test_what_it_was_made_of_is_kept(advised: Ask) -> None:
    cleaner, rival = cleaner_at(2), cleaner_at(3)
    marketplace.done(cleaner, posted=20, amount=60)  # €15 an hour, on the market and of their own
    marketplace.done(rival, posted=20, amount=100)  # €25
    lost = marketplace.make_job(posted=15)
    mine = marketplace.bid(lost, cleaner, 100)
    marketplace.hire(lost, marketplace.bid(lost, rival, 80))
    JobBid.objects.filter(pk=mine.pk).update(status=JobBid.Status.REJECTED)
    ScoringService().update_all_cleaner_scores()
    job = open_job(budget=Decimal(90))
    now = timezone.now() - timedelta(seconds=5)
    for amount, status in ((70, "pending"), (55.5, "pending"), (10, "withdrawn")):
        JobBid.objects.create(job=job, cleaner=cleaner_at(4), amount=Decimal(str(amount)), time=now, status=status)
    found = advised(job, cleaner)
    assert found.client_budget == Decimal(90)
    assert found.market_average == Decimal("80.00")  # (15 + 25 + 20) / 3 an hour, four hours
    assert found.cleaner_average == Decimal("80.00")  # €160 for eight hours
    assert found.win_rate is not None
    assert 0 < found.win_rate < 1
    assert (found.current_bid_count, found.lowest_bid) == (2, Decimal("55.50"))


def test_of_a_new_market_and_a_new_cleaner_nothing_is_made_up(advised: Ask) -> None:
    found = advised(open_job(budget=Decimal(80)), cleaner_at(2, rate=15))
    assert (found.market_average, found.cleaner_average, found.win_rate, found.lowest_bid) == (None, None, None, None)
    assert found.current_bid_count == 0
    assert found.optimal == Decimal("62.50")  # (0.7 * 60 + 0.1 * 80) / 0.8


# --- by rules ---------------------------------------------------------------------------------------------------------


def test_the_middle_is_the_weighted_mean_of_what_is_known() -> None:
    whole = by_rules(known(own=50.0, market=80.0, budget=100.0))
    assert whole.optimal == pytest.approx(0.7 * 50 + 0.2 * 80 + 0.1 * 100)
    assert (whole.minimum, whole.maximum) == pytest.approx((whole.optimal * (1 - SPREAD), whole.optimal * (1 + SPREAD)))
    assert by_rules(known(own=50.0, budget=100.0)).optimal == pytest.approx((0.7 * 50 + 0.1 * 100) / 0.8)


def test_a_new_cleaner_stands_by_what_they_ask() -> None:
    assert by_rules(known(asked=64.0)) == by_rules(known(own=64.0))


@pytest.mark.parametrize(("win_rate", "factor"), [(None, 1.0), (0.2, 1.0), (0.0, 0.9), (0.1, 0.95), (0.4, 1.1), (1.0, 1.1)])
def test_whoever_wins_more_than_usual_may_ask_more(win_rate: float | None, factor: float) -> None:
    assert by_rules(known(win_rate=win_rate)).optimal == pytest.approx(factor * by_rules(known()).optimal)


def test_a_lower_bid_draws_the_middle_a_quarter_of_the_way_and_a_higher_one_does_not() -> None:
    alone = by_rules(known()).optimal
    assert by_rules(known(lowest=alone - 20, bid_count=1)).optimal == pytest.approx(alone - 5)
    assert by_rules(known(lowest=alone + 20, bid_count=1)).optimal == pytest.approx(alone)


amounts = st.floats(0.01, 1e6)


@given(
    amounts, amounts, st.none() | amounts, st.none() | amounts, st.none() | st.floats(0, 1), st.none() | st.floats(0.01, 1e6)
)
def test_by_rules_too_the_three_are_in_order_and_above_0(
    budget: float, asked: float, own: float | None, market: float | None, win_rate: float | None, lowest: float | None
) -> None:
    found = by_rules(known(budget=budget, asked=asked, own=own, market=market, win_rate=win_rate, lowest=lowest))
    assert 0 < found.minimum <= found.optimal <= found.maximum


@given(st.floats(0, 1e13), st.floats(0, 1e13))
def test_cents_keep_the_order_and_stay_within_what_a_bid_may_be(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert LEAST <= money(low) <= money(high) <= MOST
    assert money(low) == money(low).quantize(Decimal("0.01"))


# --- when it is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [*CleaningJob.AGREED, *CleaningJob.OVER])
def test_a_job_that_takes_no_bids_is_refused_by_its_state(status: str, advised: Ask) -> None:
    with pytest.raises(InvalidInput, match=f"this job is {status} and takes no bids") as caught:
        advised(open_job(status=status), cleaner_at(2))
    assert caught.value.fields == {"/job": f"is {status}"}
    assert not BidSuggestion.objects.exists()


def test_whoever_bid_already_is_told_to_take_that_back_and_may_then_ask_again(advised: Ask) -> None:
    job, cleaner = open_job(), cleaner_at(2)
    mine = marketplace.bid(job, cleaner, 60)
    with pytest.raises(InvalidInput, match="you have bid for this job already"):
        advised(job, cleaner)
    JobBid.objects.filter(pk=mine.pk).update(status=JobBid.Status.WITHDRAWN)
    assert advised(job, cleaner).pk is not None


# --- what came of it --------------------------------------------------------------------------------------------------


@pytest.fixture
def job() -> CleaningJob:
    return open_job()


def advice(job: CleaningJob, cleaner: Cleaner, *, minutes_ago: float = 5) -> BidSuggestion:
    return BidSuggestion.objects.create(
        job=job,
        cleaner=cleaner,
        minimum=Decimal(40),
        optimal=Decimal(50),
        maximum=Decimal(60),
        method="neural",
        client_budget=job.budget,
        created_at=timezone.now() - timedelta(minutes=minutes_ago),
    )


def came_of(suggestion: BidSuggestion) -> tuple[Decimal | None, bool | None, bool | None]:
    suggestion.refresh_from_db()
    return suggestion.actual_bid, suggestion.was_used, suggestion.did_win


@pytest.mark.parametrize(("amount", "used"), [("39.99", False), ("40.00", True), ("60.00", True), ("60.01", False)])
def test_a_bid_within_the_advice_used_it(job: CleaningJob, amount: str, used: bool) -> None:
    suggestion = advice(job, cleaner_at(2))
    note_bid(JobBid.objects.create(job=job, cleaner=suggestion.cleaner, amount=Decimal(amount)))
    assert came_of(suggestion) == (Decimal(amount), used, None)


def test_only_the_newest_advice_of_that_pair_is_meant(job: CleaningJob) -> None:
    cleaner = cleaner_at(2)
    older, newer, of_another = advice(job, cleaner, minutes_ago=9), advice(job, cleaner), advice(job, cleaner_at(3))
    bid = JobBid.objects.create(job=job, cleaner=cleaner, amount=Decimal(50))
    note_bid(bid)
    marketplace.hire(job, bid)
    note_decision(job)
    assert came_of(newer) == (Decimal(50), True, True)
    assert came_of(older) == came_of(of_another) == (None, None, None)


def test_one_wins_the_others_lose_and_who_took_theirs_back_did_neither(job: CleaningJob) -> None:
    advised_ones = [advice(job, cleaner_at(km)) for km in (1, 2, 3)]
    bids = [JobBid.objects.create(job=job, cleaner=one.cleaner, amount=Decimal(50)) for one in advised_ones]
    marketplace.hire(job, bids[0])
    JobBid.objects.filter(pk=bids[2].pk).update(status=JobBid.Status.WITHDRAWN)
    note_decision(job)
    assert [came_of(one)[2] for one in advised_ones] == [True, False, None]


def test_noting_it_again_changes_nothing(job: CleaningJob) -> None:
    advised_ones = [advice(job, cleaner_at(km)) for km in (1, 2)]
    bids = [JobBid.objects.create(job=job, cleaner=one.cleaner, amount=Decimal(50)) for one in advised_ones]
    marketplace.hire(job, bids[0])
    note_decision(job)
    once = [came_of(one) for one in advised_ones]
    for bid in JobBid.objects.filter(job=job):
        note_bid(bid)
    note_decision(job)
    assert [came_of(one) for one in advised_ones] == once == [(Decimal(50), True, True), (Decimal(50), True, False)]


def test_of_a_job_cancelled_before_anybody_was_chosen_nobody_lost(job: CleaningJob) -> None:
    suggestion = advice(job, cleaner_at(2))
    JobBid.objects.create(job=job, cleaner=suggestion.cleaner, amount=Decimal(50), status=JobBid.Status.REJECTED)
    marketplace.end(job, "cancelled")
    note_decision(job)
    assert came_of(suggestion) == (Decimal(50), True, None)


def test_an_agreement_cancelled_later_was_won_all_the_same(job: CleaningJob) -> None:
    suggestion = advice(job, cleaner_at(2))
    bid = JobBid.objects.create(job=job, cleaner=suggestion.cleaner, amount=Decimal(50))
    marketplace.end(marketplace.hire(job, bid), "cancelled")
    note_decision(job)
    assert came_of(suggestion)[2] is True


def test_bids_that_nobody_was_advised_on_are_no_trouble(job: CleaningJob) -> None:
    bid = JobBid.objects.create(job=job, cleaner=cleaner_at(2), amount=Decimal(50))
    note_bid(bid)
    note_decision(marketplace.hire(job, bid))
    assert not BidSuggestion.objects.exists()


def test_a_decision_is_noted_in_as_many_queries_for_forty_bids_as_for_one(
    job: CleaningJob, django_assert_num_queries: Any
) -> None:
    for km in range(1, 41):
        suggestion = advice(job, cleaner_at(km / 10))
        bid = JobBid.objects.create(job=job, cleaner=suggestion.cleaner, amount=Decimal(50))
    marketplace.hire(job, bid)
    with django_assert_num_queries(3):
        note_decision(job)
