"""The life of a job: every step in order, nine of ten completed, and cut off at the end."""

import numpy as np
import pytest

from demo.synthetic.cleaning.job_outcomes import run
from demo.synthetic.cleaning.market import Market
from sites.cleaning.models import CleaningJob

Status = CleaningJob.Status
DAY_S = 86_400
YEAR_S = 365 * DAY_S


def hired_tier(market: Market) -> np.ndarray:
    """(jobs,) tier of the hired cleaner, -1 where there is none."""
    course = market.course
    return np.where(course.winner >= 0, market.cleaners.tier[market.bids.cleaner[course.winner]], -1)


def test_nine_of_ten_that_are_over_were_completed(market: Market) -> None:
    over = market.course.has(*CleaningJob.OVER)
    assert over.sum() > 4500
    assert market.course.has(Status.COMPLETED)[over].mean() == pytest.approx(0.90, abs=0.01)
    assert market.course.has(Status.CANCELLED).sum() > 2 * market.course.has(Status.FAILED).sum() > 0


def test_of_whole_lives_exactly_nine_of_ten_are_completed(market: Market) -> None:
    winner = np.where(market.course.winner >= 0, market.course.winner, market.bids.start[:-1])
    rng = np.random.default_rng(1)
    course = run(rng, market.jobs, market.bids, winner, market.cleaners, market.sizes.until + YEAR_S)
    assert course.has(Status.COMPLETED).sum() == 4500
    assert course.has(Status.CANCELLED).sum() + course.has(Status.FAILED).sum() == 500


def test_the_newest_jobs_are_on_every_step_of_the_way(market: Market) -> None:
    for status in (Status.OPEN, Status.BIDDING, Status.ACCEPTED, Status.CONFIRMED):
        assert market.course.has(status).any(), status
    assert market.course.has(*CleaningJob.OFFERED).sum() >= 80
    recent = market.jobs.posted > market.sizes.until - 30 * DAY_S
    assert not market.course.has(*CleaningJob.OFFERED)[~recent].any()


def test_moments_are_in_the_order_of_the_life_cycle(market: Market) -> None:
    course, bids = market.course, market.bids
    last_bid = bids.time[bids.start[1:] - 1]
    hired = course.winner >= 0
    assert np.all(course.accepted[hired] > last_bid[hired])
    assert np.all(last_bid >= bids.time[bids.start[:-1]])
    confirmed = ~np.isnan(course.confirmed)
    assert np.all(course.confirmed[confirmed] > course.accepted[confirmed])
    assert np.all(course.confirmed[confirmed] < course.wanted_for[confirmed])
    done = course.has(Status.COMPLETED)
    assert np.all(course.ended[done] >= course.wanted_for[done] + market.jobs.hours[done] * 3600)
    assert np.all(course.wanted_for > market.jobs.posted + DAY_S / 2)


def test_nothing_has_happened_after_the_end(market: Market) -> None:
    course, until = market.course, market.sizes.until
    for column in (course.accepted, course.confirmed, course.ended):
        assert np.nanmax(column) <= until
    waits = course.has(*CleaningJob.AGREED)
    assert np.all(course.wanted_for[waits] + market.jobs.hours[waits] * 3600 + 3 * 3600 > until - DAY_S)


def test_a_status_says_what_the_moments_say(market: Market) -> None:
    course = market.course
    hired, confirmed, ended = course.winner >= 0, ~np.isnan(course.confirmed), ~np.isnan(course.ended)
    has_bids = market.bids.time[market.bids.start[:-1]] <= market.sizes.until
    assert np.array_equal(course.has(Status.OPEN), ~has_bids & ~ended)
    assert np.array_equal(course.has(Status.BIDDING), has_bids & ~hired & ~ended)
    assert np.array_equal(course.has(Status.ACCEPTED), hired & ~confirmed & ~ended)
    assert np.array_equal(course.has(Status.CONFIRMED), confirmed & ~ended)
    assert np.array_equal(course.has(*CleaningJob.OVER), ended)
    assert np.all(confirmed[course.has(Status.COMPLETED, Status.FAILED)])
    assert np.array_equal(np.isnan(course.accepted), ~hired)


def test_work_is_wanted_at_full_hours_of_the_day(market: Market) -> None:
    hour = (market.course.wanted_for % DAY_S) / 3600
    assert set(hour.tolist()) == set(range(8, 19))


def test_what_is_cancelled_was_so_before_the_day_and_what_failed_on_it(market: Market) -> None:
    course = market.course
    cancelled, failed = course.has(Status.CANCELLED), course.has(Status.FAILED)
    assert np.all(course.ended[cancelled] < course.wanted_for[cancelled])
    after = course.ended[failed] - course.wanted_for[failed]
    assert np.all((after > 0) & (after < 3 * 3600))
    assert course.by_cleaner.any()
    assert np.all(cancelled[course.by_cleaner])
    assert np.all(course.winner[course.by_cleaner] >= 0)


def test_some_are_taken_back_before_anybody_is_hired(market: Market) -> None:
    nobody = market.course.has(Status.CANCELLED) & (market.course.winner < 0)
    assert 0.005 < nobody.mean() < 0.02
    assert np.isnan(market.course.accepted[nobody]).all()


def test_the_better_the_tier_the_more_often_they_are_on_time_take_photos_and_come_at_all(market: Market) -> None:
    course, tier = market.course, hired_tier(market)
    done, over = course.has(Status.COMPLETED), course.has(*CleaningJob.OVER)
    on_time = [float(course.on_time[done & (tier == one)].mean()) for one in range(4)]
    photos = [float((course.photos[done & (tier == one)] > 0).mean()) for one in range(4)]
    trouble = course.by_cleaner | course.has(Status.FAILED)
    at_fault = [float(trouble[over & (tier == one)].mean()) for one in range(4)]
    assert on_time == sorted(on_time, reverse=True)
    assert on_time[0] > 0.94 > 0.80 > on_time[3]
    assert photos == sorted(photos, reverse=True)
    assert photos[0] > 0.8 > 0.4 > photos[3]
    assert at_fault == sorted(at_fault)
    assert at_fault[3] > 2 * at_fault[0]


def test_only_what_was_done_has_photos_or_was_on_time(market: Market) -> None:
    done = market.course.has(Status.COMPLETED)
    assert not market.course.photos[~done].any()
    assert not market.course.on_time[~done].any()
    late = done & ~market.course.on_time
    took = (market.course.ended - market.course.wanted_for) / 3600 - market.jobs.hours
    assert took[late].min() > 0.49
    assert took[done & market.course.on_time].max() < 0.01
