"""Bids as they are served: in order for any weights, finite for any question, and the same numbers as in training."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recommendation_service.core.numeric import AnyArray
from recommendation_service.domain.side import PairSide
from recommendation_service.errors import ArtifactRefused
from recommendation_service.estimators.bid import LARGEST, Bid, softplus
from recommendation_service.publishing.manifest import Manifest
from recommendation_service.publishing.store import Artifact
from recommendation_service.tests.support.bidding import auctions, pair_config
from recommendation_service.tests.support.service import PARAMETERS, bid_arrays, ids
from recommendation_service.training.pairs.bid import fit, train_bid
from recommendation_service.training.pairs.bid_data import bidding_so_far, read_bids
from recommendation_service.training.parameters import bid_parameters
from recommendation_service.use_cases.loader import load

JOB = PairSide.of(["5"], [{"hours": 4.0}], [{"property_type": "villa"}])
CLEANERS = PairSide.of(["7", "8"], [{"usual_rate": 12.0}, {"usual_rate": 30.0}])


def artifact(arrays: Mapping[str, AnyArray], parameters: Mapping[str, Any] = PARAMETERS["bid"]) -> Artifact:
    return Artifact("bid_v1", Manifest("bid", "cleaners", "", dict(parameters), {}, {}, {}), arrays)


def made(arrays: Mapping[str, AnyArray] | None = None) -> Bid:
    return Bid("bid", artifact(bid_arrays() if arrays is None else arrays), pair_config=pair_config())


@st.composite
def any_weights(draw: st.DrawFn) -> dict[str, AnyArray]:
    arrays = bid_arrays()
    weights = st.floats(-1e4, 1e4, width=32)
    for name in arrays:
        if name.endswith(("weights", "bias", "vectors")) or name in ("reference", "centers"):
            arrays[name] = draw(hnp.arrays(np.float32, arrays[name].shape, elements=weights))
    arrays["scales"] = draw(hnp.arrays(np.float32, 2, elements=st.floats(2**-10, 1e4, width=32)))
    arrays["reaches"] = draw(hnp.arrays(np.float32, 2, elements=st.floats(0, 1e4, width=32)))
    return arrays


@given(any_weights(), st.floats(0.5, 99), st.none() | st.floats(-1e12, 1e12), st.sampled_from(["villa", "castle", ""]))
def test_minimum_optimal_and_maximum_are_in_order_and_above_0_for_any_weights(
    arrays: dict[str, AnyArray], hours: float, rate: float | None, kind: str
) -> None:
    job = PairSide.of(["5"], [{"hours": hours}], [{"property_type": kind}])
    cleaner = PairSide.of(["7"], [{} if rate is None else {"usual_rate": rate}])
    ((low, middle, high),) = made(arrays).estimate(job, cleaner).tolist()
    assert np.isfinite([low, middle, high]).all()
    assert 0 < low <= middle <= high < LARGEST


@given(hnp.arrays(np.float64, 20, elements=st.floats(-1e300, 1e300)))
def test_a_step_is_never_backwards(steps: AnyArray) -> None:
    assert (softplus(steps) >= 0).all()


def test_the_numbers_are_those_that_training_measured() -> None:
    parameters = replace(bid_parameters(load("cleaning")), epochs=5)
    matches = auctions(300)
    won = read_bids(matches, pair_config(), parameters).won()
    fitted = fit(won, parameters)
    served = Bid("bid", artifact(fitted.arrays(parameters), parameters.to_dict()), pair_config=pair_config())
    pairs = bidding_so_far(matches, np.random.default_rng(parameters.seed))
    first = PairSide(tuple(map(str, range(pairs.n))), pairs.numbers, {"property_type": pairs.text("property_type")}).take(
        won.rows
    )
    amounts = served.estimate(first, PairSide(first.ids))
    assert np.allclose(np.log(amounts / won.units[:, None]), fitted.rates(won), atol=1e-5)


def test_a_trained_model_is_served_as_it_was_published() -> None:
    parameters = replace(bid_parameters(load("cleaning")), epochs=2)
    trained = train_bid(auctions(250), pair_config(), parameters)
    served = Bid("bid", trained.artifact("cleaners", "v3"), pair_config=pair_config())
    assert (served.name, served.version, served.needs) == ("bid", "bid_v3", ("hours",))
    assert served.estimate(JOB, CLEANERS).shape == (2, 3)


def test_twice_the_hours_cost_twice_as_much_where_the_hours_say_nothing_else() -> None:
    arrays = bid_arrays()
    arrays["layer1_weights"][[0, 2]] = arrays["straight_weights"][[0, 2]] = 0
    longer = PairSide.of(["5"], [{"hours": 8.0}], [{"property_type": "villa"}])
    assert np.allclose(made(arrays).estimate(longer, CLEANERS), 2 * made(arrays).estimate(JOB, CLEANERS))


def test_one_job_is_met_by_each_cleaner_as_if_asked_alone() -> None:
    together = made().estimate(JOB, CLEANERS)
    alone = [made().estimate(JOB, CLEANERS.take(np.array([row])))[0] for row in range(2)]
    assert np.allclose(together, alone)
    assert not np.allclose(together[0], together[1])


def test_a_property_type_that_training_never_saw_is_told_apart_from_a_known_one() -> None:
    castle, none = (PairSide.of(["5"], [{"hours": 4.0}], [told]) for told in ({"property_type": "castle"}, {}))
    assert np.array_equal(made().estimate(castle, CLEANERS), made().estimate(none, CLEANERS))
    assert not np.array_equal(made().estimate(castle, CLEANERS), made().estimate(JOB, CLEANERS))


@pytest.mark.parametrize("hours", [None, 0.0, -1.0, 1e11])
def test_without_hours_that_can_be_paid_for_it_cannot_say(hours: float | None) -> None:
    job = PairSide.of(["5"], [{} if hours is None else {"hours": hours}])
    assert np.isnan(made().estimate(job, CLEANERS)).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"features": ids(["hours", "size_m2"])},
        {"reaches": np.array([1, -0.5], dtype=np.float32)},
        {"reaches": np.ones(3, dtype=np.float32)},
        {"scales": np.array([1, 0], dtype=np.float32)},
        {"out_bias": np.ones(2, dtype=np.float32)},
        {"reference": np.ones(2, dtype=np.float32)},
        {"layer1_weights": np.ones((7, 3), dtype=np.float32)},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_arrays_that_do_not_fit_what_the_manifest_names_are_refused(wrong: dict[str, AnyArray]) -> None:
    with pytest.raises(ArtifactRefused, match="bid_v1: its arrays do not fit"):
        made({**bid_arrays(), **wrong})


@pytest.mark.parametrize("told", [{}, {"features": []}, {"features": [{"nam": "hours"}], "per": "hours"}, {"features": 3}])
def test_a_manifest_that_does_not_tell_what_it_reads_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ArtifactRefused, match="its manifest lacks"):
        Bid("bid", artifact(bid_arrays(), told), pair_config=pair_config())
