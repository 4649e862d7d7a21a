"""Reads what people did from whatever file there is: tables with any header, lines of items in order, NumPy bundles.

Three layouts of text are told apart by their first lines. A table has a column of users and one of items, perhaps one of
ratings and one of times, found by their names, or by their order where there is no header. A sequence file has one line a
user, with the items in the order of time. Anything else is a clear error.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from recommendation_service.domain.idmap import IdMap
from recommendation_service.errors import DatasetError
from recommendation_service.numeric import AnyArray, Floats, Ints

WORDS = {
    "user": ("user", "uid", "person", "customer", "reviewer", "visitor", "session", "member"),
    "item": ("item", "movie", "iid", "product", "asin", "business", "track", "song", "article", "book", "course", "sku"),
    "value": ("rating", "stars", "score", "overall", "value"),
    "time": ("time", "date", "when", "ts", "order"),
}
DELIMITERS = ("::", "\t", ",", ";", "|", " ")
LOOKED_AT = 20  # lines from which the layout is told


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """Every interaction, ascending in time; those of one moment keep the order of the file."""

    users: Ints
    items: Ints
    values: Floats | None  # ratings; None: the file has none
    times: AnyArray  # float64 seconds, or the place in the file where it has no times
    user_ids: IdMap
    item_ids: IdMap
    timed: bool  # whether the times are the file's own

    def __len__(self) -> int:
        return int(self.users.size)


def read_log(path: Path) -> Log:
    """A table or a sequence file. Raises DatasetError that says what was found and what is needed."""
    try:
        return _parquet(path) if path.suffix == ".parquet" else _text(path)
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path.name}: cannot be read ({error}); give a CSV, TSV, Parquet or sequence file") from error


def read_lines(path: Path) -> dict[str, list[str]]:
    """One line a user: the id, then items. Raises DatasetError for a file without any."""
    found: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if words:
            found.setdefault(words[0], []).extend(words[1:])
    if not found:
        raise DatasetError(f"{path.name}: holds no line; each is a user, then items")
    return found


def log_of(users: Sequence[str], items: Sequence[str], values: Sequence[float] | None, times: Sequence[float] | None) -> Log:
    """From columns in the order of the file."""
    user_ids, item_ids = IdMap.of(users), IdMap.of(items)
    when = np.arange(len(users), dtype=np.float64) if times is None else np.array(times, dtype=np.float64)
    if not np.isfinite(when).all():
        raise DatasetError(f"line {int(np.flatnonzero(~np.isfinite(when))[0]) + 1}: the time is no finite number")
    order = np.argsort(when, kind="stable")
    told = None if values is None else np.array(values, dtype=np.float32)[order]
    return Log(
        user_ids.rows(list(users))[order],
        item_ids.rows(list(items))[order],
        told,
        when[order],
        user_ids,
        item_ids,
        times is not None,
    )


def _text(path: Path) -> Log:
    with path.open(encoding="utf-8", newline="") as lines:
        first = [line.rstrip("\r\n") for line, _ in zip(lines, range(LOOKED_AT), strict=False) if line.strip()]
    if not first:
        raise DatasetError(f"{path.name}: is empty")
    delimiter = next((one for one in DELIMITERS if one in first[0]), " ")
    widths = {len(line.split(delimiter)) for line in first}
    if delimiter == " " and (len(widths) > 1 or max(widths) > 4):
        return _sequences(path)
    if len(widths) > 1 or max(widths) < 2:
        raise DatasetError(f"{path.name}: is neither a table of user and item nor lines of a user and items")
    return _table(path, delimiter)


def _sequences(path: Path) -> Log:
    told = read_lines(path)
    users = [user for user, items in told.items() for _ in items]
    return log_of(users, [item for items in told.values() for item in items], None, None)


def _table(path: Path, delimiter: str) -> Log:
    rows = _rows(path, delimiter)
    first = next(rows)
    named = _by_name(first)
    places = named or {name: place for place, name in enumerate(("user", "item", "value", "time")[: len(first)])}
    body = rows if named else iter([first, *rows])
    columns: dict[str, list[str]] = {name: [] for name in places}
    for number, row in enumerate(body, start=2 if named else 1):
        if len(row) <= max(places.values()):
            raise DatasetError(f"{path.name}, line {number}: {len(row)} columns, {max(places.values()) + 1} are needed")
        for name, place in places.items():
            columns[name].append(row[place].strip())
    if not columns["user"]:
        raise DatasetError(f"{path.name}: has a header and no rows")
    values = _numbers(path, "rating", columns.get("value"))
    return log_of(columns["user"], columns["item"], values, _moments(path, columns.get("time")))


def _rows(path: Path, delimiter: str) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        if len(delimiter) > 1:
            yield from (line.rstrip("\r\n").split(delimiter) for line in lines if line.strip())
        else:
            yield from (row for row in csv.reader(lines, delimiter=delimiter) if row)


def _by_name(header: Sequence[str]) -> dict[str, int]:
    """Which column is what; {} where the first line is no header."""
    words = [cell.strip().casefold().partition(":")[0] for cell in header]
    found: dict[str, int] = {}
    for name, known in WORDS.items():
        exact = [place for place, word in enumerate(words) if word in known]
        near = [place for place, word in enumerate(words) if any(one in word for one in known)]
        for place in (*exact, *near):
            if place not in found.values():
                found[name] = place
                break
    return found if {"user", "item"} <= set(found) else {}


def _numbers(path: Path, what: str, cells: Sequence[str] | None) -> list[float] | None:
    if cells is None:
        return None
    try:
        return [float(cell) for cell in cells]
    except ValueError as error:
        raise DatasetError(f"{path.name}: a {what} is no number ({error})") from error


def _moments(path: Path, cells: Sequence[str] | None) -> list[float] | None:
    """Seconds, from numbers or ISO 8601 text."""
    if cells is None:
        return None
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        pass
    try:
        told = [datetime.fromisoformat(cell) for cell in cells]
    except ValueError as error:
        raise DatasetError(f"{path.name}: a time is neither a number nor ISO 8601 ({error})") from error
    return [(one if one.tzinfo else one.replace(tzinfo=UTC)).timestamp() for one in told]


def _parquet(path: Path) -> Log:
    from pyarrow import ArrowInvalid, parquet  # as heavy as all the rest, and only some files need it

    try:
        table = parquet.read_table(path)
    except ArrowInvalid as error:
        raise DatasetError(f"{path.name}: is no Parquet file ({error})") from error
    named = _by_name(table.column_names)
    if not named:
        raise DatasetError(f"{path.name}: no column of users and items among {', '.join(table.column_names)}")
    columns = {name: [str(one) for one in table.column(place).to_pylist()] for name, place in named.items()}
    return log_of(
        columns["user"], columns["item"], _numbers(path, "rating", columns.get("value")), _moments(path, columns.get("time"))
    )
