from dataclasses import replace

import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse
from threadpoolctl import threadpool_limits

from recommendation_service.core.numeric import Floats
from recommendation_service.engines.collaborative_als import CollaborativeALS
from recommendation_service.errors import ConfigurationError
from recommendation_service.tests.support.exports import NOW, Happening, clubs
from recommendation_service.tests.support.materials import club_material, club_panel, material_of
from recommendation_service.training.data import NotEnough, Trained, TrainingData
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import EvaluationUsers, score_people
from recommendation_service.training.models import als
from recommendation_service.training.models.als import ALSParameters, positive_matrix, train_als
from recommendation_service.training.trainers import parameters_from
from recommendation_service.use_cases.schema import Weighting

SMALL = ALSParameters(factors=8, iterations=5)
EXACT = ALSParameters(factors=8, iterations=12, alpha=10.0, solver="exact", frequency_scaling=1.0)


def scores_of(model: Trained, material: TrainingData) -> Floats:
    """(n_users, n_items) as the engine scores everybody, items seen before included."""
    engine = CollaborativeALS("als", model.artifact("startups"), material.catalogue)
    everybody = np.arange(len(material.histories))
    everything = np.ones((everybody.size, len(material.catalogue)), dtype=np.bool_)
    return score_people(engine, EvaluationUsers(material, everybody, positive_matrix(material), everything))


def test_the_stated_settings_are_the_defaults():
    told = ALSParameters()
    assert (told.factors, told.regularization, told.iterations, told.alpha) == (128, 0.01, 20, 40.0)


def test_no_solver_does_what_none_does():
    with pytest.raises(ConfigurationError, match=r"als knows no solver 'exakt'; it knows implicit, exact"):
        ALSParameters(solver="exakt")
    with pytest.raises(ConfigurationError, match="frequency_scaling must be 0 with solver implicit"):
        ALSParameters(frequency_scaling=1.0)
    with pytest.raises(ConfigurationError, match="frequency_scaling must be 0 to 1, not 2"):
        ALSParameters(solver="exact", frequency_scaling=2.0)


def test_settings_of_before_there_was_a_choice_are_those_of_implicit():
    told = parameters_from("als", {"factors": 64, "regularization": 30.0, "iterations": 15, "alpha": 4.0, "seed": 42})
    assert told == ALSParameters(64, 30.0, 15, 4.0, solver="implicit", frequency_scaling=0.0)


def test_two_runs_give_the_same_bytes_whatever_the_number_of_threads(monkeypatch):
    material, _ = club_material()
    first = train_als(material, SMALL)
    monkeypatch.setattr(als, "threads_for", lambda places: 3)
    second = train_als(material, SMALL)
    assert {name: array.tobytes() for name, array in first.arrays.items()} == {
        name: array.tobytes() for name, array in second.arrays.items()
    }
    assert first.parameters == second.parameters


def test_small_sites_train_on_one_thread():
    assert als.threads_for(1_000) == 1
    assert 1 <= als.threads_for(5_000_000) <= 4


def test_another_seed_gives_other_factors():
    material, _ = club_material()
    one, other = (train_als(material, replace(SMALL, seed=seed)) for seed in (1, 2))
    assert not np.array_equal(one.arrays["item_factors"], other.arrays["item_factors"])


def test_alpha_is_applied_exactly_once():
    material, _ = club_material()
    ours = train_als(material, SMALL).arrays["item_factors"]
    with threadpool_limits(1, user_api="blas"):
        plain = AlternatingLeastSquares(
            factors=8, regularization=0.01, iterations=5, alpha=1.0, random_state=SMALL.seed, num_threads=1
        )
        plain.fit(sparse.csr_matrix(positive_matrix(material) * np.float32(40.0)), show_progress=False)
    assert np.allclose(ours, plain.item_factors, atol=1e-4)


def test_dislikes_do_not_train():
    records, happenings, _ = clubs()
    hated = [*happenings, Happening("u000", "i001", "dismiss", NOW)]
    material, _ = material_of(records, hated, weight={"dismiss": -3.0})
    matrix = positive_matrix(material)
    assert (matrix.data > 0).all()
    assert matrix[material.user_ids.row("u000"), 1] == 0


