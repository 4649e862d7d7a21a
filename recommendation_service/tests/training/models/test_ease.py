from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from recommendation_service.datasets.records import ItemRecord
from recommendation_service.engines.item_to_item import Ease
from recommendation_service.errors import ConfigurationError
from recommendation_service.publishing.array_schemas import check
from recommendation_service.tests.support.exports import NOW, Happening
from recommendation_service.tests.support.materials import club_material, club_panel, material_of
from recommendation_service.training.data import NotEnough
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import score_people
from recommendation_service.training.models.ease import METHODS, EaseParameters, liking_matrix, train_ease
from recommendation_service.training.models.ease import table_of as weights
from recommendation_service.training.tuning import HyperparameterSearch

ITEMS = [ItemRecord(f"i{row}", f"Item {row}") for row in range(6)]


def likes(**people):
    """Each person's liked items and how many days ago, {item: days}."""
    happenings = [
        Happening(person, f"i{row}", "like", NOW - 86_400.0 * days)
        for person, own in people.items()
        for row, days in own.items()
    ]
    return material_of(ITEMS, happenings)[0]


def table_of(made):
    arrays = made.arrays
    n = arrays["item_ids"].size
    return sparse.csr_array((arrays["values"], arrays["indices"], arrays["indptr"]), shape=(n, n)).toarray()


PLAIN = {"activity": 0.0, "popularity": 0.0, "rarity": 0.0}


def random_likings(seed=0, people=40, items=7, share=0.4):
    found = (np.random.default_rng(seed).random((people, items)) < share).astype(np.float32)
    found[:2] = 1  # everything is liked by somebody
    found[:, 0] = 1  # and everybody likes something
    return sparse.csr_array(found)


def test_plain_weights_are_those_of_a_ridge_regression_of_each_item_on_the_others():
    people = random_likings()
    found = weights(people, EaseParameters(regularization=3.0, **PLAIN)).toarray()
    for item in range(7):
        others = np.delete(np.arange(7), item)
        x, y = people.toarray()[:, others].astype(float), people.toarray()[:, item]
        expected = np.linalg.solve(x.T @ x + 3.0 * np.eye(6), x.T @ y)
        np.testing.assert_allclose(found[others, item], expected, atol=2e-4)
        assert found[item, item] == 0


def test_the_powers_divide_people_items_and_rows_and_the_ridge_keeps_its_weight():
    people = random_likings(1)
    found = weights(people, EaseParameters(regularization=3.0, activity=1.0, popularity=0.5, rarity=0.25)).toarray()
    whole = people.toarray().astype(float)
    count = whole.sum(axis=0)
    even = whole / np.sqrt(whole.sum(axis=1, keepdims=True)) / np.sqrt(count)
    ridge = 3.0 * np.square(even).sum() / whole.sum()
    inverse = np.linalg.inv(even.T @ even + ridge * np.eye(7))
    expected = -inverse / np.diag(inverse) / count[:, None] ** 0.25
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-5)


def test_a_filter_with_all_directions_is_ridge_regression():
    people = random_likings(2, people=60, items=12)
    found = weights(people, EaseParameters(regularization=5.0, method="graph_filter", vectors=12, **PLAIN)).toarray()
    gram = (people.T @ people).toarray().astype(float)
    expected = np.linalg.solve(gram + 5.0 * np.eye(12), gram)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(found, expected, atol=0.02)  # one direction of twelve is bent as the rest


def test_a_filter_with_few_directions_comes_closer_to_the_closed_form_than_neighbours():
    people = clubs()
    exact = weights(people, EaseParameters(regularization=20.0)).toarray().ravel()
    told = {
        method: np.corrcoef(
            exact, weights(people, EaseParameters(regularization=20.0, method=method, vectors=5)).toarray().ravel()
        )
        for method in ("graph_filter", "neighbours")
    }
    assert told["graph_filter"][0, 1] > 0.95
    assert told["graph_filter"][0, 1] > told["neighbours"][0, 1]


def clubs(people=200, items=40):
    """People of four clubs, who like the ten things of theirs, and a few of everybody's."""
    rng = np.random.default_rng(3)
    own = np.arange(people)[:, None] % 4 == np.arange(items) // 10
    return sparse.csr_array((rng.random((people, items)) < np.where(own, 0.5, 0.1)).astype(np.float32))


