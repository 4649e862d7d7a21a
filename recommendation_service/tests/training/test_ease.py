import numpy as np
import pytest
from scipy import sparse

from recommendation_service.artifacts.shapes import check
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.engines.ease import Ease
from recommendation_service.tests.support.exports import NOW, Happening
from recommendation_service.tests.support.materials import club_material, club_panel, material_of
from recommendation_service.training import metrics
from recommendation_service.training.ease import EaseParameters, liking_matrix, train_ease, weights_of
from recommendation_service.training.evaluation import score_people
from recommendation_service.training.material import NotEnough

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


def test_the_weights_are_those_of_a_ridge_regression_of_each_item_on_the_others():
    rng = np.random.default_rng(0)
    people = (rng.random((40, 7)) < 0.4).astype(np.float32)
    found = weights_of(sparse.csr_array(people), 3.0)
    for item in range(7):
        others = np.delete(np.arange(7), item)
        x, y = people[:, others].astype(float), people[:, item]
        expected = np.linalg.solve(x.T @ x + 3.0 * np.eye(6), x.T @ y)
        np.testing.assert_allclose(found[others, item], expected, atol=2e-4)
        assert found[item, item] == 0


def test_only_the_strongest_places_of_a_row_are_kept():
    whole = table_of(train_ease(club_material()[0], EaseParameters(regularization=5)))
    cut = table_of(train_ease(club_material()[0], EaseParameters(regularization=5, kept=3)))
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


def test_people_get_their_own_club_with_either_table():
    for parameters in (EaseParameters(regularization=5), EaseParameters(invertible=1)):
        early, panel, _split = club_panel()
        made = train_ease(early, parameters)
        check("ease", made.arrays, place="here")
        engine = Ease.from_artifact("ease", made.artifact("clubs"), early.catalogue)
        scores = score_people(engine, panel)
        popular = np.broadcast_to(early.catalogue.popularity, scores.shape)
        own = metrics.ndcg(scores, panel.eligible, panel.relevant)
        assert own > 1.2 * metrics.ndcg(np.array(popular), panel.eligible, panel.relevant)


def test_neighbours_are_shrunk_cosines_with_nothing_of_an_item_itself():
    made = train_ease(likes(a={0: 0, 1: 0}, b={0: 0, 1: 0}, c={0: 0, 2: 0}), EaseParameters(invertible=1, shrink=1.0))
    table = table_of(made)
    assert table[0, 1] == pytest.approx(2 / (np.sqrt(3 * 2) + 1), rel=1e-5)
    assert table[0, 2] == pytest.approx(1 / (np.sqrt(3 * 1) + 1), rel=1e-5)
    assert (np.diag(table) == 0).all()
    assert not table[3:].any()  # nobody liked those


def test_two_runs_give_the_same_bytes():
    one, other = (train_ease(club_material()[0], EaseParameters()) for _ in range(2))
    assert all(one.arrays[name].tobytes() == other.arrays[name].tobytes() for name in one.arrays)


def test_too_little_is_said():
    with pytest.raises(NotEnough, match="2 people who liked 2 items each; this export has 1"):
        train_ease(likes(a={0: 0, 1: 0}, b={2: 0}), EaseParameters())