@pytest.mark.parametrize("parameters", [SMALL, EXACT], ids=["implicit", "exact"])
def test_people_get_their_own_club(parameters):
    early, panel, _ = club_panel(people=60, items=30, events_each=12)
    artifact = train_als(early, parameters).artifact("startups")
    engine = CollaborativeALS("als", artifact, early.catalogue)
    lists = metrics.top_k(score_people(engine, panel), panel.eligible, 3)
    own = panel.users % 2
    assert (lists % 2 == own[:, None]).mean() > 0.95


def test_the_gram_is_the_factors_own_product_and_counts_tell_untrained_items():
    material, _ = club_material(items=24, people=3, events_each=4)
    arrays = train_als(material, SMALL).arrays
    assert np.allclose(arrays["gram"], arrays["item_factors"].T @ arrays["item_factors"], atol=1e-4)
    assert arrays["item_counts"].sum() == 12
    assert (arrays["item_counts"] == 0).any()


def test_the_exact_solver_gives_the_same_bytes_whatever_the_number_of_threads(monkeypatch):
    material, _ = club_material()
    first = train_als(material, EXACT)
    monkeypatch.setattr(als, "MUCH_WORK", 0)
    second = train_als(material, EXACT)
    assert {name: array.tobytes() for name, array in first.arrays.items()} == {
        name: array.tobytes() for name, array in second.arrays.items()
    }


def test_the_engine_folds_people_in_as_the_exact_solver_left_them():
    material, _ = club_material(items=24, people=20, events_each=4)
    model = train_als(material, EXACT)
    known = model.arrays["item_counts"] > 0
    liked = sparse.csr_array(positive_matrix(material)[:, np.flatnonzero(known)])
    users, items = als.factorise(sparse.csr_array(liked * np.float32(EXACT.alpha)), EXACT)
    np.testing.assert_allclose(scores_of(model, material)[:, known], users @ items.T, atol=1e-3)


def test_unscaled_and_mapped_the_exact_solver_ranks_as_implicit_does():
    """Both losses are one another's multiple where all weights are 1: see the comment."""
    records, happenings, _ = clubs(people=60, items=40, events_each=12)
    material, _ = material_of(records, happenings, weight={"like": 1.0}, weighting=Weighting(cap=1.0))
    # c (s - 1)^2 on a like and s^2 elsewhere, with s = t * s' and t = (c - 1) / c, is alpha (s' - 1)^2 + s'^2 of all
    theirs = ALSParameters(factors=8, regularization=0.5, iterations=60, alpha=10.0)
    ours = replace(theirs, alpha=9.0, regularization=0.5 * 9 / 10, solver="exact")
    lists = []
    for parameters in (theirs, ours):
        scores = scores_of(train_als(material, parameters), material)
        lists.append(np.argsort(-scores, axis=1)[:, :10])
    shared = [np.intersect1d(one, other).size for one, other in zip(*lists, strict=True)]
    assert np.mean(shared) > 8.5


def test_items_nobody_liked_have_no_exact_vector():
    material, _ = club_material(items=24, people=3, events_each=4)
    arrays = train_als(material, EXACT).arrays
    untrained = arrays["item_counts"] == 0
    assert untrained.any()
    assert not arrays["item_factors"][untrained].any()
    assert arrays["item_factors"][~untrained].any(axis=1).all()


def one(user, item, event="like"):
    return Happening(user, item, event, NOW)


@pytest.mark.parametrize(
    "happenings",
    [
        [],
        [one("a", "i000")],
        [one("a", "i000"), one("b", "i000")],
        [one("a", "i000"), one("a", "i001")],
        [one("a", "i000", "dismiss"), one("b", "i001", "dismiss")],
    ],
    ids=["nothing", "one event", "one item", "one person", "only dislikes"],
)
@pytest.mark.parametrize("parameters", [SMALL, EXACT], ids=["implicit", "exact"])
def test_too_little_is_said_and_never_trained(happenings, parameters):
    material, _ = material_of(clubs()[0], happenings, {"a": {}}, weight={"dismiss": -3.0})
    with pytest.raises(NotEnough, match="ALS needs 2 people and 2 items"):
        train_als(material, parameters)