def test_neighbours_share_people_each_counted_by_how_much_they_like():
    people = sparse.csr_array(np.array([[1, 1, 0], [1, 1, 0], [1, 0, 1]], dtype=np.float32))
    found = weights(people, EaseParameters(method="neighbours", activity=1.0, popularity=0.5)).toarray()
    expected = np.array([[0, 1 / np.sqrt(6), 0.5 / np.sqrt(3)], [1 / np.sqrt(6), 0, 0], [0.5 / np.sqrt(3), 0, 0]])
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("items", "each", "told", "method"),
    [
        (10, 2, {}, "closed_form"),
        (6_000, 40, {}, "closed_form"),
        (6_000, 5, {}, "graph_filter"),
        (6_000, 40, {"invertible": 5_999}, "graph_filter"),
        (10, 2, {"invertible": 9}, "graph_filter"),
        (6_000, 5, {"method": "neighbours"}, "neighbours"),
    ],
)
def test_the_method_goes_by_size_and_density_unless_it_is_stated(items, each, told, method):
    people = np.repeat(np.arange(each), items)
    likings = sparse.csr_array((np.ones(items * each), (people, np.tile(np.arange(items), each))), shape=(each, items))
    assert EaseParameters(**told).method_for(likings) == method


def test_a_method_nobody_knows_is_refused():
    with pytest.raises(ConfigurationError, match="no method 'magic'; it knows closed_form, graph_filter, neighbours"):
        EaseParameters(method="magic")


def test_only_the_strongest_places_of_a_row_are_kept():
    whole = table_of(train_ease(club_material()[0], EaseParameters(regularization=5)))
    cut = table_of(train_ease(club_material()[0], EaseParameters(regularization=5, top_k=3)))
    assert (np.count_nonzero(cut, axis=1) <= 3).all()
    for row, kept in zip(whole, cut, strict=True):
        there = np.flatnonzero(kept)
        np.testing.assert_array_equal(kept[there], row[there])
        assert np.abs(row[there]).min(initial=np.inf) >= np.abs(np.delete(row, there)).max(initial=0) or not there.size


def test_old_likings_count_less_but_never_below_the_floor():
    material = likes(a={0: 0, 1: 90, 2: 100_000}, b={0: 0, 1: 0})
    matrix = liking_matrix(material, EaseParameters(decay_days=90, floor=0.3)).toarray()
    user = material.user_ids.row("a")
    np.testing.assert_allclose(matrix[user, :3], [1, 0.3 + 0.7 * np.exp(-1), 0.3], rtol=1e-4)
    assert (liking_matrix(material, EaseParameters()).toarray()[user, :3] == 1).all()


def test_people_get_their_own_club_by_every_method():
    for method in METHODS:
        early, panel, _split = club_panel()
        made = train_ease(early, EaseParameters(regularization=5, method=method))
        check("ease", made.arrays, where="here")
        engine = Ease("ease", made.artifact("clubs"), early.catalogue)
        scores = score_people(engine, panel)
        popular = np.broadcast_to(early.catalogue.popularity, scores.shape)
        own = metrics.ndcg(scores, panel.eligible, panel.relevant)
        assert own > 1.2 * metrics.ndcg(np.array(popular), panel.eligible, panel.relevant)


def test_two_runs_give_the_same_bytes():
    for method in METHODS:
        one, other = (train_ease(club_material()[0], EaseParameters(method=method, vectors=3)) for _ in range(2))
        assert all(one.arrays[name].tobytes() == other.arrays[name].tobytes() for name in one.arrays)


def test_too_little_is_said():
    with pytest.raises(NotEnough, match="2 people who liked 2 items each; this export has 1"):
        train_ease(likes(a={0: 0, 1: 0}, b={2: 0}), EaseParameters())


def test_settings_without_effect_are_told_from_others():
    material, stated = club_material()[0], EaseParameters()
    neighbours = EaseParameters(method="neighbours")
    assert replace(stated, vectors=9, floor=0.9, method="closed_form").settled(material) == stated.settled(material)
    assert replace(stated, regularization=9.0).settled(material) != stated.settled(material)
    assert replace(neighbours, regularization=9.0).settled(material) == neighbours.settled(material) != stated.settled(material)


def test_trials_train_once_for_settings_without_effect():
    early, panel, _split = club_panel()
    asked = []
    trials = HyperparameterSearch(early, panel, "ease", lambda made: asked.append(made))
    assert trials.measure(EaseParameters()) == trials.measure(EaseParameters(vectors=7))
    assert len(asked) == 1
