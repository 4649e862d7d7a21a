from dataclasses import replace

import numpy as np
import pytest

from recommendation_service.datasets.pair_features import join_pairs
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.history import History
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.query import Query
from recommendation_service.engines.neural import Neural
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing import array_schemas
from recommendation_service.tests.engines import board
from recommendation_service.tests.engines.calls import candidates
from recommendation_service.tests.support.market import cleaners, job, network, pair_config, told_features

ASKED = {"cleaners": (job(), cleaners()), "jobs": (cleaners(1), job())}


def engine(arrays=None, told=None):
    made = board.artifact("neural", network() if arrays is None else arrays, told_features() if told is None else told)
    return Neural("neural", made, catalogue("cleaners"), pair_config=pair_config())


def catalogue(name, side=None):
    ids = IdMap.of((side or cleaners()).ids)
    n = len(ids)
    nothing = np.zeros(n, dtype=np.float32)
    return Catalogue(name, ids, tuple(ids.ids()), nothing, nothing, side=side)


def query(name, *, context=None, offered=None, eligible=None):
    asks, offers = ASKED[name]
    there = offers if offered is None else offered
    mask = np.ones(len(there), dtype=np.bool_) if eligible is None else eligible
    shown = catalogue(name, there)
    return Query(shown, History.empty(), 10, board.NOW, mask, context=asks if context is None else context)


def test_the_score_is_alpha_times_the_collaborative_half_and_the_rest_of_the_content_half():
    found = engine().score_pairs(join_pairs(pair_config(), job(), cleaners(3)))
    assert found.alpha.tolist() == [0.25, 0.25, 0.25]
    np.testing.assert_allclose(found.total, 0.25 * found.collaborative + 0.75 * found.content, rtol=1e-5)
    for part in (found.total, found.collaborative, found.content):
        assert ((part >= 0) & (part <= 100)).all()
        assert np.unique(part).size == 3


def test_the_answer_carries_both_halves_and_alpha_as_parts_best_first():
    found = candidates(engine(), query("cleaners"), 3)
    assert list(found.parts) == ["neural", "collaborative", "content", "alpha"]
    assert len(found) == 3
    assert (np.diff(found.scores) <= 0).all()
    np.testing.assert_array_equal(found.parts["neural"], found.scores)
    everything = engine().scores(query("cleaners"))
    np.testing.assert_array_equal(everything[found.rows], found.scores)


def test_a_person_that_training_never_met_leaves_the_score_to_the_content_half():
    found = engine().score_pairs(join_pairs(pair_config(), job(), cleaners(4)))  # w3 is not in the network
    assert np.isnan(found.collaborative).tolist() == [False, False, False, True]
    assert found.alpha[3] == 0
    assert found.total[3] == found.content[3]
    stranger = replace(job(), text_columns={**job().text_columns, "client_id": np.array(["nobody"])})
    assert np.isnan(engine().score_pairs(join_pairs(pair_config(), stranger, cleaners(2))).collaborative).all()
    nameless = replace(job(), text_columns={})
    assert np.isnan(engine().score_pairs(join_pairs(pair_config(), nameless, cleaners(2))).collaborative).all()


def test_a_pair_has_one_score_whichever_side_asks():
    by_job, by_cleaner = engine().scores(query("cleaners")), engine().scores(query("jobs"))
    assert by_cleaner.tolist() == pytest.approx([by_job[0]])


def test_an_unbid_pair_scores_as_one_with_the_usual_bid_and_is_finite():
    open_job = engine().score_pairs(join_pairs(pair_config(), job(), cleaners(3))).total
    usual = [(15.0 + one) * 4.0 for one in range(3)]
    offers = cleaners(3)
    placed = replace(offers, numbers={**offers.numbers, "bid": np.array(usual, dtype=np.float32)})
    np.testing.assert_allclose(open_job, engine().score_pairs(join_pairs(pair_config(), job(), placed)).total, rtol=1e-6)
    dearer = replace(offers, numbers={**offers.numbers, "bid": np.array(usual, dtype=np.float32) * 5})
    assert not np.allclose(open_job, engine().score_pairs(join_pairs(pair_config(), job(), dearer)).total)
    newcomer = cleaners(1, usual_rate=float("nan"))
    assert np.isfinite(engine().score_pairs(join_pairs(pair_config(), job(), newcomer)).total).all()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 3e38, -3e38, 0.0])
