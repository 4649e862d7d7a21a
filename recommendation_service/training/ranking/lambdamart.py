"""Grows the trees of the learned ranker with LightGBM, and takes them apart into arrays that serving can walk.

LambdaMART (Burges, 2010): pairs of a list are weighed by what swapping them would change in NDCG. What people saw first
they clicked most, whatever it was; LightGBM learns an additive bias of each position beside the trees (a generalised
additive model, its pull request 5929) and leaves it out of the score. So the position is known to training alone.
"""

from collections.abc import Mapping
from typing import Any

import lightgbm
import numpy as np

from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.errors import DatasetError
from recommendation_service.training.ranking.parameters import RankerParameters
from recommendation_service.training.ranking.training_data import ShownLists, grades_of, levels_of

CLICK_TREES, CLICK_RATE = 60, 0.1
KNOWS_MISSING, NOTHING_MISSING = "NaN", "None"  # LightGBM's words: the column had unknown values in training, or had none


def grow(lists: ShownLists, parameters: RankerParameters) -> lightgbm.Booster:
    """The trees for these lists; the same for the same lists, parameters and version of LightGBM."""
    levels = levels_of(lists.weights)
    ready = lightgbm.Dataset(
        lists.features,
        label=grades_of(lists.weights, levels),
        group=np.diff(lists.indptr),
        position=lists.positions - 1 if parameters.correct_positions else None,
        feature_name=[name.replace(":", "_") for name in lists.names],  # LightGBM refuses the colon
        params={"verbosity": -1},
    )
    told = {
        "objective": "lambdarank",
        "label_gain": [0.0, *levels.astype(float).tolist()],
        "lambdarank_truncation_level": 10,
        "learning_rate": parameters.learning_rate,
        **_always(parameters),
    }
    return lightgbm.train(told, ready, num_boost_round=parameters.trees)


def looked_at(lists: ShownLists, parameters: RankerParameters) -> AnyArray:
    """(places,) how often each place is looked at, against the top's 1, never more than the place above it.

    By a model of clicks that may use the position beside the features, then asked for all items at each position in
    turn: what is left of the difference is the place's own doing and not that of what stands there.
    """
    told = {
        "objective": "binary",
        "learning_rate": CLICK_RATE,
        "monotone_constraints": [0] * len(lists.names) + [-1],
        "monotone_constraints_method": "advanced",
        **_always(parameters),
    }
    table = np.column_stack([lists.features, lists.positions]).astype(np.float32)
    ready = lightgbm.Dataset(table, label=(lists.weights > 0).astype(np.int64), params={"verbosity": -1})
    model = lightgbm.train(told, ready, num_boost_round=CLICK_TREES)
    found = []
    for position in range(1, int(lists.positions.max()) + 1):
        table[:, -1] = position
        found.append(predicted(model, table).mean())
    return np.asarray(np.array(found) / found[0])


def _always(parameters: RankerParameters) -> dict[str, Any]:
    return {
        "num_leaves": parameters.leaves,
        "min_data_in_leaf": parameters.least_in_leaf,
        "seed": parameters.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }


def arrays_of(booster: lightgbm.Booster, names: tuple[str, ...]) -> dict[str, AnyArray]:
    """The arrays of an artifact of kind "learned": every tree's nodes in one numbering, parents before children."""
    nodes = _Nodes()
    roots = [nodes.add(tree["tree_structure"]) for tree in booster.dump_model()["tree_info"]]
    return {
        "features": np.array([name.encode() for name in names], dtype=np.bytes_),
        "tree_roots": np.array(roots, dtype=np.int32),
        "node_feature": np.array(nodes.feature, dtype=np.int32),
        "node_threshold": np.array(nodes.threshold, dtype=np.float64),
        "node_left": np.array(nodes.left, dtype=np.int32),
        "node_right": np.array(nodes.right, dtype=np.int32),
        "node_unknown_left": np.array(nodes.unknown_left, dtype=np.uint8),
        "node_value": np.array(nodes.value, dtype=np.float64),
    }


def importance(booster: lightgbm.Booster, names: tuple[str, ...]) -> dict[str, float]:
    """Each column's share of what all splits together gained, largest first; columns that no tree looks at are left out."""
    gained = booster.feature_importance("gain")
    whole = float(gained.sum()) or 1.0
    order = np.argsort(-gained, kind="stable")
    return {names[place]: float(gained[place] / whole) for place in order.tolist() if gained[place] > 0}


def predicted(booster: lightgbm.Booster, features: Floats) -> AnyArray:
    """(n,) float64 by LightGBM itself."""
    return np.asarray(booster.predict(features, num_threads=1))


class _Nodes:
    """Columns of the nodes so far; see rankers/trees.py for what they mean."""

    def __init__(self) -> None:
        self.feature: list[int] = []
        self.threshold: list[float] = []
        self.left: list[int] = []
        self.right: list[int] = []
        self.unknown_left: list[bool] = []
        self.value: list[float] = []

    def add(self, told: Mapping[str, Any]) -> int:
        """The number of a node of LightGBM's own telling, and of its children after it."""
        place = len(self.feature)
        leaf = "leaf_value" in told
        self.feature.append(0 if leaf else told["split_feature"])
        self.threshold.append(0.0 if leaf else told["threshold"])
        self.unknown_left.append(not leaf and _unknown_left(told))
        self.value.append(told["leaf_value"] if leaf else 0.0)
        self.left.append(place)
        self.right.append(place)
        if not leaf:
            self.left[place] = self.add(told["left_child"])
            self.right[place] = self.add(told["right_child"])
        return place


def _unknown_left(told: Mapping[str, Any]) -> bool:
    """Where NaN goes. A column that had no unknown value in training counts one as 0, as LightGBM does."""
    if told["decision_type"] != "<=" or told["missing_type"] not in (KNOWS_MISSING, NOTHING_MISSING):
        raise DatasetError(f"a tree decides by {told['decision_type']} and {told['missing_type']}, unknown to the ranker")
    return bool(told["default_left"]) if told["missing_type"] == KNOWS_MISSING else told["threshold"] >= 0.0
