from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendation_service.core.numeric import weighted_direction
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.engines.base import Engine
from recommendation_service.engines.embedding import Embedding
from recommendation_service.errors import ArtifactRefused
from recommendation_service.tests.engines import board
from recommendation_service.tests.engines.calls import best_reason, candidates
from recommendation_service.tests.engines.contract import EngineContract


class TestEmbedding(EngineContract):
    def build(self, catalogue: Catalogue, order: Sequence[int]) -> Engine:
        return Embedding("embedding", board.embedding(order), catalogue)


def engine(**words) -> tuple[Embedding, Catalogue]:  # type: ignore[no-untyped-def]
    catalogue = board.catalogue()
    return Embedding("embedding", board.embedding(**words), catalogue), catalogue


def test_the_preference_is_the_weighted_direction_of_the_history() -> None:
    embedding, catalogue = engine()
    vectors = board.embedding().arrays["item_vectors"]
    scores = embedding.scores(board.query(catalogue, (0, 1, 4), weights=(5.0, 1.0, -1.0)))
    wanted = 5 * vectors[0] + vectors[1] - vectors[4]
    assert scores is not None
    np.testing.assert_allclose(scores, vectors @ (wanted / np.linalg.norm(wanted)), atol=1e-6)


def test_a_purchase_outweighs_a_view() -> None:
    embedding, catalogue = engine()
    found = candidates(embedding, board.query(catalogue, (1, 0), weights=(1.0, 5.0)), 4)
    assert found is not None
    assert {row % 2 for row in found.rows.tolist()} == {0}


def test_a_basket_asks_for_what_suits_all_of_it() -> None:
    embedding, catalogue = engine()
    found = candidates(embedding, board.query(catalogue, (3,), subject=(0, 4)), 4)
    assert found is not None
    assert {row % 2 for row in found.rows.tolist()} == {0}


def test_items_on_the_other_side_are_scored_but_not_recommended() -> None:
    embedding, catalogue = engine()
    asked = board.query(catalogue, (0, 1), weights=(1.0, -1.0))
    scores, found = embedding.scores(asked), candidates(embedding, asked, 24)
    assert scores is not None
    assert scores[7] < 0
    assert found is not None
    assert (found.scores > 0).all()
    assert 7 not in found.rows


def test_dislikes_alone_lead_nowhere() -> None:
    embedding, catalogue = engine()
    assert embedding.scores(board.query(catalogue, (0, 2), weights=(-1.0, -2.0))) is None


def test_an_item_without_text_is_unknown_and_says_nothing_of_a_taste() -> None:
    embedding, catalogue = engine(blank=(3,))
    scores = embedding.scores(board.query(catalogue, (0,)))
    assert scores is not None
    assert np.flatnonzero(np.isnan(scores)).tolist() == [3]
    assert embedding.scores(board.query(catalogue, (3,))) is None
    assert best_reason(embedding, board.query(catalogue, (3,)), 5) is None


def test_the_reason_names_the_nearest_liked_item_and_what_both_share() -> None:
    embedding, catalogue = engine()
    liked = best_reason(embedding, board.query(catalogue, (1, 0)), 6)
    asked = best_reason(embedding, board.query(catalogue, subject=(0,)), 6)
    assert liked is not None
    assert liked.text == "Similar to “Tile 0”, which you liked: tone0"
    assert asked is not None
    assert asked.text == "Similar to “Tile 0”: tone0"


def test_a_row_with_nothing_in_common_has_no_reason() -> None:
    embedding, catalogue = engine()
    assert best_reason(embedding, board.query(catalogue, (0,)), 1) is None


@pytest.mark.parametrize(
    ("vectors", "told"),
    [
        (np.ones((board.N, 5), dtype=np.float32), "one number only"),
        (2 * board.embedding().arrays["item_vectors"], "unit length"),
        (board.embedding().arrays["item_vectors"][:3], "item_vectors is"),
    ],
)
def test_vectors_that_are_none_are_refused(vectors: np.ndarray, told: str) -> None:
    wrong = board.artifact("embedding", {**board.embedding().arrays, "item_vectors": vectors})
    with pytest.raises(ArtifactRefused, match=told):
        Embedding("embedding", wrong, board.catalogue())


likings = st.lists(st.floats(0, 5, width=32), min_size=1, max_size=6)  # where dislikes cancel likes, rounding decides


@settings(deadline=None)
@given(drawn=likings, scale=st.floats(0.125, 64, width=32))
def test_a_direction_has_unit_length_and_no_size(drawn: list[float], scale: float) -> None:
    vectors = board.embedding().arrays["item_vectors"][: len(drawn)]
    weights = np.array(drawn, dtype=np.float64)
    found, larger = (weighted_direction(vectors, weights * times) for times in (1.0, scale))
    assert (found is None) == (larger is None) == (not any(drawn))
    if found is not None and larger is not None:
        assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(found, larger, atol=1e-4)


def test_likes_of_long_ago_still_point_somewhere() -> None:
    vectors = board.embedding().arrays["item_vectors"][:2]
    now = weighted_direction(vectors, np.array([3.0, 1.0]))
    then = weighted_direction(vectors, np.array([3.0, 1.0]) * np.exp(-2_000 / 30))
    assert now is not None
    assert then is not None
    np.testing.assert_allclose(then, now, atol=1e-6)


def test_a_like_and_an_equal_dislike_of_one_thing_point_nowhere() -> None:
    same = np.array([[0.6, 0.8], [0.6, 0.8]], dtype=np.float32)
    assert weighted_direction(same, np.array([2.0, -2.0], dtype=np.float32)) is None
    assert weighted_direction(same[:0], np.empty(0, dtype=np.float32)) is None