@pytest.mark.parametrize("name", ["hours", "size_m2", "latitude", "total_jobs", "bid", "average_rating"])
def test_absurd_and_missing_numbers_never_make_a_score_that_is_no_number(name, value):
    with np.errstate(all="ignore"):  # the distance and the logarithm of such numbers are of `[pairs]`
        pairs = join_pairs(pair_config(), job(**{name: value}), cleaners(3))
        found = engine().score_pairs(pairs)
    assert np.isfinite(found.total).all()


def test_nothing_is_said_without_a_context_or_without_offers():
    asked = query("cleaners")
    assert engine().scores(replace(asked, context=None)) is None
    assert candidates(engine(), replace(asked, context=None), 5) is None
    assert engine().scores(replace(asked, catalogue=catalogue("cleaners"))) is None  # the export says nothing of them
    assert candidates(engine(), query("cleaners", eligible=np.zeros(4, dtype=np.bool_)), 5) is None


def test_offers_that_the_asker_brings_are_scored_in_their_order():
    offers = cleaners(4).take(np.array([2, 0]))
    brought = replace(query("cleaners"), catalogue=catalogue("cleaners", offers), offered=offers)
    brought = replace(brought, eligible=np.ones(2, dtype=np.bool_))
    everything = engine().scores(query("cleaners"))
    np.testing.assert_allclose(engine().scores(brought), everything[[2, 0]], rtol=1e-6)
    assert Neural.reads_offers


def renamed(place, **changes):
    told = told_features()
    features = [dict(one) for one in told["features"]]
    features[place] |= changes
    return {**told, "features": features}


@pytest.mark.parametrize(
    ("told", "word"),
    [
        (renamed(5, name="price"), "price"),
        (renamed(2, scale=10.0), "size_m2"),
        ({**told_features(), "embedding_columns": []}, "property_type"),
        ({**told_features(), "features": told_features()["features"][::-1]}, "another order"),
        ({}, "latitude"),
    ],
    ids=["renamed", "rescaled", "word gone", "reordered", "nothing told"],
)
def test_other_features_in_the_file_than_in_the_model_are_refused_with_the_fix(told, word):
    with pytest.raises(ArtifactRefused, match=f"{word}.*train it again"):
        engine(told=told)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alpha", np.array([1.5], dtype=np.float32)),
        ("alpha", np.array([0.5, 0.5], dtype=np.float32)),
        ("feature_scale", np.zeros(18, dtype=np.float32)),
        ("feature_mean", np.zeros(17, dtype=np.float32)),
        ("feature_names", np.array([b"other"] * 18)),
        ("first_vectors", np.zeros((2, 8), dtype=np.float32)),
        ("second_vectors", np.zeros((4, 7), dtype=np.float32)),
        ("token_vectors", np.zeros((3, 5), dtype=np.float32)),
        ("tokens", np.array([b"a", b"b", b"c"])),
        ("first_ids", np.array([b"", b"c1", b"c0", b"c2"])),
        ("content1_weights", np.zeros((22, 6), dtype=np.float32)),
        ("content2_bias", np.full(5, np.nan, dtype=np.float32)),
        ("collaborative1_weights", np.zeros((15, 6), dtype=np.float32)),
        ("collaborative3_weights", np.zeros((5, 2), dtype=np.float32)),
        ("content3_bias", np.zeros(1, dtype=np.int64)),
    ],
)
def test_arrays_that_make_no_network_are_refused_by_name(name, value):
    with pytest.raises(ArtifactRefused, match="train it again"):
        engine({**network(), name: value})


def test_a_missing_array_is_refused_by_the_shapes_before_it_is_published():
    arrays = network()
    array_schemas.check("neural", arrays, where="neural_v1")
    del arrays["second_vectors"]
    with pytest.raises(ArtifactRefused, match="second_vectors"):
        array_schemas.check("neural", arrays, where="neural_v1")
