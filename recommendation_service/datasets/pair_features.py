"""The columns of pairs: both sides from an export, derived columns, features, and tokens of text columns.

Export, training, Django and the engines use these functions, so that a pair has the same values everywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.side import ID_COLUMN, PairSide, Texts
from recommendation_service.errors import DatasetError
from recommendation_service.use_cases.options import checked, find_kind
from recommendation_service.use_cases.schema import Feature, PairConfig

PAIRED = ("numbers", "text_columns")  # keys of a record; in an export only where a site declares columns of pairs
LARGEST = float(np.finfo(np.float32).max)
EARTH_KM = 6371.0


@dataclass(frozen=True, slots=True, eq=False)
class PairTable:
    """`n` pairs with every column of both sides and their own, (n,) each; NaN and "" where unknown."""

    n: int
    numbers: Mapping[str, Floats]
    text_columns: Mapping[str, Texts]

    def number(self, name: str) -> Floats:
        """(n,) of one column; NaN where neither side has it."""
        column = self.numbers.get(name)
        return np.full(self.n, np.nan, dtype=np.float32) if column is None else column

    def text(self, name: str) -> Texts:
        """(n,) of one column; "" where neither side has it."""
        column = self.text_columns.get(name)
        return np.full(self.n, "", dtype="U1") if column is None else column

    def texts(self, names: Sequence[str]) -> dict[str, Texts]:
        """(n,) of each of these columns, such as the embedding columns."""
        return {name: self.text(name) for name in names}


def join_pairs(pair_config: PairConfig, first: PairSide, second: PairSide) -> PairTable:
    """Join the sides row by row; a side with one item is joined with every row of the other.

    A derived column that a side has already, such as a placed bid, is used where it is known. The text columns
    "left_owner" and "right_owner" are the ids of the owners.
    """
    n = max(len(first), len(second)) if len(first) and len(second) else 0
    numbers = {name: _spread(column, n) for side in (first, second) for name, column in side.numbers.items()}
    text_columns = {name: _spread(column, n) for side in (first, second) for name, column in side.text_columns.items()}
    for side_name, catalogue, side in (("left", pair_config.left, first), ("right", pair_config.right, second)):
        text_columns[f"{side_name}_owner"] = _spread(_owners(side, pair_config.owner_column.get(catalogue, "")), n)
    return derive(pair_config, PairTable(n, numbers, text_columns))


def derive(pair_config: PairConfig, pairs: PairTable) -> PairTable:
    """Compute the derived columns where they are unknown."""
    numbers = dict(pairs.numbers)
    for name, part in pair_config.derived.items():
        make = find_kind(DERIVED, part.kind, where=f"[pairs], derived '{name}'")
        options = checked(make, part.options, where=f"[pairs], derived '{name}', {part.kind}")
        computed = make(pairs, **options)
        known = pairs.number(name)
        numbers[name] = np.where(np.isnan(known), computed, known).astype(np.float32)
    return PairTable(pairs.n, numbers, pairs.text_columns)


def features(pair_config: PairConfig, pairs: PairTable, chosen: tuple[Feature, ...] | None = None) -> Floats:
    """(n, k) float32 inputs of a network; NaN where a value is unknown or has no logarithm.

    `chosen` replaces the configured features.
    """
    wanted = pair_config.features if chosen is None else chosen
    table = np.empty((pairs.n, len(wanted)), dtype=np.float32)
    for column_index, feature in enumerate(wanted):
        column = pairs.number(feature.name)
        table[:, column_index] = (
            (np.log1p(np.where(column > -1, column, np.nan)) if feature.log1p else column) - feature.offset
        ) / feature.scale
    return table


def distance(pairs: PairTable, *, from_columns: list[str], to_columns: list[str]) -> Floats:
    """(n,) kilometres on the great circle between two pairs of columns of degrees: latitude, longitude."""
    south, west, north, east = (np.radians(pairs.number(name).astype(np.float64)) for name in (*from_columns, *to_columns))
    half = np.sin((north - south) / 2) ** 2 + np.cos(south) * np.cos(north) * np.sin((east - west) / 2) ** 2
    return np.asarray(2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1))), dtype=np.float32)


def expected(pairs: PairTable, *, rate: str, amount: str) -> Floats:
    """(n,) rate * amount, such as the hourly rate times the hours."""
    return pairs.number(rate) * pairs.number(amount)


DERIVED: Mapping[str, Callable[..., Floats]] = {"distance": distance, "expected": expected}


def tokens_of(columns: Mapping[str, Texts]) -> set[str]:
    """The known values of text columns as tokens "column=value"."""
    return {f"{name}={value}" for name, column in columns.items() for value in np.unique(column).tolist() if value}


def token_rows(columns: Mapping[str, Texts], tokens: IdMap, n: int) -> Ints:
    """(n, columns) row of each value's token, -1 where it is not one of the tokens."""
    rows = [rows_of(column, tokens, f"{name}=") for name, column in columns.items()]
    return np.stack(rows, axis=1) if rows else np.zeros((n, 0), dtype=np.int64)


