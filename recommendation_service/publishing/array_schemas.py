"""What each kind of model must hold: required arrays, their types, and dimensions that must agree."""

from collections.abc import Mapping

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bytes
from recommendation_service.errors import ArtifactRefused

FLOAT, INTEGER, TEXT = "f", "iu", "S"  # numpy kinds
# n: items, m: users, k and d: factors, h: hidden units, a: attributes, t: terms, z: stored values, j: members
# p: arms, b: bytes, f: features, r: trees, v: nodes of trees, y: places of a second table, w: words, 1: one number;
# of a network of pairs m and n: persons of either side, h to q: widths of layers, i: inputs, o: outputs
# s: sides of a range, segments of people, u: 1; of a transformer p: scale and shift, q: blocks, r: positions, w: 3d

REQUIRED: Mapping[str, Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "als": {
        "item_ids": (TEXT, ("n",)),
        "item_factors": (FLOAT, ("n", "k")),
        "gram": (FLOAT, ("k", "k")),
        "item_counts": (INTEGER, ("n",)),
        "user_ids": (TEXT, ("m",)),
        "user_factors": (FLOAT, ("m", "k")),
    },
    "two_tower": {
        "item_ids": (TEXT, ("n",)),
        "item_vectors": (FLOAT, ("n", "d")),
        "history_vectors": (FLOAT, ("n", "d")),
        "attributes": (TEXT, ("a",)),
        "attribute_vectors": (FLOAT, ("a", "d")),
        "layer1_weights": (FLOAT, ("2d", "h")),
        "layer1_bias": (FLOAT, ("h",)),
        "layer2_weights": (FLOAT, ("h", "d")),
        "layer2_bias": (FLOAT, ("d",)),
    },
    "content": {
        "item_ids": (TEXT, ("n",)),
        "terms": (TEXT, ("t",)),
        "indptr": (INTEGER, ("n+1",)),
        "indices": (INTEGER, ("z",)),
        "values": (FLOAT, ("z",)),
    },
    "margin": {
        "item_ids": (TEXT, ("n",)),
        "item_vectors": (FLOAT, ("n", "d")),
        "item_biases": (FLOAT, ("n",)),
        "history_vectors": (FLOAT, ("n", "d")),
        "content_vectors": (FLOAT, ("n", "c")),
        "user_ids": (TEXT, ("m",)),
        "user_vectors": (FLOAT, ("m", "d")),
    },
    "co_occurrence": {
        "item_ids": (TEXT, ("n",)),
        "item_counts": (INTEGER, ("n",)),
        "indptr": (INTEGER, ("n+1",)),
        "indices": (INTEGER, ("z",)),
        "values": (FLOAT, ("z",)),
        "people": (INTEGER, ("z",)),
    },
    "similar_users": {
        "item_ids": (TEXT, ("n",)),
        "item_counts": (INTEGER, ("n",)),
        "item_weights": (FLOAT, ("n",)),
        "item_indptr": (INTEGER, ("n+1",)),
        "item_users": (INTEGER, ("y",)),
        "lengths": (FLOAT, ("m",)),
        "indptr": (INTEGER, ("m+1",)),
        "indices": (INTEGER, ("z",)),
        "values": (FLOAT, ("z",)),
    },
    "embedding": {
        "item_ids": (TEXT, ("n",)),
        "item_vectors": (FLOAT, ("n", "d")),
        "text_hashes": (TEXT, ("n",)),
    },
    "neural": {
        "first_ids": (TEXT, ("m",)),
        "first_vectors": (FLOAT, ("m", "d")),
        "second_ids": (TEXT, ("n",)),
        "second_vectors": (FLOAT, ("n", "d")),
        "words": (TEXT, ("w",)),
        "word_vectors": (FLOAT, ("w", "e")),
        "feature_names": (TEXT, ("f",)),
        "feature_mean": (FLOAT, ("f",)),
        "feature_scale": (FLOAT, ("f",)),
        "collaborative1_weights": (FLOAT, ("2d", "h")),
        "collaborative1_bias": (FLOAT, ("h",)),
        "collaborative2_weights": (FLOAT, ("h", "k")),
        "collaborative2_bias": (FLOAT, ("k",)),
        "collaborative3_weights": (FLOAT, ("k", "1")),
        "collaborative3_bias": (FLOAT, ("1",)),
        "content1_weights": (FLOAT, ("c", "p")),
        "content1_bias": (FLOAT, ("p",)),
        "content2_weights": (FLOAT, ("p", "q")),
        "content2_bias": (FLOAT, ("q",)),
        "content3_weights": (FLOAT, ("q", "1")),
        "content3_bias": (FLOAT, ("1",)),
        "alpha": (FLOAT, ("1",)),
    },
    "ease": {
        "item_ids": (TEXT, ("n",)),
        "item_counts": (INTEGER, ("n",)),
        "indptr": (INTEGER, ("n+1",)),
        "indices": (INTEGER, ("z",)),
        "values": (FLOAT, ("z",)),
    },
    "next_item": {
        "item_ids": (TEXT, ("n",)),
        "item_counts": (INTEGER, ("n",)),
        "indptr": (INTEGER, ("r+1",)),
        "indices": (INTEGER, ("z",)),
        "values": (FLOAT, ("z",)),
        "window_0": (FLOAT, ("w",)),
    },
    "sasrec": {
        "item_ids": (TEXT, ("n",)),
        "item_counts": (INTEGER, ("n",)),
        "item_vectors": (FLOAT, ("n", "d")),
        "history_vectors": (FLOAT, ("n", "d")),
        "item_bias": (FLOAT, ("n",)),
        "positions": (FLOAT, ("r", "d")),
        "attention_norm": (FLOAT, ("q", "p", "d")),
        "read_weights": (FLOAT, ("q", "d", "w")),
        "read_bias": (FLOAT, ("q", "w")),
        "output_weights": (FLOAT, ("q", "d", "d")),
        "output_bias": (FLOAT, ("q", "d")),
        "dense_norm": (FLOAT, ("q", "p", "d")),
        "dense1_weights": (FLOAT, ("q", "d", "d")),
        "dense1_bias": (FLOAT, ("q", "d")),
        "dense2_weights": (FLOAT, ("q", "d", "d")),
        "dense2_bias": (FLOAT, ("q", "d")),
        "last_norm": (FLOAT, ("p", "d")),
    },
    "ensemble": {
        "members": (TEXT, ("j",)),
        "weights": (FLOAT, ("j",)),
        "configured_weights": (FLOAT, ("j",)),
    },
    "bandit": {
        "arms": (TEXT, ("p",)),
        "plays": (INTEGER, ("p",)),
        "rewards": (FLOAT, ("p",)),
    },
    "two_tower_index": {
        "index": (INTEGER, ("b",)),
        "item_ids": (TEXT, ("n",)),
    },
    "bid": {
        "features": (TEXT, ("f",)),
        "centers": (FLOAT, ("f",)),
        "scales": (FLOAT, ("f",)),
        "attributes": (TEXT, ("a",)),
        "attribute_vectors": (FLOAT, ("a", "d")),
        "layer1_weights": (FLOAT, ("i", "h")),
        "layer1_bias": (FLOAT, ("h",)),
        "layer2_weights": (FLOAT, ("h", "k")),
        "layer2_bias": (FLOAT, ("k",)),
        "out_weights": (FLOAT, ("k", "o")),
        "out_bias": (FLOAT, ("o",)),
        "straight_weights": (FLOAT, ("i", "o")),
        "reaches": (FLOAT, ("s",)),
        "reference": (FLOAT, ("u",)),
    },
    "learned": {
        "features": (TEXT, ("f",)),
        "tree_roots": (INTEGER, ("r",)),
        "node_feature": (INTEGER, ("v",)),
        "node_threshold": (FLOAT, ("v",)),
        "node_left": (INTEGER, ("v",)),
        "node_right": (INTEGER, ("v",)),
        "node_unknown_left": (INTEGER, ("v",)),
        "node_value": (FLOAT, ("v",)),
    },
}
OPTIONAL: Mapping[str, Mapping[str, tuple[str, tuple[str, ...]]]] = {  # there together, or none of them
    "ensemble": {
        "segment_weights": (FLOAT, ("s", "j")),
        "segment_bounds": (INTEGER, ("s",)),
    },
}
TABLES = {  # sparse matrices: row bounds, columns of the stored values, an array with one element a column
    "content": (("indptr", "indices", "terms"),),
    "co_occurrence": (("indptr", "indices", "item_ids"),),
    "ease": (("indptr", "indices", "item_ids"),),
    "next_item": (("indptr", "indices", "item_ids"),),
    "similar_users": (("indptr", "indices", "item_ids"), ("item_indptr", "item_users", "lengths")),
}
SORTED = ("item_ids", "user_ids", "terms", "attributes", "words", "first_ids", "second_ids")
TELLING = {  # not all equal
    "als": ("item_factors", "user_factors"),
    "two_tower": ("item_vectors", "history_vectors"),
    "margin": ("item_vectors",),
    "embedding": ("item_vectors",),
    "sasrec": ("item_vectors", "history_vectors"),
    "neural": ("content1_weights",),
}
NOT_ZERO = {"content": ("values",), "ensemble": ("weights", "configured_weights")}


