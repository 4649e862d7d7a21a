"""What was known of cleaners at any moment: as much as ScoringService gave then, and nothing from later."""

import itertools
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from django.db.models import Q

from sites.cleaning.models import Cleaner, CleanerScore, CleaningJob, JobBid, Payment, Review
from sites.cleaning.scoring.cleaner_state import COLUMNS, NEVER_UNKNOWN, as_of, standings_as_of
from sites.cleaning.scoring.service import ScoringService, days_since
from tests.sites.cleaning.marketplace import NOW, ago, bid, busy_market, done, hire, make_cleaner, make_job, review

pytestmark = pytest.mark.django_db

Told = dict[str, Any]


def told_of(people: list[Cleaner], moment: datetime) -> Told:
    """Every column of everybody at one moment."""
    ids = np.array([one.pk for one in people])
    numbers, text_columns = standings_as_of(ids, np.full(ids.size, moment.timestamp()))
    return {
        **{name: column.tolist() for name, column in numbers.items()},
        **{name: w.tolist() for name, w in text_columns.items()},
    }


def same(first: Told, second: Told) -> bool:
    return repr(first) == repr(second)  # NaN is NaN


def interesting_moments() -> list[datetime]:
    """In the middle, before and after everything, and exactly when something happened."""
    exactly = list(Review.objects.order_by("pk").values_list("time", flat=True)[:2])
    exactly += list(CleaningJob.objects.filter(ended_at__isnull=False).order_by("pk").values_list("ended_at", flat=True)[:2])
    exactly += list(JobBid.objects.order_by("-pk").values_list("time", flat=True)[:2])
    return [ago(500), ago(200.5), ago(90), ago(33.3), NOW, ago(-30), *exactly]


@pytest.mark.parametrize("seed", range(3))
def test_as_of_a_moment_equals_the_scores_that_were_given_then(seed: int) -> None:
    people = busy_market(seed=seed)
    ids = np.array([one.pk for one in people])
    for moment in interesting_moments():
        ScoringService().update_all_cleaner_scores(now=moment)
        rows = CleanerScore.objects.in_bulk()
        seconds = np.full(ids.size, moment.timestamp())
        found = as_of(ids, seconds, days_since([one.joined for one in people], seconds))
        for name, column in found.numbers.items():
            given = [getattr(rows[key], name) for key in ids.tolist()]
            known = np.array([np.nan if value is None else value for value in given])
            np.testing.assert_allclose(column, known, rtol=1e-9, atol=1e-9, err_msg=f"{name} at {moment}")
        assert found.kinds.tolist() == [rows[key].primary_property_type for key in ids.tolist()]
        assert found.is_active.tolist() == [rows[key].is_active for key in ids.tolist()]


@pytest.mark.parametrize("seed", range(3))
def test_as_of_a_moment_equals_a_count_of_the_rows_before_it(seed: int) -> None:
    people = busy_market(seed=10 + seed)
    for moment in interesting_moments():
        told = told_of(people, moment)
        for row, one in enumerate(people):
            for name, value in counted_by_hand(one, moment).items():
                wanted = value if isinstance(value, str) else pytest.approx(value, rel=1e-5, nan_ok=True)
                assert told[name][row] == wanted, (name, one.pk, moment)


def counted_by_hand(one: Cleaner, moment: datetime) -> Told:
    """In plain loops over the rows."""
    marks = [mark.overall for mark in Review.objects.filter(cleaner=one) if mark.time < moment]
    jobs = list(CleaningJob.objects.filter(cleaner=one).select_related("place"))
    over = [job for job in jobs if job.ended_at and job.ended_at < moment]
    completed = [job for job in over if job.status == "completed"]
    own = [job for job in over if job.status != "cancelled" or job.cancelled_by_cleaner]
    bids = [each for each in JobBid.objects.filter(cleaner=one).select_related("job") if each.time < moment]
    decided = [each for each in bids if each.status != "withdrawn" and each.job.accepted_at and each.job.accepted_at < moment]
    paid = [each.payout for each in Payment.objects.filter(job__cleaner=one, status="succeeded") if each.time < moment]
    ahead = [job for job in jobs if job.accepted_at < moment and not (job.ended_at and job.ended_at < moment)]
    kinds = [job.place.kind for job in completed]
    timed = [job.was_on_time for job in over if job.was_on_time is not None]
    month = [job for job in completed if (moment - job.ended_at).total_seconds() <= 30 * 86_400]
    hours = sum(each.job.hours for each in bids)
    return {
        "review_count": len(marks),
        "average_rating": np.mean(marks) if marks else np.nan,
        "total_jobs": len(completed),
        "completion_rate": len(completed) / len(own) if own else np.nan,
        "on_time_rate": np.mean(timed) if timed else np.nan,
        "photo_rate": np.mean([job.photos > 0 for job in completed]) if completed else np.nan,
        "bid_count_all": len(bids),
        "win_rate": np.mean([each.status == "accepted" for each in decided]) if decided else np.nan,
        "usual_rate": float(sum(each.amount for each in bids) / hours) if bids else float(one.hourly_rate),
        "total_earnings": float(sum(paid)),
        "jobs_30_days": len(month),
        "jobs_ahead": len(ahead),
        "eco_percentage": 100 * np.mean([job.eco_friendly for job in completed]) if completed else np.nan,
        "primary_property_type": max(sorted(set(kinds), key=KINDS.index), key=kinds.count, default=""),
    }


