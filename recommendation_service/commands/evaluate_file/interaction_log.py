"""Reads what people did from whatever file there is: tables with any header, lines of items in order; gzip and the like too.

The layout is told by the first lines. A table has a column of users and one of items, perhaps one of values and one of
times (see `columns`). A sequence file has one line a user, with the items in the order of time. Anything else is a clear
error. Rows that lack a user, an item or a time are left out, and counted in the notes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recommendation_service.commands.evaluate_file.file_readers import (
    Cells,
    Column,
    Text,
    opened,
    parquet_cells,
    table_cells,
    text_of,
)
from recommendation_service.commands.evaluate_file.value_parsing import instants
from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.domain.idmap import IdMap
from recommendation_service.errors import DatasetError

NOTHING = ("", "nan", "na", "n/a", "null", "none", "nat", "\\n")  # what stands for no value, in small letters


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """Every interaction, ascending in time; those of one moment keep the order of the file."""

    users: Ints
    items: Ints
    values: Floats | None  # ratings or counts, NaN where one is missing; None: the file has none
    times: AnyArray  # float64 seconds, or the place in the file where it has no times
    user_ids: IdMap
    item_ids: IdMap
    timed: bool  # whether the times are the file's own
    counts: bool = False  # whether the values are named as counts, such as plays
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.users.size)


def read_log(path: Path, *, lines: bool = False) -> Log:
    """A table or a sequence file; `lines`: a sequence file where both are possible.

    Raises DatasetError that says what was found and what is needed.
    """
    if path.suffix.casefold() in (".parquet", ".pq"):
        return _log(path, parquet_cells(path))
    text = text_of(path, opened(path))
    return _sequences(path, text) if text.is_sequences(lines=lines) else _log(path, table_cells(path, text))


def log_of(
    users: Sequence[str] | tuple[Ints, Sequence[str]],
    items: Sequence[str] | tuple[Ints, Sequence[str]],
    values: Sequence[float] | AnyArray | None,
    times: Sequence[float] | AnyArray | None,
) -> Log:
    """From columns in the order of the file; ids as they are, or as places in a list of different ones."""
    user_rows, user_ids = _numbered(users)
    item_rows, item_ids = _numbered(items)
    when = np.arange(user_rows.size, dtype=np.float64) if times is None else np.array(times, dtype=np.float64)
    order = np.argsort(when, kind="stable")
    told = None if values is None else np.array(values, dtype=np.float32)[order]
    return Log(user_rows[order], item_rows[order], told, when[order], user_ids, item_ids, times is not None)


def _numbered(ids: Sequence[str] | tuple[Ints, Sequence[str]]) -> tuple[Ints, IdMap]:
    if isinstance(ids, tuple):
        places, names = ids
        used = np.flatnonzero(np.bincount(places, minlength=len(names)))
        found = IdMap.of(names[place] for place in used.tolist())
        return found.rows(list(names))[places], found
    return (found := IdMap.of(ids)).rows(list(ids)), found


def _sequences(path: Path, text: Text) -> Log:
    """One line a user. People without an item are nobody here."""
    users: list[str] = []
    items: list[str] = []
    for line in text.lines():
        words = line.split()
        users += [words[0]] * (len(words) - 1)
        items += words[1:]
    if not items:
        raise DatasetError(f"{path.name}: no line has an item; each is a user, then items")
    return log_of(users, items, None, None)


def _log(path: Path, cells: Cells) -> Log:
    keep = cells.known("user") & cells.known("item")
    values = None if cells.values is None else _numbers(path, "a value", cells.values, keep)
    times = None if cells.times is None else _moments(path, cells.times, keep)
    if times is not None:
        keep &= ~np.isnan(times)
    if not keep.any():
        raise DatasetError(f"{path.name}: has a header and no rows that name a user, an item and a time")
    lost = int(keep.size - np.count_nonzero(keep))
    users, items = ((cells.places[name][keep], cells.names[name]) for name in ("user", "item"))
    found = log_of(users, items, None if values is None else values[keep], None if times is None else times[keep])
    notes = (*cells.notes, *((f"{lost:,} rows without a user, an item or a time left out",) if lost else ()))
    return Log(
        *(found.users, found.items, found.values, found.times, found.user_ids, found.item_ids, found.timed),
        counts=cells.counts,
        notes=notes,
    )


def _numbers(path: Path, what: str, column: Column, keep: Bools) -> AnyArray:
    """(k,) NaN where there is none. Raises DatasetError for anything else that is no number."""
    if not isinstance(column, tuple):
        return _finite(column)
    places, names = column
    table, wrong = _table(places, names, keep)
    if wrong.size:
        raise DatasetError(f"{path.name}: {what} is no number ('{names[int(places[wrong[0]])]}' in row {int(wrong[0]) + 1})")
    return np.asarray(table[places])


def _table(places: Ints, names: Sequence[str], keep: Bools) -> tuple[AnyArray, Ints]:
    """What each name is as a number, and the kept rows whose name is none."""
    table = np.array([_number(name) for name in names], dtype=np.float64)
    return table, np.flatnonzero(np.isinf(table[places]) & keep)


def _finite(numbers: AnyArray) -> AnyArray:
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _number(cell: str) -> float:
    """NaN for nothing, infinity for what is no number."""
    if cell.strip().casefold() in NOTHING:
        return np.nan
    try:
        return float(cell)
    except ValueError:
        return np.inf


def _moments(path: Path, column: Column, keep: Bools) -> AnyArray:
    """(k,) seconds, from numbers or written dates; NaN where there is none."""
    if not isinstance(column, tuple):
        return _finite(column)
    places, names = column
    table, wrong = _table(places, names, keep)
    if wrong.size:
        told = np.flatnonzero(~np.isnan(table))
        dates = instants([names[place].strip() for place in told.tolist()])
        if dates is None:
            first = names[int(places[wrong[0]])]
            raise DatasetError(f"{path.name}: a time is neither a number nor a date ('{first}' in row {int(wrong[0]) + 1})")
        table[told] = dates
    return np.asarray(table[places])