def check(kind: str, arrays: Mapping[str, AnyArray], *, place: str) -> None:
    """Raise ArtifactRefused, with the two numbers that disagree, unless `arrays` make a model of that kind.

    Kinds not listed here are not checked; arrays beyond those listed are allowed.
    """
    wanted = _wanted(kind, arrays)
    missing = sorted(set(wanted) - set(arrays))
    if missing:
        raise ArtifactRefused(f"{place}: a model of kind {kind} needs {', '.join(missing)}; train it again")
    sizes: dict[str, tuple[int, str]] = {"1": (1, "one number")}
    for name, (types, dimensions) in wanted.items():
        _check_one(place, name, arrays[name], types, dimensions, sizes)
    for name in SORTED:
        if name in wanted:
            _check_sorted(place, name, arrays[name])
    for name in TELLING.get(kind, ()):
        if bool((arrays[name] == arrays[name].flat[0]).all()):
            raise ArtifactRefused(f"{place}: {name} holds one value {arrays[name].flat[0]} everywhere; train it again")
    for name in NOT_ZERO.get(kind, ()):
        if not arrays[name].any():
            raise ArtifactRefused(f"{place}: {name} holds only zeros; train it again")
    for indptr, indices, columns in TABLES.get(kind, ()):
        _check_rows(place, arrays, indptr, indices, columns)


