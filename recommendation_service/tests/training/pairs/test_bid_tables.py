from dataclasses import replace

import numpy as np

from recommendation_service.tests.support.bidding import auctions, pair_config
from recommendation_service.training.pairs.bid_data import read_bids
from recommendation_service.training.pairs.bid_metrics import (
    coverage_table,
    market_quantiles,
    outcome_table,
    parts_of,
    stretches,
)
from recommendation_service.training.parameters import bid_parameters
from recommendation_service.use_cases.loader import load

PARAMETERS = bid_parameters(load("cleaning"))


def bids(jobs=120):
    return read_bids(auctions(jobs), pair_config(), PARAMETERS)


def test_every_bid_lies_in_exactly_one_stretch():
    said = np.tile([[1.0, 2.0, 3.0]], (6, 1))
    found = stretches(said, np.array([0.5, 1.0, 2.0, 2.5, 3.0, 3.5]))
    assert np.sum(list(found.values()), axis=0).tolist() == [1] * 6
    assert [int(rows.sum()) for rows in found.values()] == [1, 2, 2, 1]


def test_the_parts_are_property_types_newcomers_and_an_unknown_market_where_there_are_enough():
    won = bids().won()
    place = [feature.name for feature in PARAMETERS.features].index("total_jobs")
    won.table[:, place] = np.where(np.arange(len(won)) < 30, 0, np.log1p(5))
    won = replace(won, market=np.where(np.arange(len(won)) < 25, np.nan, won.market))
    found = parts_of(won, PARAMETERS)
    assert {"property_type apartment", "property_type villa"} <= set(found)
    assert int(found["no job done before"].sum()) == 30
    assert int(found["market unknown"].sum()) == 25
    assert "market unknown" not in parts_of(bids().won(), PARAMETERS)


def test_the_table_says_n_coverage_interval_and_the_market_beside_it():
    won = bids().won()
    lines = coverage_table(market_quantiles(won, won, PARAMETERS.quantiles), won, won, PARAMETERS).splitlines()
    assert lines[2].startswith("| all | 120 | 8")
    assert "by the market's own quantiles | 120 |" in lines[3]
    assert len({line.count("|") for line in lines}) == 1


def test_what_a_stretch_brought_counts_nothing_for_the_bids_that_lost():
    every = bids(40)
    said = np.stack([every.rates - 1, every.rates, every.rates + 1], axis=1)
    lines = outcome_table(said, every).splitlines()
    assert lines[2:] == ["| minimum to optimal | 160 | 25.0% | 18.9%-32.2% | 0.250 |"]
