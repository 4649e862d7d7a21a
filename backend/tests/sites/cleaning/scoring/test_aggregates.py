"""What counts, and from when on."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from sites.cleaning.models import Cleaner, Payment, Review
from sites.cleaning.scoring.aggregates import Tallies, damaged_cleaners, market_tallies, tallies_now
from tests.sites.cleaning.marketplace import NOW, bid, busy_market, done, end, hire, make_cleaner, make_job, pay

pytestmark = pytest.mark.django_db


def of(cleaner: Cleaner) -> Tallies:
    return tallies_now(np.array([cleaner.pk]), NOW)


def test_what_was_never_counted_is_nought(cleaner: Cleaner) -> None:
    assert of(cleaner)["completed"].tolist() == [0]
    assert of(cleaner)["no such word"].tolist() == [0]


def test_a_job_done_counts_once_in_everything(cleaner: Cleaner) -> None:
    done(cleaner, posted=10, amount=60, mark=9, kind="house")
    found = of(cleaner)
    jobs = ("completed", "timed", "on_time", "with_photos", "kind_house", "jobs_30", "jobs_90", "taken", "over")
    others = ("reviews", "bids", "bids_90", "decided", "won")
    assert {name: found[name].item() for name in (*jobs, *others)} == dict.fromkeys((*jobs, *others), 1.0)
    assert (found["marks_quality"].tolist(), found["amounts"].tolist(), found["earned"].tolist()) == ([9], [60], [54])


def test_only_what_came_to_an_end_ends(cleaner: Cleaner) -> None:
    job = make_job()
    hire(job, bid(job, cleaner))
    found = of(cleaner)
    assert (found["taken"].tolist(), found["over"].tolist(), found["completed"].tolist()) == ([1], [0], [0])


def test_a_job_over_without_an_end_says_nothing(cleaner: Cleaner) -> None:
    job = make_job()
    hire(job, bid(job, cleaner))
    job.status = "completed"
    job.save()
    assert (of(cleaner)["taken"].tolist(), of(cleaner)["completed"].tolist()) == ([0], [0])


def test_bids_are_decided_by_the_clients_choice_and_one_taken_back_is_not(cleaner: Cleaner) -> None:
    rival, away = make_cleaner(), make_cleaner()
    job = make_job()
    winner = bid(job, cleaner)
    bid(job, rival)
    gone = bid(job, away)
    hire(job, winner)
    gone.status = "withdrawn"
    gone.save()
    told = {who.pk: (of(who)["decided"].tolist(), of(who)["won"].tolist()) for who in (cleaner, rival, away)}
    assert told == {cleaner.pk: ([1], [1]), rival.pk: ([1], [0]), away.pk: ([0], [0])}


def test_a_bid_on_a_job_that_nobody_got_is_not_lost(cleaner: Cleaner) -> None:
    job = make_job()
    bid(job, cleaner, status="rejected")
    end(job, "cancelled")
    assert of(cleaner)["decided"].tolist() == [0]


def test_only_captured_payments_are_earned(cleaner: Cleaner) -> None:
    for status in Payment.Status.values:
        job = make_job()
        end(hire(job, bid(job, cleaner)))
        pay(job, 100, status=status)
    assert of(cleaner)["earned"].tolist() == [90]


def test_what_happens_at_the_very_moment_is_not_known_yet(cleaner: Cleaner) -> None:
    done(cleaner)
    moment = Review.objects.get().time
    key = np.array([cleaner.pk])
    assert tallies_now(key, moment)["reviews"].tolist() == [0]
    assert tallies_now(key, moment + timedelta(microseconds=1))["reviews"].tolist() == [1]


@pytest.mark.parametrize("everybody", [True, False])
def test_cleaners_come_back_in_the_order_asked_however_they_are_read(everybody: bool) -> None:
    people = busy_market(seed=2)[:2:-1]
    found = tallies_now(np.array([one.pk for one in people]), NOW, everybody=everybody)
    for row, one in enumerate(people):
        assert found["bids"][row] == one.bids.count()


def test_the_market_is_the_sum_of_everybody() -> None:
    people = busy_market(seed=1)
    market, total = market_tallies(NOW), tallies_now(np.array([one.pk for one in people]), NOW).total()
    assert set(market.sums) == set(total.sums)
    for name in market.sums:
        assert market[name][0] == pytest.approx(total[name][0]), name


def test_queries_are_one_a_source(cleaner: Cleaner, django_assert_num_queries: Any) -> None:
    done(cleaner)
    with django_assert_num_queries(6):
        of(cleaner)
    with django_assert_num_queries(6):
        market_tallies(NOW)


def test_nobody_is_named_where_nothing_is_damaged(cleaner: Cleaner) -> None:
    done(cleaner)
    assert damaged_cleaners() == {}


def test_who_has_damaged_rows_is_named_with_the_first_table(cleaner: Cleaner) -> None:
    done(cleaner)
    Review.objects.update(timeliness=0)
    Payment.objects.update(payout=-1, platform_fee=61)
    assert damaged_cleaners() == {cleaner.pk: "reviews"}
