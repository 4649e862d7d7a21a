"""What the market said of a job: what such work costs an hour, who bid, and how low."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from sites.cleaning.models import Cleaner, CleaningJob, JobBid
from sites.cleaning.scoring.market_rates import RATES_KEY, market_as_of, market_now, market_rates
from tandem.cache import put
from tests.sites.cleaning.marketplace import NOW, ago, bid, busy_market, hire, make_cleaner, make_job
from tests.support.caching import cache

pytestmark = pytest.mark.django_db


def asked(jobs: list[CleaningJob], *moments: datetime) -> dict[str, list[float]]:
    """All at one moment, or each at its own."""
    ids, kinds = np.array([job.pk for job in jobs]), np.array([job.place.kind for job in jobs])
    found = market_as_of(ids, kinds, np.broadcast_to(np.array([moment.timestamp() for moment in moments]), ids.shape))
    return {name: column.tolist() for name, column in found.items()}


def given_away(cleaner: Cleaner, amount: float, hours: float, *, accepted: float, kind: str = "house") -> CleaningJob:
    job = make_job(posted=accepted + 1, kind=kind, hours=Decimal(str(hours)))
    return hire(job, bid(job, cleaner, amount))


def test_the_rate_is_the_mean_of_accepted_bids_an_hour_for_that_kind(cleaner: Cleaner) -> None:
    given_away(cleaner, 40, 4, accepted=10)
    given_away(cleaner, 60, 2, accepted=80)
    given_away(cleaner, 500, 1, accepted=5, kind="villa")
    job, other = make_job(kind="house"), make_job(kind="office")
    told = asked([job, other], NOW)["market_rate"]
    assert told[0] == 20
    assert np.isnan(told[1])


def test_the_rate_is_of_the_ninety_days_before_and_of_nothing_later(cleaner: Cleaner) -> None:
    given_away(cleaner, 40, 4, accepted=100)
    given_away(cleaner, 80, 4, accepted=20)
    job = make_job(kind="house")
    rates = [asked([job], ago(days))["market_rate"][0] for days in (101, 99, 19, 9, -80)]
    assert np.isnan(rates[0])
    assert rates[1:3] == [10, 15]
    assert rates[3] == 20
    assert np.isnan(rates[4])


def test_bids_count_from_the_moment_after_they_are_placed() -> None:
    job = make_job(posted=10)
    for after, amount in ((1, 50), (2, 70), (3, 45)):
        bid(job, make_cleaner(), amount, after=after)
    seen = [asked([job], ago(days)) for days in (10, 9, 8.5, 7.5, 6.5)]
    assert [told["bid_count"][0] for told in seen] == [0, 0, 1, 2, 3]
    assert [told["lowest_bid"][0] for told in seen][2:] == [50, 50, 45]
    assert np.isnan([told["lowest_bid"][0] for told in seen][:2]).all()


def test_a_bid_taken_back_or_impossible_counts_for_nothing() -> None:
    job = make_job()
    bid(job, make_cleaner(), 10, status="withdrawn")
    bid(job, make_cleaner(), 60)
    wrong = bid(job, make_cleaner(), 5)
    JobBid.objects.filter(pk=wrong.pk).update(amount=-5)
    told = asked([job], NOW)
    assert (told["bid_count"], told["lowest_bid"]) == ([1], [60])


@pytest.mark.parametrize("seed", range(3))
def test_it_equals_loops_over_the_rows(seed: int) -> None:
    busy_market(seed=40 + seed)
    rng = np.random.default_rng(seed)
    jobs = list(CleaningJob.objects.select_related("place", "accepted_bid"))
    exactly = [each.time for each in JobBid.objects.order_by("pk")[:3]]
    for _ in range(5):
        moments = [ago(float(rng.uniform(-10, 310))) for _ in jobs[len(exactly) :]] + exactly  # each job at its own
        told = asked(jobs, *moments)
        for row, (job, moment) in enumerate(zip(jobs, moments, strict=True)):
            amounts = [float(one.amount) for one in job.bids.exclude(status="withdrawn") if one.time < moment]
            assert told["bid_count"][row] == len(amounts)
            assert told["lowest_bid"][row] == pytest.approx(min(amounts, default=np.nan), nan_ok=True)
            rates = [rate for rate in (_rate_of(one, job.place.kind, moment) for one in jobs) if rate is not None]
            assert told["market_rate"][row] == pytest.approx(np.mean(rates) if rates else np.nan, rel=1e-5, nan_ok=True)


def _rate_of(job: CleaningJob, kind: str, moment: datetime) -> float | None:
    if job.accepted_bid is None or job.accepted_at is None or job.place.kind != kind or not job.accepted_at < moment:
        return None
    recent = (moment - job.accepted_at).total_seconds() <= 90 * 86_400
    return float(job.accepted_bid.amount / job.hours) if recent else None


def test_now_is_as_of_now() -> None:
    busy_market(seed=7, days=60)
    jobs = list(CleaningJob.objects.select_related("place"))
    ids, kinds = np.array([job.pk for job in jobs]), np.array([job.place.kind for job in jobs])
    market_rates(NOW)  # kept, so that both look at the same moment
    now, then = market_now(ids, kinds), market_as_of(ids, kinds, np.full(ids.size, NOW.timestamp()))
    np.testing.assert_allclose(now["market_rate"], then["market_rate"], rtol=1e-6)
    later = NOW.timestamp() + 400 * 86_400
    settled = market_as_of(ids, kinds, np.full(ids.size, later))
    assert now["bid_count"].shape == settled["bid_count"].shape


def test_rates_are_kept_and_then_worked_out_anew(cleaner: Cleaner, django_assert_num_queries: Any) -> None:
    given_away(cleaner, 40, 4, accepted=10)
    assert market_rates(NOW) == {"house": 10}
    given_away(cleaner, 80, 4, accepted=10)
    with django_assert_num_queries(0):
        assert market_rates(NOW) == {"house": 10}
    cache.clear()
    assert market_rates(NOW) == {"house": 15}


@pytest.mark.parametrize("garbage", ["rates", {"house": "dear"}, {"house": -3.0}, [1.0]])
def test_garbage_in_the_cache_is_not_believed(garbage: object, cleaner: Cleaner) -> None:
    given_away(cleaner, 40, 4, accepted=10)
    put(RATES_KEY, garbage, 60)
    assert market_rates(NOW) == {"house": 10}


@pytest.mark.parametrize("count", [1, 9])
def test_two_queries_however_many_jobs(count: int, cleaner: Cleaner, django_assert_num_queries: Any) -> None:
    jobs = [given_away(cleaner, 40, 4, accepted=10) for _ in range(count)]
    with django_assert_num_queries(2):
        asked(jobs, NOW)
