"""Finds the columns of users, items, values and times: by the header's names, else by the cells.

A header cell is split into words at capitals, digits and signs, so `movieId`, `parent_asin`, `user_id:token` and
`unixReviewTime` are all known. Of several candidates for a role, the one with the more specific name is taken.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from recommendation_service.datasets.interaction_files.values import parse_numbers, parse_times

COUNT_NAMES = (
    *("plays", "play", "playcount", "count", "counts", "listens", "frequency", "freq", "hours"),
    *("clicks", "views", "times", "quantity"),
)
USER_NAMES = """user users username uid reviewer customer visitor person member client buyer listener reader player author
    u session query"""
ITEM_NAMES = """item items iid movie asin business product artist track song isbn article book course sku game app anime
    video poi venue location place spot recipe restaurant hotel news beer show film joke album music repo post content
    offer i"""
TIME_NAMES = "unix timestamp timestamps time datetime ts date when created at t order position"
ROLE_NAMES: Mapping[str, Sequence[str]] = {
    "user": USER_NAMES.split(),
    "item": ITEM_NAMES.split(),
    "value": ["rating", "ratings", "stars", "star", "overall", "score", "value", "vote", "weight", *COUNT_NAMES, "label", "r"],
    "time": TIME_NAMES.split(),
}
"""Role -> names of its column, the most specific first."""

KNOWN_NAMES = {name for names in ROLE_NAMES.values() for name in names}
WHOLE_NAMES = {"u", "i", "r", "t", "at", "order", "position", "times", "time", "play", "query"}  # never part of a longer name
MIN_TIMESTAMP = 1e7  # seconds since 1970, or a day written as 20140506: no rating and no count is as large


@dataclass(frozen=True, slots=True)
class Columns:
    """The index of each role's column, and what the header says."""

    indices: Mapping[str, int]  # of ROLE_NAMES, user and item at least
    header: bool  # True if the first line is a header
    named: bool = False  # True if the header names the user and the item column
    counts: bool = False  # True if the values count something
    notes: tuple[str, ...] = ()


def find_columns(first: Sequence[str], body: Sequence[Sequence[str]]) -> Columns | None:
    """Find the columns from a table's first line and some of the others; None without a user and an item column."""
    named = columns_by_name(first)
    if {"user", "item"} <= set(named):
        counts = "value" in named and _name_parts(first[named["value"]])[-1] in COUNT_NAMES
        return Columns(named, header=True, named=True, counts=counts)
    header = len(named) > 1 or _is_header(first, body)
    rows = body if header else [first, *body]
    indices = _columns_by_content(rows, len(first), named if header else {}) if rows else {}
    return Columns(indices, header) if {"user", "item"} <= set(indices) else None


def columns_by_name(header: Sequence[str]) -> dict[str, int]:
    """Find the columns by their names alone; a column has one role at most."""
    columns: dict[str, int] = {}
    for role, names in ROLE_NAMES.items():
        ranked = [(rank, index) for index, cell in enumerate(header) if (rank := _rank(cell, role, names)) is not None]
        index = next((index for _, index in sorted(ranked) if index not in columns.values()), None)
        if index is not None:
            columns[role] = index
    return columns


def _name_parts(cell: str) -> list[str]:
    """The words of a header cell in lower case. RecBole writes the type after a colon; `userid` is `user`."""
    plain = cell.strip().strip("\"'").partition(":")[0]
    parts = [part.casefold() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+", plain)]
    without_id = [
        part[:-2] if part.endswith("id") and part[:-2] in KNOWN_NAMES and part not in KNOWN_NAMES else part for part in parts
    ]
    return [part for part in without_id if part != "id"] or parts or [""]


def _rank(cell: str, role: str, names: Sequence[str]) -> tuple[int, int] | None:
    """The smaller the more likely; None: the column does not have this role."""
    if any(character.isdigit() for character in cell):
        return None  # an id
    parts = _name_parts(cell)
    known = [names.index(part) for part in parts if part in names and (len(parts) == 1 or part not in WHOLE_NAMES)]
    if not known and role == "time" and len(parts) > 1 and parts[-1] == "time":
        known = [names.index("time")]
    certain = len(parts) == 1 or "id" in cell.casefold()
    return (0 if certain else 1, min(known)) if known else None


def _is_header(first: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """True if a column has numbers or times everywhere but in the first line."""
    for index, cell in enumerate(first):
        below = [row[index] for row in body if index < len(row)]
        parse = parse_times if parse_numbers(below) is None else parse_numbers
        if below and parse(below) is not None and parse([cell]) is None:
            return True
    return False


def _columns_by_content(rows: Sequence[Sequence[str]], width: int, named: Mapping[str, int]) -> dict[str, int]:
    """Give roles to the columns without a name, from the left: users, items, times, values."""
    columns = dict(named)
    complete = [row for row in rows if len(row) >= width]
    cells = {index: [row[index].strip() for row in complete] for index in range(width) if index not in named.values()}
    types = {index: _cell_type(column) for index, column in cells.items()}
    tests: Mapping[str, Callable[[int], bool]] = {
        "user": lambda index: types[index] != "time",
        "item": lambda index: types[index] in ("id", "integer") or (index == 1 and types[index] == "fraction"),
        "time": lambda index: types[index] == "time" or (types[index] != "id" and _are_timestamps(cells[index])),
        "value": lambda index: types[index] != "id" and index > columns["item"],
    }
    for role, fits in tests.items():
        if role not in columns and (role in ("user", "item") or "item" in columns):
            index = next((index for index in sorted(cells) if index not in columns.values() and fits(index)), None)
            if index is not None:
                columns[role] = index
    free = [index for index in cells if index not in columns.values() and types[index] in ("integer", "fraction")]
    if "value" in columns and "time" not in columns and columns["value"] + 1 in free:
        columns["time"] = columns["value"] + 1  # as in MovieLens' tables
    return columns


def _cell_type(cells: Sequence[str]) -> str:
    """integer, fraction, time or id."""
    given = [cell for cell in cells if cell]
    if not given:
        return "id"
    values = parse_numbers(given)
    if values is None:
        return "id" if parse_times(given) is None else "time"
    whole = all(value.is_integer() and "." not in cell for value, cell in zip(values, given, strict=True))
    return "integer" if whole else "fraction"


def _are_timestamps(cells: Sequence[str]) -> bool:
    values = parse_numbers([cell for cell in cells if cell])
    return bool(values) and min(values or ()) >= MIN_TIMESTAMP
