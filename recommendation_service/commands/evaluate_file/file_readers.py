"""The bytes of a file as lines or as columns of different cells: what `logs` makes a log of."""

import bz2
import csv
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from recommendation_service.commands.evaluate_file.column_detection import LIKE_A_TIME, Columns, columns_of
from recommendation_service.core.numeric import AnyArray, Bools, Ints
from recommendation_service.errors import DatasetError

IDS = ("user", "item")
DELIMITERS = ("::", "\t", ",", ";", "|", " ")
LOOKED_AT = 50  # lines from which the layout is told
PACKED = {b"\x1f\x8b": gzip.decompress, b"BZh": bz2.decompress, b"\xfd7zXZ": lzma.decompress}
NEEDED = "give a CSV, TSV, Parquet or sequence file"
COMMENT = re.compile(rb"(?:[#%][^\n]*(?:\n|$)|[ \t\r]*\n)*")  # at the top
BETWEEN = re.compile(rb"\n(?:[#%] [^\n]*|[ \t\r]*)(?=\n|$)")
BLANKS = re.compile(rb"[ \t]+")


Column = tuple[Ints, Sequence[str]] | AnyArray  # (k,) places in a list of different cells, or (k,) numbers


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The columns that count."""

    places: Mapping[str, Ints]  # of user and item
    names: Mapping[str, Sequence[str]]
    values: Column | None
    times: Column | None
    counts: bool
    notes: tuple[str, ...] = ()

    def known(self, name: str) -> Bools:
        """(k,), False where the cell of the user or item is empty."""
        return np.array([bool(one.strip()) for one in self.names[name]], dtype=np.bool_)[self.places[name]]


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """A file's text without comments and empty lines, and how its cells are parted."""

    content: bytes
    delimiter: str
    quoted: bool
    rows: tuple[tuple[str, ...], ...]  # the first ones

    def is_sequences(self, *, lines: bool) -> bool:
        """Whether this is one line a user. Four columns or fewer may be a table too: then `lines` says which it is."""
        widths = {len(row) for row in self.rows}
        found = columns_of(self.rows[0], self.rows[1:]) if min(widths) > 1 else None
        if self.delimiter not in (" ", "\t") or (found is not None and found.named):
            return False
        if len(widths) > 1 or (max(widths) > 4 and self.delimiter == " "):
            return True
        last = self.rows[-1][-1]
        timed = max(widths) > 2 and re.fullmatch(r"\d+(\.\d+)?", last) is not None and float(last) >= LIKE_A_TIME
        return lines and self.delimiter == " " and not timed

    def lines(self) -> Iterator[str]:
        """Every line that has a word."""
        return (line for line in _decoded(self.content).splitlines() if line.strip())


def opened(path: Path) -> bytes:
    """A file's bytes, unpacked where they are packed. Raises DatasetError where there are none to be had."""
    try:
        content = path.read_bytes()
        for magic, unpack in PACKED.items():
            if content.startswith(magic):
                return unpack(content)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise DatasetError(f"{path.name}: cannot be read ({error}); {NEEDED}") from error
    return content


