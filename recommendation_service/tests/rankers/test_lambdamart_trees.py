"""Trees as arrays say exactly what LightGBM says of them, unknown values included."""

from typing import Any

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendation_service.errors import ArtifactRefused
from recommendation_service.rankers.lambdamart import Forest
from recommendation_service.tests.support.service import learned_arrays
from recommendation_service.training.ranking.lambdamart import arrays_of, predicted

COLUMNS = tuple(f"c{place}" for place in range(5))


def grown(seed: int, *, unknown: float, leaves: int, trees: int, target: str = "regression") -> lightgbm.Booster:
    """Trees over five columns; the last never lacks a value while it is trained, the others do in part."""
    rng = np.random.default_rng(seed)
    rows = np.round(rng.normal(size=(600, 5)), 1).astype(np.float32)
    values = rows @ rng.normal(size=5) + np.sin(3 * rows[:, 0])
    rows[:, :4][rng.random((600, 4)) < unknown] = np.nan
    told: dict[str, Any] = {"objective": target, "num_leaves": leaves, "min_data_in_leaf": 5, "verbosity": -1, "num_threads": 1}
    return lightgbm.train(told, lightgbm.Dataset(rows, values, params={"verbosity": -1}), trees)


def forest_of(booster: lightgbm.Booster) -> Forest:
    return Forest.of(arrays_of(booster, COLUMNS), columns=len(COLUMNS), where="learned_v1")


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**20),
    unknown=st.sampled_from([0.0, 0.2, 0.9]),
    leaves=st.integers(2, 31),
    trees=st.integers(1, 40),
)
def test_every_row_gets_what_lightgbm_says_of_it(seed: int, unknown: float, leaves: int, trees: int) -> None:
    booster = grown(seed, unknown=unknown, leaves=leaves, trees=trees)
    rng = np.random.default_rng(seed + 1)
    rows = np.round(rng.normal(size=(3_000, 5)), 1).astype(np.float32)  # rounded as in training: many lie on a threshold
    rows[rng.random(rows.shape) < 0.2] = np.nan
    np.testing.assert_allclose(forest_of(booster).predict(rows), predicted(booster, rows), rtol=0, atol=1e-6)


def test_a_tree_without_a_split_says_one_number_for_all() -> None:
    rows = np.zeros((40, 5), dtype=np.float32)
    told = {"objective": "regression", "verbosity": -1}
    booster = lightgbm.train(told, lightgbm.Dataset(rows, np.ones(40), params={"verbosity": -1}), 2)
    forest = forest_of(booster)
    assert forest.depth == 0
    np.testing.assert_allclose(forest.predict(rows), predicted(booster, rows), atol=1e-6)


def test_no_rows_get_no_answers() -> None:
    forest = Forest.of(learned_arrays(), columns=2, where="learned_v1")
    assert forest.predict(np.empty((0, 2), dtype=np.float32)).shape == (0,)


def test_unknown_values_go_where_training_sent_them() -> None:
    unknown = np.full((1, 2), np.nan, dtype=np.float32)
    arrays = learned_arrays()
    assert Forest.of(arrays, columns=2, where="x").predict(unknown).tolist() == [0.0]
    arrays["node_unknown_left"][:] = 0
    assert Forest.of(arrays, columns=2, where="x").predict(unknown).tolist() == [1.0]


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("node_left", 0, 9),
        ("node_right", 0, -1),
        ("node_left", 2, 0),
        ("node_left", 0, 0),
        ("tree_roots", 0, 3),
        ("tree_roots", 0, -1),
        ("node_feature", 0, 2),
        ("node_feature", 0, -1),
    ],
)
def test_trees_that_a_walk_could_leave_or_never_end_in_are_refused(name: str, place: int, value: int) -> None:
    arrays = learned_arrays()
    arrays[name][place] = value
    with pytest.raises(ArtifactRefused, match=r"learned_v7: .*train it again"):
        Forest.of(arrays, columns=2, where="learned_v7")


def test_a_decision_that_serving_does_not_know_is_not_exported() -> None:
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 6, size=(500, 1)).astype(np.float32)
    told = {"objective": "regression", "verbosity": -1, "num_threads": 1, "min_data_per_group": 1, "cat_smooth": 1.0}
    ready = lightgbm.Dataset(kinds, kinds[:, 0] % 2, categorical_feature=[0], params={"verbosity": -1})
    booster = lightgbm.train(told, ready, 1)
    with pytest.raises(Exception, match="unknown to the ranker"):
        arrays_of(booster, ("kind",))