KINDS = ["apartment", "house", "villa", "office", "holiday_let"]


@pytest.mark.parametrize("seed", range(4))
def test_nothing_from_later_changes_what_was_known_before(seed: int) -> None:
    """The marketplace is taken back to a moment: what was to come is gone, and what was known then is the same."""
    people = busy_market(seed=20 + seed)
    moment = ago([150.0, 90.25, 40.5, 10.0][seed])
    before = told_of(people, moment)
    assert not same(before, told_of(people, NOW))  # something did happen since
    _take_back_to(moment)
    assert same(told_of(people, moment), before)


def _take_back_to(moment: datetime) -> None:
    Review.objects.filter(time__gte=moment).delete()
    Payment.objects.filter(time__gte=moment).delete()
    CleaningJob.objects.filter(ended_at__gte=moment).update(
        status="accepted", ended_at=None, was_on_time=None, photos=0, cancelled_by_cleaner=False
    )
    undecided = CleaningJob.objects.filter(Q(accepted_at__gte=moment) | Q(accepted_at=None))
    JobBid.objects.filter(job__in=undecided).exclude(status="withdrawn").update(status="pending")
    undecided.update(status="bidding", cleaner=None, accepted_bid=None, accepted_at=None)
    JobBid.objects.filter(time__gte=moment).delete()
    CleaningJob.objects.filter(posted_at__gte=moment).delete()


def test_a_job_says_nothing_of_itself_when_it_was_posted(cleaner: Cleaner) -> None:
    """The no-leak test: neither its bids, nor its winner, nor its payment, nor its review are in its own features."""
    done(cleaner, posted=60, mark=7)
    job = make_job(posted=10)
    without = told_of([cleaner], job.posted_at)
    hire(job, bid(job, cleaner, 99, after=0))  # at the very moment of posting
    job.status, job.ended_at = "completed", job.posted_at
    job.save()
    marked = review(job, 1, after=0)
    assert same(told_of([cleaner], job.posted_at), without)
    marked.overall = 10
    marked.save()
    assert same(told_of([cleaner], job.posted_at), without)
    assert told_of([cleaner], NOW)["review_count"] == [2]


def test_somebody_elses_later_review_does_not_move_the_market_of_before(cleaner: Cleaner) -> None:
    done(cleaner, posted=60)
    before = told_of([cleaner], ago(30))
    done(make_cleaner(), posted=20, mark=1)
    assert same(told_of([cleaner], ago(30)), before)
    assert not same(told_of([cleaner], NOW)["overall_score"], before["overall_score"])


def test_who_had_not_bid_asks_their_own_rate() -> None:
    one = make_cleaner(hourly_rate=21)
    bid(make_job(posted=5), one, 40, after=0)
    assert told_of([one], ago(6))["usual_rate"] == [21]
    assert told_of([one], NOW)["usual_rate"] == [10]


def test_nothing_known_is_nan_and_counts_are_nought(cleaner: Cleaner) -> None:
    told = told_of([cleaner], NOW)
    unknown = {name for name in COLUMNS if np.isnan(told[name][0])}
    assert [told[name] for name in NEVER_UNKNOWN] == [[0.0]] * len(NEVER_UNKNOWN)
    assert unknown == set(COLUMNS) - set(NEVER_UNKNOWN) - {"overall_score", "usual_rate"}
    assert told["primary_property_type"] == [""]


def test_rows_come_back_in_the_order_they_were_asked_in() -> None:
    people = busy_market(seed=3)
    rng = np.random.default_rng(3)
    wanted = [(people[int(rng.integers(len(people)))], ago(float(rng.uniform(0, 300)))) for _ in range(40)]
    ids, moments = np.array([one.pk for one, _ in wanted]), np.array([moment.timestamp() for _, moment in wanted])
    numbers, text_columns = standings_as_of(ids, moments)
    for row, (one, moment) in enumerate(wanted):
        alone = told_of([one], moment)
        for name, column in itertools.chain(numbers.items(), text_columns.items()):
            assert repr(column[row : row + 1].tolist()) == repr(alone[name]), name


@pytest.mark.parametrize("times", [1, 50])
def test_the_number_of_queries_does_not_grow(times: int, cleaner: Cleaner, django_assert_num_queries: Any) -> None:
    done(cleaner)
    ids = np.full(times, cleaner.pk)
    with django_assert_num_queries(7):  # cleaners and six sources
        standings_as_of(ids, np.linspace(ago(30).timestamp(), NOW.timestamp(), times))


def test_damaged_rows_count_for_nobody(cleaner: Cleaner) -> None:
    done(cleaner, posted=30, mark=8)
    before = told_of([cleaner], NOW)
    job = done(make_cleaner(), posted=20, mark=8)
    Review.objects.filter(job=job).update(overall=200)
    JobBid.objects.filter(job=job).update(amount=-100)
    after = told_of([cleaner], NOW)
    assert (after["quality_score"], after["average_rating"]) == (before["quality_score"], before["average_rating"])