def text_of(path: Path, content: bytes) -> Text:
    """What there is to read. Raises DatasetError for an empty file and for what is no text."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            content = content.decode("utf-16").encode()
        except UnicodeDecodeError as error:
            raise DatasetError(f"{path.name}: cannot be read ({error}); {NEEDED}") from error
    content = content.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in content[:100_000]:
        raise DatasetError(f"{path.name}: cannot be read (it is no text); {NEEDED}")
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    content = content[(COMMENT.match(content) or re.match(b"", b"")).end() :]  # type: ignore[union-attr] # both match all
    content = BETWEEN.sub(b"", content).rstrip(b"\n")
    first = [line.rstrip() if "\t" not in line else line for line in _decoded(content[:200_000]).split("\n")[:LOOKED_AT]]
    if not first or not any(first):
        raise DatasetError(f"{path.name}: is empty")
    delimiter, quoted, rows = _layout(first)
    if not rows or not any(any(row) for row in rows):
        raise DatasetError(f"{path.name}: is empty")
    return Text(content, delimiter, quoted, rows)


def _layout(first: Sequence[str]) -> tuple[str, bool, tuple[tuple[str, ...], ...]]:
    """The delimiter that gives all first lines alike the most columns wins over one that only some lines have."""
    found = []
    for place, delimiter in enumerate(DELIMITERS):
        quoted = len(delimiter) == 1 and delimiter != " " and _quoted(first, delimiter)
        rows = tuple(_parted("\n".join(first), delimiter, quoted=quoted))
        widths = [len(row) for row in rows] or [0]
        parted = min(widths) > 1
        known = any(delimiter in line for line in first)
        found.append((parted and min(widths) == max(widths), parted, known, -place, rows, quoted))
    *_, place, rows, quoted = max(found, key=lambda one: one[:4])
    return DELIMITERS[-place], quoted, rows


def _quoted(first: Sequence[str], delimiter: str) -> bool:
    """In a table parted by tabs a quote is mostly a mark in a title, and would swallow lines."""
    begins = any(
        cell.startswith('"') and cell.endswith('"') and len(cell) > 1 for line in first for cell in line.split(delimiter)
    )
    return begins if delimiter in ("\t", "|") else any('"' in line for line in first) or delimiter in (",", ";")


def _parted(text: str, delimiter: str, *, quoted: bool) -> Iterator[tuple[str, ...]]:
    if len(delimiter) > 1:
        yield from (tuple(line.split(delimiter)) for line in text.split("\n") if line.strip())
    elif delimiter == " ":
        yield from (tuple(line.split()) for line in text.split("\n") if line.strip())
    else:
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
        csv.field_size_limit(2**31 - 1)
        yield from (tuple(row) for row in csv.reader(io.StringIO(text), delimiter=delimiter, quoting=quoting) if row)


def table_cells(path: Path, text: Text) -> Cells:
    """The columns of a table. Raises DatasetError where there are none, or where a row lacks one of them."""
    found = columns_of(text.rows[0], text.rows[1:]) if len(text.rows[0]) > 1 else None
    if found is None or (not found.header and len({len(row) for row in text.rows}) > 1):
        raise DatasetError(f"{path.name}: is neither a table of user and item nor lines of a user and items")
    if found.header and len(text.rows) == 1:
        raise DatasetError(f"{path.name}: has a header and no rows")
    columns = _by_arrow(text, found) or _row_by_row(path, text, found)
    return _cells(columns, found)


def _cells(columns: Mapping[str, Column], found: Columns) -> Cells:
    ids = {name: one for name in IDS if isinstance(one := columns[name], tuple)}
    places, names = {name: one[0] for name, one in ids.items()}, {name: one[1] for name, one in ids.items()}
    return Cells(places, names, columns.get("value"), columns.get("time"), found.counts, found.notes)


def _by_arrow(text: Text, found: Columns) -> dict[str, Column] | None:
    """By a compiled reader, many times as fast; None where the rows are not alike, and another one tells which."""
    from pyarrow import ArrowInvalid, BufferReader, dictionary, int32, string  # as heavy as all the rest, and not always needed
    from pyarrow import csv as arrow

    content, delimiter = text.content, text.delimiter
    if delimiter == "::":
        if b"\t" in content:
            return None
        content, delimiter = content.replace(b"::", b"\t"), "\t"
    if delimiter == " ":
        content = BLANKS.sub(b" ", content)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        content = content.decode("latin-1").encode()
    names = [f"c{place}" for place in range(len(text.rows[0]))]
    ids = dictionary(int32(), string())
    kinds = {names[place]: ids if name in IDS else string() for name, place in found.places.items()}
    try:
        table = arrow.read_csv(
            BufferReader(content),
            arrow.ReadOptions(column_names=names, skip_rows_after_names=int(found.header), block_size=2**24),
            arrow.ParseOptions(
                delimiter=delimiter,
                quote_char='"' if text.quoted else False,
                newlines_in_values=text.quoted and b'"' in content,
            ),
            arrow.ConvertOptions(
                include_columns=list(kinds), column_types=kinds, strings_can_be_null=False, quoted_strings_can_be_null=False
            ),
        )
    except ArrowInvalid:
        return None
    return {name: _column(table.column(names[place]), ids=name in IDS) for name, place in found.places.items()}


def _row_by_row(path: Path, text: Text, found: Columns) -> dict[str, Column]:
    most = max(found.places.values())
    cells: dict[str, list[str]] = {name: [] for name in found.places}
    try:
        for number, row in enumerate(_parted(_decoded(text.content), text.delimiter, quoted=text.quoted), start=1):
            if number == 1 and found.header:
                continue
            if len(row) <= most:
                raise DatasetError(f"{path.name}, line {number}: {len(row)} columns, {most + 1} are needed")
            for name, place in found.places.items():
                cells[name].append(row[place].strip())
    except csv.Error as error:
        raise DatasetError(f"{path.name}: cannot be read ({error}); {NEEDED}") from error
    return {name: _numbered(own) for name, own in cells.items()}


def _numbered(cells: Sequence[str]) -> tuple[Ints, Sequence[str]]:
    first: dict[str, int] = {}
    places = np.array([first.setdefault(cell, len(first)) for cell in cells], dtype=np.int64)
    return places, list(first)


def parquet_cells(path: Path) -> Cells:
    """The columns of a Parquet file, by their names."""
    from pyarrow import ArrowException, parquet  # as heavy as all the rest, and only some files need it

    try:
        table = parquet.read_table(path)
    except (OSError, ArrowException) as error:
        raise DatasetError(f"{path.name}: is no Parquet file ({error})") from error
    found = columns_of(table.column_names, [])
    if found is None or not len(table):
        has = "has no rows" if found else f"no column of users and items among {', '.join(table.column_names)}"
        raise DatasetError(f"{path.name}: {has}")
    return _cells({name: _column(table.column(place), ids=name in IDS) for name, place in found.places.items()}, found)


def _column(column: Any, *, ids: bool) -> Column:
    """A pyarrow column: text of numbers as these, anything else as places in a list of different cells."""
    from pyarrow import ArrowInvalid, float64, types

    if not ids and types.is_string(column.type):
        try:
            return np.asarray(column.cast(float64()).to_numpy(), dtype=np.float64)
        except ArrowInvalid:
            pass  # dates, or something is missing
    one = column.unify_dictionaries() if types.is_dictionary(column.type) else column.dictionary_encode()
    one = one.combine_chunks()
    names = ["" if cell is None else str(cell).strip() for cell in one.dictionary.to_pylist()]
    places = one.indices.fill_null(len(names)).to_numpy(zero_copy_only=False)
    return places.astype(np.int64), [*names, ""]


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")