def _wanted(kind: str, arrays: Mapping[str, AnyArray]) -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """The required arrays, and the optional ones as soon as one of them is there."""
    required, optional = REQUIRED.get(kind, {}), OPTIONAL.get(kind, {})
    return {**required, **optional} if set(optional) & set(arrays) else required


def _check_one(
    place: str, name: str, array: AnyArray, types: str, dimensions: tuple[str, ...], sizes: dict[str, tuple[int, str]]
) -> None:
    if array.dtype.kind not in types or array.dtype.byteorder == ">":
        raise ArtifactRefused(f"{place}: {name} is of type {array.dtype.str}, not one of {types}; train it again")
    if array.ndim != len(dimensions):
        raise ArtifactRefused(f"{place}: {name} has {array.ndim} dimensions, not {len(dimensions)}; train it again")
    for found, dimension in zip(array.shape, dimensions, strict=True):
        letter, size = _letter(dimension, found)
        known, source = sizes.setdefault(letter, (size, name))
        if size != known or (dimension == "2d" and found % 2):
            raise ArtifactRefused(
                f"{place}: {name} is {array.shape}, which does not fit {source} of size {known}; train it again"
            )


def _letter(dimension: str, found: int) -> tuple[str, int]:
    """The letter a dimension is about, and its size if this array is right."""
    if dimension == "2d":
        return "d", found // 2
    if dimension.endswith("+1"):
        return dimension[0], found - 1
    return dimension, found


def _check_sorted(place: str, name: str, ids: Bytes) -> None:
    wrong = np.flatnonzero(ids[1:] <= ids[:-1])
    if wrong.size:
        first = int(wrong[0])
        raise ArtifactRefused(
            f"{place}: {name} must be unique and ascending; rows {first} and {first + 1} are not; train it again"
        )


def _check_rows(place: str, arrays: Mapping[str, AnyArray], bounds: str, places: str, columns: str) -> None:
    """Row bounds and columns of a sparse matrix lie inside its arrays; `columns` names one with an element a column."""
    indptr, indices = arrays[bounds], arrays[places]
    if indptr[0] != 0 or indptr[-1] != indices.size or bool((indptr[1:] < indptr[:-1]).any()):
        raise ArtifactRefused(f"{place}: {bounds} ends at {indptr[-1]}, {places} hold {indices.size}; train it again")
    if indices.size and (indices.min() < 0 or indices.max() >= arrays[columns].size):
        told = f"{places} reach {indices.max()}, {columns} hold {arrays[columns].size}"
        raise ArtifactRefused(f"{place}: {told}; train it again")
