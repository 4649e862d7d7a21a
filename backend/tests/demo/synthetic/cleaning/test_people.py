"""Who cleans and who posts: the stated tiers and budgets, and what must not tell them apart."""

import numpy as np
import pytest

from demo.synthetic.cleaning.market import Market
from demo.synthetic.cleaning.people import AWAY_SHARE, IDLE_SHARE

DAY_S = 86_400
RATES = [(25, 35), (18, 25), (12, 18), (8, 12)]
MARKS = [(9, 10), (7, 9), (6, 8), (5, 7)]


def test_tiers_have_the_stated_shares(market: Market) -> None:
    assert np.bincount(market.cleaners.tier).tolist() == [30, 60, 80, 30]


@pytest.mark.parametrize(("tier", "bounds"), list(enumerate(RATES)))
def test_what_cleaners_ask_an_hour_lies_in_the_range_of_their_tier_and_fills_it(
    market: Market, tier: int, bounds: tuple[int, int]
) -> None:
    rates = market.cleaners.rate[market.cleaners.tier == tier]
    assert bounds[0] <= rates.min() < rates.max() <= bounds[1]
    assert np.ptp(rates) > 0.6 * (bounds[1] - bounds[0])


@pytest.mark.parametrize(("tier", "bounds"), list(enumerate(MARKS)))
def test_skill_lies_in_the_range_of_the_tier(market: Market, tier: int, bounds: tuple[int, int]) -> None:
    skill = market.cleaners.skill[market.cleaners.tier == tier]
    assert bounds[0] <= skill.min() < skill.max() <= bounds[1]


def test_clients_have_three_budgets(market: Market) -> None:
    assert np.bincount(market.clients.budget).tolist() == [125, 225, 150]


def test_every_client_has_one_to_three_properties_that_follow_each_other(market: Market) -> None:
    properties = market.properties
    assert set(properties.many.tolist()) == {1, 2, 3}
    for client in (0, 7, 499):
        first, many = int(properties.first[client]), int(properties.many[client])
        assert np.flatnonzero(properties.client == client).tolist() == list(range(first, first + many))
    assert properties.many.sum() == properties.client.size


def test_properties_lie_in_the_box_and_have_sizes_of_their_kind(market: Market) -> None:
    spots, size, kind = market.properties.spots, market.properties.size_m2, market.properties.kind
    assert max(np.abs(spots.latitude - 37.9838).max(), np.abs(spots.longitude - 23.7275).max()) <= 0.15
    assert 25 <= size.min() < size.max() <= 600
    apartment, villa = np.median(size[kind == 0]), np.median(size[kind == 2])
    assert apartment < 100 < 200 < villa


def test_what_a_client_weighs_cannot_be_seen_in_what_they_have(market: Market) -> None:
    """Neither kind, size nor place of a property goes with the budget: scoring reads all of these."""
    properties = market.properties
    weighs = market.clients.budget[properties.client]
    for column in (properties.size_m2, properties.spots.latitude, properties.spots.longitude, properties.kind == 2):
        assert abs(np.corrcoef(column, weighs)[0, 1]) < 0.12


def test_some_join_later_and_some_have_left(market: Market) -> None:
    days_ago = (market.sizes.until - market.cleaners.joined) / DAY_S
    assert 0.2 < np.mean(days_ago < 365) < 0.4
    assert days_ago.min() > 0
    assert np.isfinite(market.cleaners.away_from).sum() == round(AWAY_SHARE * 200)
    assert market.cleaners.away_from.min() < market.sizes.until


def test_some_cleaners_never_bid_half_of_them_new_and_some_clients_never_post(market: Market) -> None:
    idle = market.cleaners.eagerness == 0
    assert idle.sum() == round(IDLE_SHARE * 200)
    assert np.sum((market.sizes.until - market.cleaners.joined[idle]) < 10 * DAY_S) >= idle.sum() // 2
    assert np.sum(market.clients.need == 0) == round(IDLE_SHARE * 500)
