"""Reads the columns of users, items, values and times of a table."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Ints
from recommendation_service.datasets.interaction_files.columns import Columns, find_columns
from recommendation_service.datasets.interaction_files.content import FORMATS, TextFile, decode, open_parquet, split_rows
from recommendation_service.datasets.interaction_files.values import is_empty
from recommendation_service.errors import DatasetError

IDS = ("user", "item")
BLANKS = re.compile(rb"[ \t]+")

ColumnData = tuple[Ints, Sequence[str]] | AnyArray  # (k,) indices into a list of distinct cells, or (k,) numbers


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The columns that a log is made of."""

    indices: Mapping[str, Ints]  # "user" and "item" -> (k,) indices into `names`
    names: Mapping[str, Sequence[str]]
    values: ColumnData | None
    times: ColumnData | None
    counts: bool
    notes: tuple[str, ...] = ()

    def has_id(self, name: str) -> Bools:
        """(k,), False where the cell of the user or item is empty."""
        return np.array([not is_empty(cell) for cell in self.names[name]], dtype=np.bool_)[self.indices[name]]


def read_table(path: Path, text: TextFile) -> Table:
    """Read a text table. Raises DatasetError if it has no user and item column, or a row that is too short."""
    columns = find_columns(text.rows[0], text.rows[1:]) if len(text.rows[0]) > 1 else None
    if columns is None or (not columns.header and len({len(row) for row in text.rows}) > 1):
        raise DatasetError(f"{path.name}: is neither a table of user and item nor lines of a user and items")
    if columns.header and len(text.rows) == 1:
        raise DatasetError(f"{path.name}: has a header and no rows")
    return _table(_read_with_pyarrow(text, columns) or _read_with_csv(path, text, columns), columns)


def read_parquet(path: Path) -> Table:
    """Read a Parquet file by its column names. Raises DatasetError as `read_table`."""
    with open_parquet(path) as file:
        data = file.read()
    columns = find_columns(data.column_names, [])
    if columns is None or not len(data):
        problem = "has no rows" if columns else f"no column of users and items among {', '.join(data.column_names)}"
        raise DatasetError(f"{path.name}: {problem}")
    return _table({name: _column(data.column(index), ids=name in IDS) for name, index in columns.indices.items()}, columns)


def _table(data: Mapping[str, ColumnData], columns: Columns) -> Table:
    ids = {name: column for name in IDS if isinstance(column := data[name], tuple)}
    return Table(
        {name: indices for name, (indices, _) in ids.items()},
        {name: names for name, (_, names) in ids.items()},
        data.get("value"),
        data.get("time"),
        columns.counts,
        columns.notes,
    )


def _read_with_pyarrow(text: TextFile, columns: Columns) -> dict[str, ColumnData] | None:
    """Read with pyarrow's compiled reader; None without pyarrow, or where rows differ in length."""
    try:
        from pyarrow import ArrowInvalid, BufferReader, dictionary, int32, string  # optional, and slow to import
        from pyarrow import csv as arrow
    except ModuleNotFoundError:
        return None
    content, delimiter = text.content, text.delimiter
    if delimiter == "::":
        if b"\t" in content:
            return None
        content, delimiter = content.replace(b"::", b"\t"), "\t"
    if delimiter == " ":
        content = BLANKS.sub(b" ", content)
    content = decode(content).encode()
    names = [f"c{index}" for index in range(len(text.rows[0]))]
    ids = dictionary(int32(), string())
    types = {names[index]: ids if name in IDS else string() for name, index in columns.indices.items()}
    try:
        table = arrow.read_csv(
            BufferReader(content),
            arrow.ReadOptions(column_names=names, skip_rows_after_names=int(columns.header), block_size=2**24),
            arrow.ParseOptions(
                delimiter=delimiter,
                quote_char='"' if text.quoted else False,
                newlines_in_values=text.quoted and b'"' in content,
            ),
            arrow.ConvertOptions(
                include_columns=list(types), column_types=types, strings_can_be_null=False, quoted_strings_can_be_null=False
            ),
        )
    except ArrowInvalid:
        return None
    return {name: _column(table.column(names[index]), ids=name in IDS) for name, index in columns.indices.items()}


def _read_with_csv(path: Path, text: TextFile, columns: Columns) -> dict[str, ColumnData]:
    needed = max(columns.indices.values()) + 1
    cells: dict[str, list[str]] = {name: [] for name in columns.indices}
    try:
        for number, row in enumerate(split_rows(decode(text.content), text.delimiter, quoted=text.quoted), start=1):
            if number == 1 and columns.header:
                continue
            if len(row) < needed:
                raise DatasetError(f"{path.name}, line {number}: {len(row)} columns, {needed} are needed")
            for name, index in columns.indices.items():
                cells[name].append(row[index].strip())
    except csv.Error as error:
        raise DatasetError(f"{path.name}: cannot be read ({error}); {FORMATS}") from error
    return {name: _distinct(column) for name, column in cells.items()}


def _distinct(cells: Sequence[str]) -> tuple[Ints, Sequence[str]]:
    first: dict[str, int] = {}
    indices = np.array([first.setdefault(cell, len(first)) for cell in cells], dtype=np.int64)
    return indices, list(first)


def _column(column: Any, *, ids: bool) -> ColumnData:
    """Return a pyarrow column as numbers if it is text of numbers and no id, else as indices into its distinct cells."""
    from pyarrow import ArrowInvalid, float64, types  # optional, as above

    if not ids and types.is_string(column.type):
        try:
            return np.asarray(column.cast(float64()).to_numpy(), dtype=np.float64)
        except ArrowInvalid:
            pass  # dates, or an empty cell
    encoded = column.unify_dictionaries() if types.is_dictionary(column.type) else column.dictionary_encode()
    encoded = encoded.combine_chunks()
    names = ["" if cell is None else str(cell).strip() for cell in encoded.dictionary.to_pylist()]
    indices = encoded.indices.fill_null(len(names)).to_numpy(zero_copy_only=False)
    return indices.astype(np.int64), [*names, ""]