def rows_of(column: Texts, ids: IdMap, prefix: str = "") -> Ints:
    """(n,) row of each value, -1 where unknown; a value that is broadcast to all rows is looked up once."""
    distinct = column[:1] if column.strides == (0,) else column
    rows = ids.rows_of_bytes(np.char.encode(np.char.add(prefix, distinct) if prefix else distinct, "utf-8"))
    return np.broadcast_to(rows, column.shape)


def side_of(lines: Sequence[Mapping[str, Any]]) -> PairSide | None:
    """Return the columns of an export's lines in row order, or None if no item has one.

    Raises DatasetError, with item and column, for a number that is not finite and for a text that is not a string.
    """
    if any("words" in line for line in lines):
        raise DatasetError("items carry 'words', the name of 'text_columns' up to version 0.2.0; export again")
    if not any(line.get(kind) for line in lines for kind in PAIRED):
        return None
    numbers, text_columns = ([_columns(line, kind) for line in lines] for kind in PAIRED)
    ids = tuple(line["item_id"] for line in lines)
    return PairSide(
        ids,
        {name: _numbers(ids, name, [columns.get(name) for columns in numbers]) for name in _names(numbers)},
        {name: _texts(ids, name, [columns.get(name, "") for columns in text_columns]) for name in _names(text_columns)},
    )


def _columns(line: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    columns = line.get(kind, {})
    if not isinstance(columns, dict):
        raise DatasetError(f"item '{line['item_id']}': {kind} are {type(columns).__name__}, not columns by name; export again")
    return columns


def _names(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({name for columns in lines for name in columns})


def _numbers(ids: Sequence[str], name: str, values: Sequence[Any]) -> Floats:
    """(n,) float32, NaN where an item lacks the column; values are checked one by one only after a failure."""
    if {type(value) for value in values} <= {int, float, type(None)}:
        with suppress(OverflowError), np.errstate(over="ignore"):
            wide = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
            column = wide.astype(np.float32)
            if int(np.isfinite(column).sum()) + values.count(None) == len(values):
                return column
    raise _invalid(ids, name, values, _is_number)


def _is_number(value: Any) -> bool:
    return value is None or (type(value) in (int, float) and abs(value) <= LARGEST)


def _texts(ids: Sequence[str], name: str, values: Sequence[Any]) -> Texts:
    if not {type(value) for value in values} <= {str}:
        raise _invalid(ids, name, values, lambda value: isinstance(value, str))
    return np.array(values, dtype=np.str_)


def _invalid(ids: Sequence[str], name: str, values: Sequence[Any], valid: Callable[[Any], bool]) -> DatasetError:
    index = next(index for index, value in enumerate(values) if not valid(value))
    shown = repr(values[index])[:40]
    return DatasetError(f"item '{ids[index]}': '{name}' is {shown}, which cannot be compared; mend its side and export again")


def _owners(side: PairSide, name: str) -> Texts:
    if name == ID_COLUMN:
        return np.array(side.ids, dtype=np.str_)
    column = side.text_columns.get(name)
    return np.full(len(side), "", dtype="U1") if column is None else column


def _spread(column: Any, n: int) -> Any:
    return column if column.shape[0] == n else np.broadcast_to(column, (n,))
