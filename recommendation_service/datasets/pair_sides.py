"""What pairs with a catalogue's items are scored by, from the lines of an export to columns."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from recommendation_service.core.numeric import Floats
from recommendation_service.domain.side import PairSide, Texts
from recommendation_service.errors import DatasetError

PAIRED = ("numbers", "text_columns")  # of a record; in an export only where a site says something to pair by
LARGEST = float(np.finfo(np.float32).max)


def side_of(lines: Sequence[Mapping[str, Any]]) -> PairSide | None:
    """The columns in row order, or None where no item has any.

    Raises DatasetError, with item and column, for a number that is none or not finite, and for a text that is no string.
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
        {name: _words(ids, name, [columns.get(name, "") for columns in text_columns]) for name in _names(text_columns)},
    )


def _columns(line: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    columns = line.get(kind, {})
    if not isinstance(columns, dict):
        raise DatasetError(f"item '{line['item_id']}': {kind} are {type(columns).__name__}, not columns by name; export again")
    return columns


def _names(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({name for columns in lines for name in columns})


def _numbers(ids: Sequence[str], name: str, values: Sequence[Any]) -> Floats:
    """(n,) float32, NaN where an item lacks the column; looked at one by one only when something is wrong."""
    if {type(value) for value in values} <= {int, float, type(None)}:
        with suppress(OverflowError), np.errstate(over="ignore"):
            whole = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
            column = whole.astype(np.float32)
            if int(np.isfinite(column).sum()) + values.count(None) == len(values):
                return column
    raise _wrong(ids, name, values, _is_number)


def _is_number(value: Any) -> bool:
    return value is None or (type(value) in (int, float) and abs(value) <= LARGEST)


def _words(ids: Sequence[str], name: str, values: Sequence[Any]) -> Texts:
    if not {type(value) for value in values} <= {str}:
        raise _wrong(ids, name, values, lambda value: isinstance(value, str))
    return np.array(values, dtype=np.str_)


def _wrong(ids: Sequence[str], name: str, values: Sequence[Any], right: Callable[[Any], bool]) -> DatasetError:
    index = next(index for index, value in enumerate(values) if not right(value))
    shown = repr(values[index])[:40]
    return DatasetError(f"item '{ids[index]}': '{name}' is {shown}, which cannot be compared; mend its side and export again")
