from dataclasses import replace

import numpy as np
import pytest

from recommendation_service.datasets.pair_features import PairTable, derive, features, join_pairs
from recommendation_service.datasets.pair_network import FAR, PairNetwork, Reader
from recommendation_service.tests.support.market import World, by_quality, cleaners, job, network, pair_config


def told(**numbers):
    """PairTable with the same text_columns and these columns."""
    n = len(next(iter(numbers.values())))
    text_columns = {"property_type": np.array(["apartment"] * n), "left_owner": np.array(["c0"] * n)}
    text_columns["right_owner"] = np.array([f"w{row}" for row in range(n)])
    return PairTable(n, {name: np.array(column, dtype=np.float32) for name, column in numbers.items()}, text_columns)


def test_features_are_read_in_standard_deviations_and_unknown_ones_as_the_mean():
    pairs = told(hours=[1, 2, 3, np.nan])
    read = Reader.of(pair_config(), pairs).read(pair_config(), pairs)
    place = [one.name for one in pair_config().features].index("hours")
    assert read.numbers[:, place].tolist() == pytest.approx([-1.2247, 0, 1.2247, 0], abs=1e-4)
    others = np.delete(read.numbers, place, axis=1)
    assert (others == 0).all()  # known of nobody


def test_what_lies_absurdly_far_is_cut_off_on_both_sides():
    reader = Reader.of(pair_config(), told(hours=[1, 2, 3]))
    with np.errstate(all="ignore"):
        read = reader.read(pair_config(), told(hours=[3e38, -3e38, np.inf, np.nan])).numbers
    place = [one.name for one in pair_config().features].index("hours")
    assert read[:, place].tolist() == [FAR, -FAR, 0, 0]


def test_strangers_and_nameless_persons_have_no_row_and_strange_words_share_one():
    reader = Reader.of(pair_config(), told(hours=[1, 2, 3]))
    asked = told(hours=[1, 2, 3])
    text_columns = {
        **asked.text_columns,
        "left_owner": np.array(["c0", "stranger", ""]),
        "property_type": np.array(["", "castle", "apartment"]),
    }
    read = reader.read(pair_config(), replace(asked, text_columns=text_columns))
    assert read.first.tolist() == [1, -1, -1]
    assert read.second.tolist() == [1, 2, 3]
    assert read.known.tolist() == [True, False, False]
    assert read.tokens[:, 0].tolist() == [0, 0, 1]


def test_a_reader_comes_back_from_its_arrays():
    pairs = derive(pair_config(), World(30).matches(by_quality).pairs())
    reader = Reader.of(pair_config(), pairs)
    again = Reader.from_arrays(reader.arrays())
    np.testing.assert_array_equal(again.read(pair_config(), pairs).numbers, reader.read(pair_config(), pairs).numbers)
    np.testing.assert_array_equal(again.read(pair_config(), pairs).second, reader.read(pair_config(), pairs).second)


def test_one_job_met_by_many_reads_as_each_pair_alone():
    whole = PairNetwork.from_arrays(network())
    offers = cleaners(4)
    together = whole.score(pair_config(), join_pairs(pair_config(), job(), offers)).total
    alone = [
        whole.score(pair_config(), join_pairs(pair_config(), job(), offers.take(np.array([row])))).total[0] for row in range(4)
    ]
    np.testing.assert_allclose(together, alone, rtol=1e-6)


def test_the_forward_pass_is_layers_with_relu_between_and_a_sigmoid_at_the_end():
    arrays = network()
    whole = PairNetwork.from_arrays(arrays)
    pairs = join_pairs(pair_config(), job(), cleaners(2))
    table = np.nan_to_num((features(pair_config(), pairs) - arrays["feature_mean"]) / arrays["feature_scale"])
    hidden = np.hstack([np.clip(table, -FAR, FAR), np.tile(arrays["token_vectors"][1], (2, 1))]).astype(np.float64)
    for layer in (1, 2):
        hidden = np.maximum(hidden @ arrays[f"content{layer}_weights"] + arrays[f"content{layer}_bias"], 0)
    logits = hidden @ arrays["content3_weights"] + arrays["content3_bias"]
    np.testing.assert_allclose(whole.score(pair_config(), pairs).content, 1 / (1 + np.exp(-logits[:, 0])), rtol=1e-4)


def test_no_pairs_make_no_scores():
    empty = join_pairs(pair_config(), job(), cleaners(0))
    assert empty.n == 0
    assert PairNetwork.from_arrays(network()).score(pair_config(), empty).total.shape == (0,)
