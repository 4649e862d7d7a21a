"""Each part of a cleaner's score by itself, from tallies that a test makes up."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from sites.cleaning.scoring import service
from sites.cleaning.scoring.aggregates import MARKS, Tallies
from sites.cleaning.scoring.service import WEIGHTS, ScoringService
from tests.sites.cleaning.marketplace import NOW, ago

SERVICE = ScoringService()
NOTHING = Tallies(1)
LONG = np.full(1, 400.0)  # days here


def reviewed(count: float, mark: float, **marks: float) -> Tallies:
    told = {**dict.fromkeys(MARKS, mark), **marks}
    return Tallies.of(reviews=count, **{f"marks_{name}": count * value for name, value in told.items()})


def one(points: np.ndarray[Any, Any]) -> float:
    (value,) = points.tolist()
    assert 0 <= value <= 100
    return float(value)


def test_the_five_weights_are_the_whole() -> None:
    assert WEIGHTS == {"quality": 0.30, "reliability": 0.25, "experience": 0.20, "bidding": 0.15, "activity": 0.10}
    assert sum(WEIGHTS.values()) == pytest.approx(1.0)
    assert SERVICE.weights == WEIGHTS


@pytest.mark.parametrize(
    "inner", ["OF_QUALITY", "OF_RELIABILITY", "OF_EXPERIENCE", "OF_BIDDING", "OF_ACTIVITY"], ids=lambda name: name[3:].lower()
)
def test_what_a_part_is_made_of_is_the_whole_of_it(inner: str) -> None:
    assert sum(getattr(service, inner).values()) == pytest.approx(1.0)


# quality


def test_quality_follows_the_marks() -> None:
    marks = [one(SERVICE.quality(reviewed(1000, mark), NOTHING)) for mark in (3, 6, 9)]
    assert marks == pytest.approx([30, 60, 90], abs=0.5)


@pytest.mark.parametrize("mark", MARKS)
def test_every_mark_counts_in_quality(mark: str) -> None:
    assert one(SERVICE.quality(reviewed(20, 7, **{mark: 9}), NOTHING)) > one(SERVICE.quality(reviewed(20, 7), NOTHING))


@pytest.mark.parametrize("usual", [5.0, 7.5, 9.0])
def test_one_ten_does_not_beat_a_hundred_nines(usual: float) -> None:
    market = reviewed(5000, usual)
    lucky, proven = SERVICE.quality(reviewed(1, 10), market), SERVICE.quality(reviewed(100, 9), market)
    # where everybody gets 9, a hundred nines say no more than that somebody is like everybody
    assert one(lucky) < one(proven) or usual >= 9


def test_one_ten_does_not_beat_a_hundred_nines_where_there_is_nobody_else() -> None:
    lucky, proven = reviewed(1, 10), reviewed(100, 9)
    market = Tallies(1, {name: lucky[name] + proven[name] for name in lucky.sums})
    assert one(SERVICE.quality(lucky, market)) < one(SERVICE.quality(proven, market))


def test_without_reviews_quality_is_the_markets() -> None:
    market = reviewed(100_000, 8.5)
    assert one(SERVICE.quality(NOTHING, market)) == pytest.approx(85, abs=0.1)
    assert one(SERVICE.quality(NOTHING, NOTHING)) == 75  # nobody was reviewed yet: the first guess


# reliability


def worked(**counts: float) -> Tallies:
    return Tallies.of(**{"completed": 40, "timed": 40, "on_time": 36, "with_photos": 20, **counts})


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({}, {"failed": 10}),
        ({}, {"cancelled": 10}),
        ({"on_time": 40}, {"on_time": 20}),
        ({"with_photos": 40}, {"with_photos": 0}),
    ],
    ids=["completes", "does not cancel", "is on time", "takes photos"],
)
def test_who_is_more_reliable_has_more_points(better: dict[str, float], worse: dict[str, float]) -> None:
    assert one(SERVICE.reliability(worked(**better), NOTHING)) > one(SERVICE.reliability(worked(**worse), NOTHING))


def test_to_cancel_is_worse_than_to_fail() -> None:
    assert one(SERVICE.reliability(worked(cancelled=10), NOTHING)) < one(SERVICE.reliability(worked(failed=10), NOTHING))


def test_reliability_is_the_whole_for_a_flawless_past() -> None:
    flawless = worked(completed=10_000, timed=10_000, on_time=10_000, with_photos=10_000)
    assert one(SERVICE.reliability(flawless, NOTHING)) == pytest.approx(100, abs=0.1)


def test_one_good_job_does_not_beat_a_hundred() -> None:
    market = worked(completed=4000, timed=4000, on_time=3400, with_photos=2000, failed=300, cancelled=100)
    single = worked(completed=1, timed=1, on_time=1, with_photos=1)
    many = worked(completed=98, timed=98, on_time=95, with_photos=90, failed=2)
    assert one(SERVICE.reliability(single, market)) < one(SERVICE.reliability(many, market))


# experience


def test_experience_grows_with_the_logarithm_of_jobs() -> None:
    none, ten, hundred, more = (one(SERVICE.experience(Tallies.of(completed=jobs))) for jobs in (0, 10, 110, 5000))
    assert none == 0
    assert ten - none > hundred - ten > 0
    assert more == pytest.approx(70)


def test_experience_grows_with_earnings_up_to_a_point() -> None:
    earned = [one(SERVICE.experience(Tallies.of(completed=50, earned=euros))) for euros in (0, 5_000, 10_000, 90_000)]
    assert earned[1] - earned[0] == pytest.approx(15)
    assert earned[2] - earned[0] == pytest.approx(30)
    assert earned[3] == earned[2]


# bidding


def offered(count: float, won: float, rate: float) -> Tallies:
    return Tallies.of(bids=count, decided=count, won=won, hours=4 * count, amounts=4 * count * rate)


MARKET = offered(5000, 1000, 15)


def test_who_wins_more_bids_has_more_points() -> None:
    rates = [one(SERVICE.bidding(offered(100, won, 15), MARKET)) for won in (0, 10, 25, 50)]
    assert rates == sorted(rates)
    assert len(set(rates)) == 4


def test_who_asks_less_an_hour_has_more_points() -> None:
    dear, usual, cheap = (one(SERVICE.bidding(offered(100, 20, rate), MARKET)) for rate in (25, 15, 9))
    assert dear < usual < cheap


def test_bids_for_large_homes_are_not_called_dear() -> None:
    small = Tallies.of(bids=50, decided=50, won=10, hours=100, amounts=1500)
    large = Tallies.of(bids=50, decided=50, won=10, hours=800, amounts=12_000)
    assert one(SERVICE.bidding(small, MARKET)) == pytest.approx(one(SERVICE.bidding(large, MARKET)), abs=0.5)


def test_one_bid_won_does_not_beat_half_of_a_hundred() -> None:
    assert one(SERVICE.bidding(offered(1, 1, 15), MARKET)) < one(SERVICE.bidding(offered(100, 50, 15), MARKET))


# activity


def test_activity_counts_the_last_30_and_90_days() -> None:
    idle, lately, long = (
        one(SERVICE.activity(Tallies.of(jobs_30=month, jobs_90=quarter), LONG)) for month, quarter in ((0, 0), (4, 4), (4, 12))
    )
    assert (idle, lately) == (0, pytest.approx(30 + 40 / 6))
    assert long > lately


def test_activity_of_somebody_new_is_neutral_and_may_be_more() -> None:
    new = np.array([29.0])
    assert one(SERVICE.activity(NOTHING, new)) == 50
    assert one(SERVICE.activity(Tallies.of(jobs_30=8, jobs_90=8), new)) > 70


# overall


def test_the_overall_is_the_weighted_sum() -> None:
    parts = {name: np.array([points]) for name, points in zip(WEIGHTS, (90.0, 80.0, 70.0, 60.0, 50.0), strict=True)}
    assert one(SERVICE.overall(parts)) == pytest.approx(0.3 * 90 + 0.25 * 80 + 0.2 * 70 + 0.15 * 60 + 0.1 * 50)


def test_points_are_always_between_0_and_100() -> None:
    rng = np.random.default_rng(4)
    n = 2000
    counts = rng.integers(0, 300, n).astype(float)
    own = Tallies(
        n,
        {
            "reviews": counts,
            **{f"marks_{mark}": counts * rng.uniform(1, 10, n) for mark in MARKS},
            "completed": counts,
            **{name: rng.integers(0, 50, n).astype(float) for name in ("cancelled", "failed", "jobs_30", "jobs_90")},
            **{name: np.floor(counts * rng.uniform(0, 1, n)) for name in ("timed", "with_photos", "won")},
            "decided": counts,
            "hours": 3 * counts,
            "amounts": counts * rng.uniform(0.1, 1e5, n),
            "earned": rng.uniform(0, 1e7, n),
        },
    )
    own = Tallies(n, {**own.sums, "on_time": np.floor(own["timed"] / 2)})
    assert SERVICE.stand(own, own.total(), rng.uniform(-5, 500, n)).sound().all()


def test_days_here_are_counted_from_the_beginning_of_the_day_they_joined() -> None:
    moment = np.array([ago(0).timestamp()])
    days = service.days_since([(NOW - timedelta(days=3)).date()], moment)
    assert days.tolist() == [3.5]
