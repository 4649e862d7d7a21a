"""Reads an interaction log from a table with any header, or from lines of items; packed files too.

The first lines decide the layout. A table has a column of users and one of items, and may have one of values and one of
times (see `columns`). A sequence file has one line per user, with the items in the order of time. Anything else is an
error. Rows that lack a user, an item or a time are left out; a note counts them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.datasets.interaction_files.content import TextFile, is_parquet, read_text_file
from recommendation_service.datasets.interaction_files.table import ColumnData, Table, read_parquet, read_table
from recommendation_service.datasets.interaction_files.values import parse_number, parse_times
from recommendation_service.domain.idmap import IdMap
from recommendation_service.errors import DatasetError


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """All interactions in ascending order of time; those with equal times stay in the order of the file."""

    users: Ints
    items: Ints
    values: Floats | None  # ratings or counts, NaN where one is missing; None: the file has none
    times: AnyArray  # float64 seconds, or the row's index if the file has no times
    user_ids: IdMap
    item_ids: IdMap
    timed: bool  # True if the file has times
    counts: bool = False  # True if the name of the value column is that of a count, such as plays
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.users.size)


def read_log(path: Path, *, sequences: bool = False) -> Log:
    """Read a table or a sequence file; with `sequences`, a sequence file where both are possible. Raises DatasetError."""
    if is_parquet(path):
        return _table_log(path, read_parquet(path))
    text = read_text_file(path)
    if text.is_sequences(preferred=sequences):
        return _sequence_log(path, text)
    return _table_log(path, read_table(path, text))


def log_of(
    users: Sequence[str] | tuple[Ints, Sequence[str]],
    items: Sequence[str] | tuple[Ints, Sequence[str]],
    values: AnyArray | None = None,
    times: AnyArray | None = None,
) -> Log:
    """Build a log from columns in the order of the file; ids are strings, or (indices, distinct strings)."""
    user_rows, user_ids = _rows_and_ids(users)
    item_rows, item_ids = _rows_and_ids(items)
    when = np.arange(user_rows.size, dtype=np.float64) if times is None else np.array(times, dtype=np.float64)
    order = np.argsort(when, kind="stable")
    sorted_values = None if values is None else np.array(values, dtype=np.float32)[order]
    return Log(user_rows[order], item_rows[order], sorted_values, when[order], user_ids, item_ids, times is not None)


def _rows_and_ids(ids: Sequence[str] | tuple[Ints, Sequence[str]]) -> tuple[Ints, IdMap]:
    if isinstance(ids, tuple):
        indices, names = ids
        used = np.flatnonzero(np.bincount(indices, minlength=len(names)))
        id_map = IdMap.of(names[index] for index in used.tolist())
        return id_map.rows(list(names))[indices], id_map
    return (id_map := IdMap.of(ids)).rows(list(ids)), id_map


def _sequence_log(path: Path, text: TextFile) -> Log:
    """One line per user. Users without an item are left out."""
    users: list[str] = []
    items: list[str] = []
    for line in text.lines():
        user, *listed = line.split()
        users += [user] * len(listed)
        items += listed
    if not items:
        raise DatasetError(f"{path.name}: no line has an item; each is a user, then items")
    return log_of(users, items)


def _table_log(path: Path, table: Table) -> Log:
    valid = table.has_id("user") & table.has_id("item")
    values = None if table.values is None else _numbers(path, table.values, valid)
    times = None if table.times is None else _times(path, table.times, valid)
    if times is not None:
        valid &= ~np.isnan(times)
    if not valid.any():
        raise DatasetError(f"{path.name}: has a header and no rows that name a user, an item and a time")
    dropped = int(valid.size - np.count_nonzero(valid))
    users, items = ((table.indices[name][valid], table.names[name]) for name in ("user", "item"))
    log = log_of(users, items, None if values is None else values[valid], None if times is None else times[valid])
    notes = (f"{dropped:,} rows without a user, an item or a time left out",) if dropped else ()
    return replace(log, counts=table.counts, notes=(*table.notes, *notes))


def _numbers(path: Path, column: ColumnData, valid: Bools) -> AnyArray:
    """(k,) numbers, NaN for empty cells. Raises DatasetError for other text."""
    if not isinstance(column, tuple):
        return _finite(column)
    indices, names = column
    numbers, wrong = _parsed(indices, names, valid)
    if wrong.size:
        cell, row = names[int(indices[wrong[0]])], int(wrong[0]) + 1
        raise DatasetError(f"{path.name}: a value is not a number ('{cell}' in row {row})")
    return np.asarray(numbers[indices])


def _times(path: Path, column: ColumnData, valid: Bools) -> AnyArray:
    """(k,) seconds from numbers or written dates, NaN for empty cells. Raises DatasetError for other text."""
    if not isinstance(column, tuple):
        return _finite(column)
    indices, names = column
    seconds, wrong = _parsed(indices, names, valid)
    if wrong.size:
        given = np.flatnonzero(~np.isnan(seconds))
        dates = parse_times([names[index].strip() for index in given.tolist()])
        if dates is None:
            cell, row = names[int(indices[wrong[0]])], int(wrong[0]) + 1
            raise DatasetError(f"{path.name}: a time is neither a number nor a date ('{cell}' in row {row})")
        seconds[given] = dates
    return np.asarray(seconds[indices])


def _parsed(indices: Ints, names: Sequence[str], valid: Bools) -> tuple[AnyArray, Ints]:
    """Return the number of each name, and the rows in `valid` whose name is not a number."""
    numbers = np.array([parse_number(name) for name in names], dtype=np.float64)
    return numbers, np.flatnonzero(np.isinf(numbers[indices]) & valid)


def _finite(numbers: AnyArray) -> AnyArray:
    return np.where(np.isfinite(numbers), numbers, np.nan)
