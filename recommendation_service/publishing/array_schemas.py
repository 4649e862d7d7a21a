"""Checks the arrays of a model against the table of kinds: names, types, and dimensions that must agree."""

from collections.abc import Mapping

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bytes
from recommendation_service.errors import ArtifactRefused
from recommendation_service.kinds import KINDS, Kind

SORTED = ("item_ids", "user_ids", "terms", "attributes", "tokens", "first_ids", "second_ids")


def check(kind: str, arrays: Mapping[str, AnyArray], *, where: str) -> None:
    """Raise ArtifactRefused, with the two numbers that disagree, unless `arrays` make a model of that kind.

    Kinds outside the table are not checked; arrays beyond those of the table are allowed.
    """
    schema = KINDS.get(kind, Kind())
    wanted = {**schema.arrays, **(schema.optional_arrays if set(schema.optional_arrays) & set(arrays) else {})}
    missing = sorted(set(wanted) - set(arrays))
    if missing:
        raise ArtifactRefused(f"{where}: a model of kind {kind} needs {', '.join(missing)}; train it again")
    sizes: dict[str, tuple[int, str]] = {"1": (1, "one number")}
    for name, (types, dimensions) in wanted.items():
        _check_array(where, name, arrays[name], types, dimensions, sizes)
    for name in SORTED:
        if name in wanted:
            _check_sorted(where, name, arrays[name])
    for name in schema.not_constant:
        if bool((arrays[name] == arrays[name].flat[0]).all()):
            raise ArtifactRefused(f"{where}: {name} holds one value {arrays[name].flat[0]} everywhere; train it again")
    for name in schema.not_zero:
        if not arrays[name].any():
            raise ArtifactRefused(f"{where}: {name} holds only zeros; train it again")
    for indptr, indices, columns in schema.tables:
        _check_rows(where, arrays, indptr, indices, columns)


def _check_array(
    where: str, name: str, array: AnyArray, types: str, dimensions: tuple[str, ...], sizes: dict[str, tuple[int, str]]
) -> None:
    if array.dtype.kind not in types or array.dtype.byteorder == ">":
        raise ArtifactRefused(f"{where}: {name} is of type {array.dtype.str}, not one of {types}; train it again")
    if array.ndim != len(dimensions):
        raise ArtifactRefused(f"{where}: {name} has {array.ndim} dimensions, not {len(dimensions)}; train it again")
    for actual, dimension in zip(array.shape, dimensions, strict=True):
        letter, size = _letter(dimension, actual)
        known, source = sizes.setdefault(letter, (size, name))
        if size != known or (dimension == "2d" and actual % 2):
            raise ArtifactRefused(
                f"{where}: {name} is {array.shape}, which does not fit {source} of size {known}; train it again"
            )


def _letter(dimension: str, actual: int) -> tuple[str, int]:
    """The letter a dimension is about, and its size if this array is right."""
    if dimension == "2d":
        return "d", actual // 2
    if dimension.endswith("+1"):
        return dimension[0], actual - 1
    return dimension, actual


def _check_sorted(where: str, name: str, ids: Bytes) -> None:
    wrong = np.flatnonzero(ids[1:] <= ids[:-1])
    if wrong.size:
        first = int(wrong[0])
        raise ArtifactRefused(
            f"{where}: {name} must be unique and ascending; rows {first} and {first + 1} are not; train it again"
        )


def _check_rows(where: str, arrays: Mapping[str, AnyArray], bounds: str, columns_of: str, columns: str) -> None:
    """Row bounds and columns of a sparse matrix lie inside its arrays; `columns` names one with an element a column."""
    indptr, indices = arrays[bounds], arrays[columns_of]
    if indptr[0] != 0 or indptr[-1] != indices.size or bool((indptr[1:] < indptr[:-1]).any()):
        raise ArtifactRefused(f"{where}: {bounds} ends at {indptr[-1]}, {columns_of} hold {indices.size}; train it again")
    if indices.size and (indices.min() < 0 or indices.max() >= arrays[columns].size):
        message = f"{columns_of} reach {indices.max()}, {columns} hold {arrays[columns].size}"
        raise ArtifactRefused(f"{where}: {message}; train it again")
