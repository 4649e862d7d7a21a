from collections.abc import Sequence

import numpy as np
import pytest

from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.engines.base import Engine
from recommendation_service.engines.margin import Margin
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing import array_schemas
from recommendation_service.tests.engines import board
from recommendation_service.tests.engines.calls import best_reason
from recommendation_service.tests.engines.contract import EngineContract


def arrays(order: Sequence[int] = range(board.N), **changed):  # type: ignore[no-untyped-def]
    """d = 2, one axis a colour; "anna" leans towards black by herself."""
    colours = np.array([[number % 2 == 0, number % 2 == 1] for number in order], dtype=np.float32)
    made = {
        "item_ids": np.array([one.encode() for one in board.item_ids()], dtype=np.bytes_)[list(order)],
        "item_vectors": colours,
        "item_biases": np.zeros(len(order), dtype=np.float32),
        "history_vectors": colours,
        "content_vectors": colours[:, :1],
        "user_ids": np.array([b"anna", b"bert"]),
        "user_vectors": np.array([[0, 5], [0, 0]], dtype=np.float32),
    }
    return {**made, **changed}


def engine(recent: float = 5, **changed):  # type: ignore[no-untyped-def]
    tiles = board.catalogue()
    return Margin("collaborative", board.artifact("margin", arrays(**changed), {"recent": recent}), tiles), tiles


class TestMargin(EngineContract):
    def build(self, catalogue: Catalogue, order: Sequence[int]) -> Engine:
        return Margin("collaborative", board.artifact("margin", arrays(order), {"recent": 5}), catalogue)


def test_the_score_is_own_vector_plus_pooled_likes_times_the_item_plus_its_bias() -> None:
    rng = np.random.default_rng(3)
    made = {name: rng.normal(size=(24, 3)).astype(np.float32) for name in ("item_vectors", "history_vectors")}
    made |= {"item_biases": rng.normal(size=24).astype(np.float32), "user_vectors": rng.normal(size=(2, 3)).astype(np.float32)}
    margin, tiles = engine(recent=2, **made)
    scores = margin.scores(board.query(tiles, (7, 3, 5), weights=(3, 1, 2), user_id="bert"))

    pooled = (3 * made["history_vectors"][7] + 1 * made["history_vectors"][3]) / 2 / np.sqrt(2)  # 2: mean weight; newest two
    wanted = made["item_vectors"] @ (made["user_vectors"][1] + pooled) + made["item_biases"]
    np.testing.assert_allclose(scores, wanted, rtol=1e-4, atol=1e-5)


def test_a_new_like_moves_the_list_without_training_again() -> None:
    margin, tiles = engine()
    before = margin.scores(board.query(tiles, (0,), user_id="bert"))
    after = margin.scores(board.query(tiles, (1, 3, 0), user_id="bert"))
    assert before[2] > before[5]
    assert after[5] > after[2]


def test_a_known_person_keeps_their_own_leaning() -> None:
    margin, tiles = engine()
    anna = margin.scores(board.query(tiles, (0,), user_id="anna"))
    stranger = margin.scores(board.query(tiles, (0,), user_id="somebody new"))
    assert anna[5] > anna[2]
    assert stranger[2] > stranger[5]


def test_a_known_person_whose_history_was_erased_is_no_longer_known() -> None:
    margin, tiles = engine()
    assert margin.scores(board.query(tiles, user_id="anna")) is None


def test_an_item_asked_about_stands_for_itself_and_not_for_who_asks() -> None:
    margin, tiles = engine()
    by_anna, by_bert = (margin.scores(board.query(tiles, (1,), subject=(0,), user_id=name)) for name in ("anna", "bert"))
    np.testing.assert_array_equal(by_anna, by_bert)
    assert by_anna[2] > by_anna[5]


def test_the_reason_is_the_like_that_adds_most() -> None:
    margin, tiles = engine()
    asked = board.query(tiles, (1, 2, 4), weights=(1, 1, 3))
    assert best_reason(margin, asked, 6).text == "Because you liked “Tile 4”"
    assert best_reason(margin, asked, 7).text == "Because you liked “Tile 1”"
    assert best_reason(margin, board.query(tiles, (1,)), 6) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("user_vectors", np.zeros((3, 2), dtype=np.float32)),
        ("user_vectors", np.zeros((2, 4), dtype=np.float32)),
        ("history_vectors", np.zeros((24, 4), dtype=np.float32)),
        ("item_biases", np.zeros(23, dtype=np.float32)),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(name: str, value: np.ndarray) -> None:
    wrong = board.artifact("margin", arrays(**{name: value}), {"recent": 5})
    with pytest.raises(ArtifactRefused, match=name):
        Margin("collaborative", wrong, board.catalogue())
    with pytest.raises(ArtifactRefused):
        array_schemas.check("margin", wrong.arrays, where="margin_v1")


def test_vectors_that_are_all_one_number_are_refused() -> None:
    with pytest.raises(ArtifactRefused, match="one number only"):
        engine(item_vectors=np.ones((24, 2), dtype=np.float32))
