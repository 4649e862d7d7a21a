from collections.abc import Sequence

import numpy as np
import pytest

from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.engines.base import Engine
from recommendation_service.engines.two_tower import TwoTower
from recommendation_service.errors import ArtifactRefused
from recommendation_service.tests.engines import board
from recommendation_service.tests.engines.calls import best_reason, candidates
from recommendation_service.tests.engines.contract import EngineContract


class TestTwoTower(EngineContract):
    def build(self, catalogue: Catalogue, order: Sequence[int]) -> Engine:
        return TwoTower("two_tower", board.two_tower(order), catalogue)


def engine(**words) -> tuple[TwoTower, Catalogue]:  # type: ignore[no-untyped-def]
    catalogue = board.catalogue()
    return TwoTower("two_tower", board.two_tower(**words), catalogue), catalogue


def test_a_newcomer_is_served_by_the_profile() -> None:
    towers, catalogue = engine()
    found = candidates(towers, board.query(catalogue, profile={"taste": ("Black",)}), 4)
    assert found is not None
    assert all(row % 2 for row in found.rows.tolist())


def test_a_profile_the_model_never_met_says_nothing() -> None:
    towers, catalogue = engine()
    assert towers.scores(board.query(catalogue, profile={"taste": ("green",)})) is None


def test_the_tower_is_the_forward_pass_of_its_layers() -> None:
    rng = np.random.default_rng(5)
    d, h = 3, 4
    arrays = {
        "item_vectors": rng.normal(size=(24, d)).astype(np.float32),
        "history_vectors": rng.normal(size=(24, d)).astype(np.float32),
        "item_ids": board.two_tower().arrays["item_ids"],
        "attributes": np.array([b"", b"skills=go", b"skills=python"]),
        "attribute_vectors": rng.normal(size=(3, d)).astype(np.float32),
        "layer1_weights": rng.normal(size=(2 * d, h)).astype(np.float32),
        "layer1_bias": rng.normal(size=h).astype(np.float32),
        "layer2_weights": rng.normal(size=(h, d)).astype(np.float32),
        "layer2_bias": rng.normal(size=d).astype(np.float32),
    }
    catalogue = board.catalogue()
    towers = TwoTower("two_tower", board.artifact("two_tower", arrays, {"recent": 2, "decay": 0.5}), catalogue)
    scores = towers.scores(board.query(catalogue, (7, 3, 5), profile={"skills": ("python", "go", "cobol")}))

    bag = (arrays["history_vectors"][7] + 0.5 * arrays["history_vectors"][3]) / 1.5  # only the newest two, newest first
    attrs = (arrays["attribute_vectors"][1] + arrays["attribute_vectors"][2]) / 2
    hidden = np.concatenate([bag, attrs]) @ arrays["layer1_weights"] + arrays["layer1_bias"]
    user = np.where(hidden > 0, hidden, 0) @ arrays["layer2_weights"] + arrays["layer2_bias"]
    np.testing.assert_allclose(scores, arrays["item_vectors"] @ (user / np.linalg.norm(user)), atol=1e-5)


def test_the_newest_likes_count_most() -> None:
    towers, catalogue = engine(decay=0.5)
    scores = towers.scores(board.query(catalogue, (1, 0)))
    assert scores is not None
    assert scores[3] > scores[2]


def test_the_reason_is_the_matched_attribute_or_the_nearest_recent_like() -> None:
    towers, catalogue = engine(recent=2)
    matched = best_reason(towers, board.query(catalogue, (0,), profile={"taste": ("white",)}), 6)
    nearest = best_reason(towers, board.query(catalogue, (1, 2, 4)), 6)
    opposite = best_reason(towers, board.query(catalogue, (1, 3)), 6)
    assert matched is not None
    assert matched.text == "Matches your taste: white"
    assert nearest is not None
    assert nearest.text == "Because you liked “Tile 2”"  # tile 4 is as near, but older than `recent`
    assert opposite is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("layer1_weights", np.eye(3, 4, dtype=np.float32)),
        ("layer2_weights", np.eye(4, 3, dtype=np.float32)),
        ("layer2_bias", np.zeros(3, dtype=np.float32)),
        ("history_vectors", np.ones((24, 3), dtype=np.float32)),
        ("attribute_vectors", np.ones((2, 2), dtype=np.float32)),
    ],
)
def test_layers_that_do_not_fit_together_are_refused(name: str, value: np.ndarray) -> None:
    wrong = board.artifact("two_tower", {**board.two_tower().arrays, name: value}, {"recent": 5, "decay": 0.9})
    with pytest.raises(ArtifactRefused, match=name):
        TwoTower("two_tower", wrong, board.catalogue())


def test_asked_to_it_always_has_a_plain_reason_where_there_is_no_better_one() -> None:
    catalogue = board.catalogue()
    towers = TwoTower("two_tower", board.two_tower(recent=2), catalogue, always_explain=True)
    asked = [
        board.query(catalogue, (1, 3)),
        board.query(catalogue, subject=(1,)),
        board.query(catalogue, profile={"taste": ("black",)}),
        board.query(catalogue),
    ]
    told = [best_reason(towers, query, 6) for query in asked]
    assert [one and one.text for one in told] == [
        "Suits what you did here lately",
        "Goes with this",
        "Suits your profile",
        None,
    ]
