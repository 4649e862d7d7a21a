"""Advice on bids in made-up marketplaces whose winning bids are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from recommendation_service.publishing import array_schemas
from recommendation_service.tests.support.bidding import auctions, expected_rate, pair_config
from recommendation_service.training.data import NotEnough
from recommendation_service.training.pairs.bid import LEAST, BidPrediction, _with_hidden, fit, pinball, rolling, train_bid
from recommendation_service.training.pairs.bid_data import read_bids
from recommendation_service.training.pairs.bid_metrics import measure
from recommendation_service.training.parameters import BidParameters, bid_parameters
from recommendation_service.use_cases.loader import load

STATED = bid_parameters(load("cleaning"))
SHORT = replace(STATED, epochs=3)


@pytest.fixture(scope="module")
def learned():
    """A model of 3,000 jobs, and 2,000 newer ones it never saw."""
    matches = auctions(5000, seed=2)
    won = read_bids(matches, pair_config(), STATED).won()
    older, newer = won.take(slice(0, 3000)), won.take(slice(3000, None))
    return fit(older, STATED), older, newer, matches


def test_eight_in_ten_winning_bids_of_2000_newer_jobs_lie_between_minimum_and_maximum(learned):
    fitted, older, newer, _ = learned
    found = measure(fitted.rates(newer), newer, older, STATED)
    assert found.n == 2000
    assert found.coverage == pytest.approx(0.8, abs=0.035)
    assert found.below == pytest.approx(0.1, abs=0.03)
    assert found.above == pytest.approx(0.1, abs=0.03)


def test_the_advice_is_sharper_than_the_markets_own_quantiles(learned):
    fitted, older, newer, _ = learned
    found = measure(fitted.rates(newer), newer, older, STATED)
    assert found.width < 0.8 * found.market_width
    assert found.pinball < 0.8 * found.market_pinball


def test_the_optimum_is_the_planted_price_at_which_half_of_such_jobs_are_won(learned):
    fitted, _, newer, matches = learned
    columns = {name: matches.numbers[newer.rows, matches.names.index(name)] for name in ("usual_rate", "market_rate")}
    planted = np.log(expected_rate(newer.text_columns["property_type"], columns["usual_rate"], columns["market_rate"]))
    assert np.abs(fitted.rates(newer)[:, 1] - planted).mean() < 0.06


def test_where_bids_scatter_more_the_advice_is_wider(learned):
    fitted, _, newer, matches = learned
    said = fitted.rates(newer)
    width = said[:, 2] - said[:, 0]
    size = matches.numbers[newer.rows, matches.names.index("size_m2")]
    assert width[size > 250].mean() > 1.5 * width[size < 80].mean()


def test_a_raw_network_that_is_too_narrow_is_stretched_until_it_covers(learned):
    _, older, newer, _ = learned
    narrow = fit(older, replace(STATED, epochs=1, learning_rate=0.0))  # never leaves where it began
    found = measure(narrow.rates(newer), newer, older, STATED)
    raw = measure(narrow.raw(newer), newer, older, STATED)
    assert raw.coverage < 0.6
    assert found.coverage == pytest.approx(0.8, abs=0.04)


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_another_share_is_kept_as_well(share):
    parameters = replace(STATED, share=share, epochs=20)
    won = read_bids(auctions(3000, seed=4), pair_config(), parameters).won()
    older, newer = won.take(slice(0, 2000)), won.take(slice(2000, None))
    assert measure(fit(older, parameters).rates(newer), newer, older, parameters).coverage == pytest.approx(share, abs=0.05)


def test_the_network_gives_ascending_numbers_whatever_its_weights():
    torch.manual_seed(0)
    model = BidPrediction(6, 3, 2, BidParameters())
    numbers, tokens = torch.randn(500, 6) * 4, torch.randint(-1, 3, (500, 2))
    for scale in (0.0, 1.0, 30.0):
        with torch.no_grad():
            for weight in model.parameters():
                weight.copy_(torch.randn_like(weight) * scale)
            low, middle, high = model(numbers, tokens).T
        assert bool((low <= middle).all())
        assert bool((middle <= high).all())


def test_what_is_kept_from_the_network_looks_like_what_nobody_knows():
    numbers, tokens = _with_hidden(
        torch.cat([torch.full((2000, 3), 2.0), torch.zeros(2000, 3)], dim=1), torch.ones(2000, 1).long(), 0.3
    )
    values, flags = numbers.chunk(2, dim=1)
    assert torch.equal(values == 0, flags == 1)
    assert float(flags.mean()) == pytest.approx(0.3, abs=0.03)
    assert float((tokens == -1).float().mean()) == pytest.approx(0.3, abs=0.05)


def test_the_loss_of_a_quantile_counts_misses_by_their_side():
    said, wanted = torch.zeros(1, 3), torch.tensor([1.0])
    assert float(pinball(said, wanted, (0.1, 0.5, 0.9))) == pytest.approx((0.1 + 0.5 + 0.9) / 3)
    assert float(pinball(said, -wanted, (0.1, 0.5, 0.9))) == pytest.approx((0.9 + 0.5 + 0.1) / 3)


def test_two_runs_give_the_same_bytes_and_another_seed_gives_others():
    matches = auctions(260)
    first, second, other = (train_bid(matches, pair_config(), replace(SHORT, seed=seed)) for seed in (1, 1, 2))
    assert {name: one.tobytes() for name, one in first.arrays.items()} == {
        name: one.tobytes() for name, one in second.arrays.items()
    }
    assert first.metrics == second.metrics
    assert first.arrays["layer1_weights"].tobytes() != other.arrays["layer1_weights"].tobytes()


def test_training_leaves_the_process_settings_of_torch_as_they_were():
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    train_bid(auctions(LEAST), pair_config(), SHORT)
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


def test_the_manifest_tells_what_it_reads_and_how_it_did_on_jobs_it_never_saw():
    told = []
    trained = train_bid(auctions(300), pair_config(), SHORT, progress=lambda done, most, word: told.append((done, most, word)))
    array_schemas.check("bid", trained.arrays, where="bid_v1")
    assert trained.kind == "bid"
    assert [row["name"] for row in trained.parameters["features"]] == [one.name for one in STATED.features]
    assert (trained.parameters["per"], trained.parameters["winning_bids"]) == ("hours", 300)
    assert (trained.metrics["held_out"]["n"], trained.metrics["learned_from"]) == (60, 240)
    assert {"coverage", "width", "pinball", "market_pinball"} <= set(trained.metrics["held_out"])
    assert told[0][1] == 3
    assert "pinball loss" in told[0][2]


def test_one_that_loses_to_the_markets_own_quantiles_says_so():
    matches = auctions(300)
    places = {name: matches.names.index(name) for name in ("bid", "hours", "market_rate")}
    numbers = matches.numbers.copy()
    numbers[:, places["market_rate"]] = np.linspace(8, 40, len(matches))
    numbers[:, places["bid"]] = numbers[:, places["market_rate"]] * numbers[:, places["hours"]]
    known = replace(matches, numbers=numbers)
    trained = train_bid(known, pair_config(), replace(SHORT, epochs=1, learning_rate=0.0))
    assert trained.warnings
    assert trained.warnings[0].startswith("worse than the market's quantiles")


def test_each_stretch_of_time_is_foretold_from_what_came_before_it():
    won = read_bids(auctions(1000), pair_config(), SHORT).won()
    found = rolling(won, SHORT)
    assert [one.n for one in found] == [100] * 5
    last = fit(won.take(slice(0, 900)), SHORT).rates(won.take(slice(900, 1000)))
    assert found[-1] == measure(last, won.take(slice(900, 1000)), won.take(slice(0, 900)), SHORT)


@pytest.mark.parametrize("jobs", [0, 1, LEAST - 1])
def test_too_few_winning_bids_are_said_and_never_trained_on(jobs):
    matches = auctions(max(jobs, 1)).take(np.arange(4 * jobs))
    with pytest.raises(NotEnough, match=f"bid needs 200 winning bids; this export has {jobs}"):
        train_bid(matches, pair_config(), SHORT)


def test_columns_that_an_export_lacks_are_unknown_and_break_nothing():
    matches = auctions(LEAST)
    kept = [place for place, name in enumerate(matches.names) if name in ("bid", "hours")]
    bare = replace(matches, names=("bid", "hours"), numbers=matches.numbers[:, kept], text_columns={})
    trained = train_bid(bare, pair_config(), SHORT)
    assert all(np.isfinite(one).all() for one in trained.arrays.values() if one.dtype.kind == "f")
