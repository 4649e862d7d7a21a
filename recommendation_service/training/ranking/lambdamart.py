"""Train the learned ranker's trees with LightGBM, and convert them into arrays that serving can walk.

LambdaMART (Burges, 2010): each pair of a list is weighted by the NDCG change of swapping it. Users click the top positions
most, whatever is there, so LightGBM learns an additive bias per position (its pull request 5929) that is left out of the
score. The position is used in training only.
"""

from collections.abc import Mapping
from typing import Any

import lightgbm
import numpy as np

from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.errors import DatasetError
from recommendation_service.training.parameters import RankerParameters
from recommendation_service.training.ranking.training_data import ShownLists, grades_of, levels_of

CLICK_TREES, CLICK_RATE = 60, 0.1
NODE_COLUMNS: Mapping[str, type[np.generic]] = {
    "feature": np.int32,
    "threshold": np.float64,
    "left": np.int32,
    "right": np.int32,
    "unknown_left": np.uint8,
    "value": np.float64,
}
KNOWS_MISSING, NOTHING_MISSING = "NaN", "None"  # LightGBM's names: the column had unknown values in training, or had none


def grow(lists: ShownLists, parameters: RankerParameters) -> lightgbm.Booster:
    """Train the trees on these lists; deterministic for the same lists, parameters and LightGBM version."""
    levels = levels_of(lists.weights)
    ready = lightgbm.Dataset(
        lists.features,
        label=grades_of(lists.weights, levels),
        group=np.diff(lists.indptr),
        position=lists.positions - 1 if parameters.correct_positions else None,
        feature_name=[name.replace(":", "_") for name in lists.names],  # LightGBM refuses the colon
        params={"verbosity": -1},
    )
    settings = {
        "objective": "lambdarank",
        "label_gain": [0.0, *levels.astype(float).tolist()],
        "lambdarank_truncation_level": 10,
        "learning_rate": parameters.learning_rate,
        **_always(parameters),
    }
    return lightgbm.train(settings, ready, num_boost_round=parameters.trees)


def examination_of(lists: ShownLists, parameters: RankerParameters) -> AnyArray:
    """(positions,) how often users look at each position, relative to the top position; never increasing.

    A click model with the features and the position predicts all items at each position in turn. The difference between
    positions is then the effect of the position, not of the items shown there.
    """
    settings = {
        "objective": "binary",
        "learning_rate": CLICK_RATE,
        "monotone_constraints": [0] * len(lists.names) + [-1],
        "monotone_constraints_method": "advanced",
        **_always(parameters),
    }
    table = np.column_stack([lists.features, lists.positions]).astype(np.float32)
    ready = lightgbm.Dataset(table, label=(lists.weights > 0).astype(np.int64), params={"verbosity": -1})
    model = lightgbm.train(settings, ready, num_boost_round=CLICK_TREES)
    click_rates = []
    for position in range(1, int(lists.positions.max()) + 1):
        table[:, -1] = position
        click_rates.append(predicted(model, table).mean())
    return np.asarray(np.array(click_rates) / click_rates[0])


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
    """The arrays of an artifact of kind "learned": the nodes of all trees, numbered with parents before children."""
    nodes: list[dict[str, Any]] = []
    roots = [_add_node(nodes, tree["tree_structure"]) for tree in booster.dump_model()["tree_info"]]
    columns = {f"node_{name}": np.array([node[name] for node in nodes], dtype=dtype) for name, dtype in NODE_COLUMNS.items()}
    features = np.array([name.encode() for name in names], dtype=np.bytes_)
    return {"features": features, "tree_roots": np.array(roots, dtype=np.int32), **columns}


def _add_node(nodes: list[dict[str, Any]], node: Mapping[str, Any]) -> int:
    """Add a node of LightGBM's dump and its children; return its index. rankers/lambdamart.py explains the columns."""
    index = len(nodes)
    entry = {"feature": 0, "threshold": 0.0, "left": index, "right": index, "unknown_left": False, "value": 0.0}
    nodes.append(entry)
    if "leaf_value" in node:
        entry["value"] = node["leaf_value"]
    else:
        entry |= {"feature": node["split_feature"], "threshold": node["threshold"], "unknown_left": _unknown_left(node)}
        entry |= {"left": _add_node(nodes, node["left_child"]), "right": _add_node(nodes, node["right_child"])}
    return index


def importance(booster: lightgbm.Booster, names: tuple[str, ...]) -> dict[str, float]:
    """Each column's share of the total split gain, largest first; unused columns are omitted."""
    gained = booster.feature_importance("gain")
    whole = float(gained.sum()) or 1.0
    order = np.argsort(-gained, kind="stable")
    return {names[index]: float(gained[index] / whole) for index in order.tolist() if gained[index] > 0}


def predicted(booster: lightgbm.Booster, features: Floats) -> AnyArray:
    """(n,) float64 predictions by LightGBM."""
    return np.asarray(booster.predict(features, num_threads=1))


def _unknown_left(node: Mapping[str, Any]) -> bool:
    """True if NaN goes left. A column without unknown values in training treats NaN as 0, as LightGBM does."""
    if node["decision_type"] != "<=" or node["missing_type"] not in (KNOWS_MISSING, NOTHING_MISSING):
        raise DatasetError(f"a tree decides by {node['decision_type']} and {node['missing_type']}, unknown to the ranker")
    return bool(node["default_left"]) if node["missing_type"] == KNOWS_MISSING else node["threshold"] >= 0.0
