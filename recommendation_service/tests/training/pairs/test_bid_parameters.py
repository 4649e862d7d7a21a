import json

import pytest

from recommendation_service.errors import ConfigurationError
from recommendation_service.training.parameters import BidParameters, bid_parameters
from recommendation_service.use_cases.loader import load


def cleaning(**training):
    use_case = load("cleaning")
    part = use_case.estimators["bid"]
    return use_case.model_copy(update={"estimators": {"bid": part.model_copy(update={"training": training})}})


def test_the_marketplace_reads_the_job_the_market_and_the_cleaners_past_and_never_the_bid():
    names = [feature.name for feature in bid_parameters(load("cleaning")).features]
    assert {"size_m2", "hours", "eco_wanted"} <= set(names)
    assert {"market_rate", "budget", "bid_count", "lowest_bid"} <= set(names)
    assert {"usual_rate", "win_rate", "average_rating", "total_jobs"} <= set(names)
    assert not {"bid", "average_bid"} & set(names)
    assert len(names) == len(set(names))


def test_the_quantiles_leave_as_much_below_as_above():
    assert BidParameters(share=0.5).quantiles == (0.25, 0.5, 0.75)
    assert BidParameters().quantiles == pytest.approx((0.1, 0.5, 0.9))


def test_the_file_comes_before_what_is_stated_and_the_command_line_says_the_seed():
    found = bid_parameters(cleaning(features=[{"name": "hours", "log1p": True}], epochs=3), seed=7)
    assert (found.epochs, found.seed, found.features[0].log1p) == (3, 7, True)


@pytest.mark.parametrize(
    ("training", "told"),
    [
        ({"epoch": 3}, "does not know 'epoch'; its keys are batch"),
        ({}, "needs features"),
        ({"features": [{"name": "hours"}], "share": 1.0}, "a share between 0 and 1"),
        ({"features": [{"nam": "hours"}]}, "features does not know 'nam'; its keys are log1p, name"),
        ({"features": [{"name": "hours", "log": True}]}, "does not know 'log'; use 'log1p'"),
        ({"features": [{"name": 3}]}, "features are rows such as"),
        ({"features": 3}, "features are rows such as"),
    ],
)
def test_a_wrong_word_names_the_place_and_what_is_allowed(training, told):
    with pytest.raises(ConfigurationError, match=told) as caught:
        bid_parameters(cleaning(**training))
    assert "cleaning: estimator 'bid', training" in caught.value.message


def test_what_is_told_in_a_manifest_is_plain_json():
    told = bid_parameters(load("cleaning")).to_dict()
    assert json.loads(json.dumps(told)) == told
    assert told["features"][0] == {"name": "size_m2", "offset": 0.0, "scale": 1.0, "log1p": True}
