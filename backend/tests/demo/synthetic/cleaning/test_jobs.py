"""What is posted: over twelve months, by people who are there, at a budget that follows the work."""

import numpy as np

from demo.synthetic.cleaning.constants import size_factor
from demo.synthetic.cleaning.market import Market

DAY_S = 86_400


def test_jobs_are_posted_over_the_last_year_the_oldest_first_and_more_of_them_lately(market: Market) -> None:
    days_ago = (market.sizes.until - market.jobs.posted) / DAY_S
    assert np.all(np.diff(days_ago) <= 0)
    assert 355 < days_ago.max() <= 365
    assert 0 < days_ago.min() < 1
    assert np.sum(days_ago < 90) > 1.3 * np.sum(days_ago > 275)


def test_nobody_posts_before_joining_and_only_about_places_of_their_own(market: Market) -> None:
    jobs = market.jobs
    assert np.all(jobs.posted >= market.clients.joined[jobs.client])
    assert np.all(market.properties.client[jobs.place] == jobs.client)
    assert np.all(market.properties.size_m2[jobs.place] == jobs.size_m2)
    assert np.all(market.properties.spots.latitude[jobs.place] == jobs.spots.latitude)


def test_people_sleep_at_night(market: Market) -> None:
    hour = (market.jobs.posted % DAY_S) / 3600
    assert np.mean((hour >= 7) & (hour < 23)) > 0.98


def test_some_clients_post_nothing_and_some_a_lot(market: Market) -> None:
    counts = np.bincount(market.jobs.client, minlength=500)
    assert 30 <= np.sum(counts == 0) < 60
    assert counts.max() > 4 * np.median(counts)


def test_every_kind_of_property_and_every_district_has_jobs_enough(market: Market) -> None:
    kinds = np.bincount(market.jobs.kind) / 5000
    assert kinds.size == 5
    assert kinds.min() > 0.07
    assert kinds.max() < 0.40
    assert np.bincount(market.jobs.spots.district).max() / 5000 < 0.08


def test_hours_follow_the_size_in_halves_of_an_hour(market: Market) -> None:
    hours = market.jobs.hours
    assert (hours.min(), hours.max()) == (1.5, 12.0)
    assert np.all(hours * 2 == np.round(hours * 2))
    assert np.corrcoef(hours, market.jobs.size_m2)[0, 1] > 0.7


def test_a_budget_follows_the_work(market: Market) -> None:
    jobs = market.jobs
    an_hour = jobs.budget / (jobs.hours * size_factor(jobs.size_m2))
    assert np.quantile(an_hour, 0.05) > 10
    assert np.quantile(an_hour, 0.95) < 32
    assert np.all(jobs.budget == np.round(jobs.budget))


def test_what_a_client_weighs_cannot_be_seen_in_what_they_post(market: Market) -> None:
    jobs = market.jobs
    weighs = market.clients.budget[jobs.client]
    an_hour = jobs.budget / jobs.hours / size_factor(jobs.size_m2)
    hour = (market.course.wanted_for % DAY_S) / 3600
    for column in (an_hour, jobs.eco, hour, jobs.patience):
        assert abs(np.corrcoef(column, weighs)[0, 1]) < 0.06
