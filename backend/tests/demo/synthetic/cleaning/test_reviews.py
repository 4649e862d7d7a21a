"""What clients say: within the stated range of the tier, sub-ratings within one of it."""

from itertools import pairwise

import numpy as np
import pytest

from demo.synthetic.cleaning.market import Market
from sites.cleaning.models import CleaningJob

TIMELINESS = 3


def tier_of(market: Market) -> np.ndarray:
    """(reviews,) tier of the reviewed cleaner."""
    return np.asarray(market.cleaners.tier[market.bids.cleaner[market.course.winner[market.reviews.job]]])


def test_most_but_not_all_completed_jobs_are_reviewed_once_and_no_others(market: Market) -> None:
    done = market.course.has(CleaningJob.Status.COMPLETED)
    assert np.unique(market.reviews.job).size == market.reviews.job.size
    assert done[market.reviews.job].all()
    assert market.reviews.job.size / done.sum() == pytest.approx(0.92, abs=0.015)


@pytest.mark.parametrize(("tier", "least", "most"), [(0, 9, 10), (1, 7, 9), (2, 6, 8), (3, 5, 7)])
def test_the_overall_mark_lies_in_the_range_of_the_tier_and_fills_it(market: Market, tier: int, least: int, most: int) -> None:
    marks = market.reviews.overall[tier_of(market) == tier]
    shares = np.bincount(marks, minlength=11)[least : most + 1] / marks.size
    assert set(marks.tolist()) == set(range(least, most + 1))
    assert shares.min() > 0.08


def test_premium_cleaners_have_high_sub_ratings_and_every_tier_lower_ones(market: Market) -> None:
    tier = tier_of(market)
    means = [market.reviews.marks[tier == one].mean(axis=0) for one in range(4)]
    assert means[0].min() > 9
    assert all(np.all(better > worse + 0.5) for better, worse in pairwise(means))


def test_sub_ratings_vary_by_at_most_one(market: Market) -> None:
    off = market.reviews.marks - market.reviews.overall[:, None]
    assert (off.min(), off.max()) == (-1, 1)
    assert np.bincount((off + 1).ravel()).min() / off.size > 0.1
    assert market.reviews.marks.min() >= 1
    assert market.reviews.marks.max() <= 10


def test_being_late_costs_marks_most_of_all_for_timeliness(market: Market) -> None:
    off = market.reviews.marks - market.reviews.overall[:, None]
    late = ~market.course.on_time[market.reviews.job]
    assert off[late, TIMELINESS].mean() < off[~late, TIMELINESS].mean() - 0.4
    tier = tier_of(market)
    for one in (1, 2, 3):
        overall = market.reviews.overall
        assert overall[late & (tier == one)].mean() < overall[~late & (tier == one)].mean() - 0.1


def test_within_a_tier_the_more_skilled_get_better_marks(market: Market) -> None:
    cleaner, tier = market.bids.cleaner[market.course.winner[market.reviews.job]], tier_of(market)
    for one in range(4):
        of_tier = tier == one
        assert np.corrcoef(market.cleaners.skill[cleaner[of_tier]], market.reviews.overall[of_tier])[0, 1] > 0.25


def test_reviews_come_within_days_of_the_work_in_order_and_before_the_end(market: Market) -> None:
    days = (market.reviews.time - market.course.ended[market.reviews.job]) / 86_400
    assert 0 < days.min() < days.max() <= 12
    assert np.median(days) < 1.5
    assert np.all(np.diff(market.reviews.time) >= 0)
    assert market.reviews.time.max() <= market.sizes.until
