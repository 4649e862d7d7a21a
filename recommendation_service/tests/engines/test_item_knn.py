"""Item kNN, from the counting of similarities to the served list."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recommendation_service.core.numeric import AnyArray
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.engines.base import Engine
from recommendation_service.engines.item_to_item import ItemKNN
from recommendation_service.publishing.array_schemas import check
from recommendation_service.tests.engines import board
from recommendation_service.tests.engines.contract import EngineContract
from recommendation_service.tests.support.exports import NOW, Happening
from recommendation_service.tests.support.materials import club_material, club_panel, material_of
from recommendation_service.training.data import NotEnough
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import score_people
from recommendation_service.training.models.item_knn import ItemKNNParameters, similarities, train_item_knn

PLAIN = ItemKNNParameters(shrinkage=0.0, activity=0.0)


def colours(order: Sequence[int]) -> AnyArray:
    """(n, n) tiles of one colour are similar, tiles with near numbers a little more."""
    numbers = np.array(order)
    distance = np.abs(numbers[:, None] - numbers[None, :])
    return np.where((distance % 2 == 0) & (distance > 0), 1 - distance / 100, 0).astype(np.float32)


def arrays_of(table: AnyArray, order: Sequence[int] = range(board.N)) -> dict[str, AnyArray]:
    rows = sparse.csr_array(table)
    return {
        "item_ids": np.array([item_id.encode() for item_id in board.item_ids()])[list(order)],
        "item_counts": np.full(len(order), 3, dtype=np.int32),
        "indptr": rows.indptr.astype(np.int64),
        "indices": rows.indices.astype(np.int32),
        "values": rows.data,
    }


class TestItemKNN(EngineContract):
    def build(self, catalogue: Catalogue, order: Sequence[int]) -> Engine:
        return ItemKNN("item_knn", board.artifact("item_knn", arrays_of(colours(order), order)), catalogue)


def test_scores_are_the_similarities_times_the_weights_of_the_likes() -> None:
    table = np.random.default_rng(0).random((board.N, board.N)).astype(np.float32)
    engine = ItemKNN("item_knn", board.artifact("item_knn", arrays_of(table)), board.catalogue())
    query = board.query(board.catalogue(), likes=(3, 8, 11), weights=(2.0, -1.0, 0.5))
    scores = engine.scores(query)
    assert scores is not None
    np.testing.assert_allclose(scores, 2.0 * table[3] + 0.5 * table[11], rtol=1e-5)


def random_likes(seed: int, users: int = 30, items: int = 9) -> AnyArray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random((users, items)) < 0.4, rng.uniform(0.5, 5.0, (users, items)), 0).astype(np.float32)


@given(st.integers(0, 1_000))
def test_without_shrinkage_a_similarity_is_the_cosine_of_the_weights(seed: int) -> None:
    likes = random_likes(seed)
    likes[0] = 1.0  # every item has a user
    unit = likes / np.linalg.norm(likes, axis=0)
    expected = unit.T @ unit
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(similarities(sparse.csr_array(likes), PLAIN).toarray(), expected, atol=1e-5)


def test_shrinkage_halves_a_similarity_that_rests_on_that_many_users() -> None:
    likes = sparse.csr_array(np.array([[1, 1, 0], [1, 1, 0], [1, 1, 1]], dtype=np.float32))
    plain = similarities(likes, PLAIN).toarray()
    shrunk = similarities(likes, ItemKNNParameters(shrinkage=3.0, activity=0.0)).toarray()
    assert shrunk[0, 1] == pytest.approx(plain[0, 1] / 2)  # three common users
    assert shrunk[0, 2] == pytest.approx(plain[0, 2] / 4)  # one


def test_users_with_many_items_count_less() -> None:
    likes = sparse.csr_array(np.array([[1, 1, 0, 0, 0], [0, 1, 1, 1, 1], [1, 0, 1, 0, 0]], dtype=np.float32))
    plain = similarities(likes, PLAIN).toarray()
    weighted = similarities(likes, ItemKNNParameters(shrinkage=0.0, activity=1.0)).toarray()
    assert plain[1, 0] == pytest.approx(plain[1, 2])  # one common user each, who has two items or four
    assert weighted[1, 0] > 1.2 * weighted[1, 2]


def test_ungraded_likes_count_one_each() -> None:
    likes = random_likes(1)
    ungraded = ItemKNNParameters(graded=False)
    np.testing.assert_allclose(
        similarities(sparse.csr_array(likes), ungraded).toarray(),
        similarities(sparse.csr_array((likes > 0).astype(np.float32)), ungraded).toarray(),
    )


def test_the_most_similar_items_of_each_row_remain_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    likes = sparse.csr_array(random_likes(2, items=20))
    whole = similarities(likes, ItemKNNParameters()).toarray()
    monkeypatch.setattr("recommendation_service.training.models.item_knn.ITEMS_AT_ONCE", 3)
    cut = similarities(likes, ItemKNNParameters(neighbours=4)).toarray()
    for row, remaining in zip(whole, cut, strict=True):
        stored = np.flatnonzero(remaining)
        np.testing.assert_allclose(remaining[stored], row[stored])
        assert sorted(remaining[stored]) == pytest.approx(sorted(row)[-4:])


def test_users_get_items_of_their_own_club() -> None:
    early, panel, _split = club_panel()
    trained = train_item_knn(early, ItemKNNParameters())
    check("item_knn", trained.arrays, where="test")
    engine = ItemKNN("item_knn", trained.artifact("clubs"), early.catalogue)
    scores = score_people(engine, panel)
    popular = np.array(np.broadcast_to(early.catalogue.popularity, scores.shape))
    served = metrics.ndcg(scores, panel.eligible, panel.relevant)
    assert served > 1.2 * metrics.ndcg(popular, panel.eligible, panel.relevant)


def test_items_that_no_user_shares_are_not_enough() -> None:
    items = [ItemRecord("a", "A"), ItemRecord("b", "B")]
    likes = [Happening("u", "a", "like", NOW), Happening("v", "b", "like", NOW)]
    with pytest.raises(NotEnough, match="two items that the same user liked"):
        train_item_knn(material_of(items, likes)[0], ItemKNNParameters())


def test_training_twice_gives_the_same_model() -> None:
    first, second = (train_item_knn(club_material()[0], ItemKNNParameters()).arrays for _ in range(2))
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name])
