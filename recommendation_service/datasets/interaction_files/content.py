"""Opens text files: unpacks, decodes, and finds the delimiter."""

import bz2
import csv
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

from recommendation_service.datasets.interaction_files.columns import MIN_TIMESTAMP, find_columns
from recommendation_service.errors import DatasetError

DELIMITERS = ("::", "\t", ",", ";", "|", " ")
LAYOUT_LINES = 50  # lines that decide the layout
UNPACKERS: dict[bytes, Callable[[Path], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
READ_ERRORS = (OSError, EOFError, lzma.LZMAError, zlib.error, UnicodeDecodeError)
FORMATS = "give a CSV, TSV, Parquet or sequence file"
PARQUET_SUFFIXES = (".parquet", ".pq")

TOP_COMMENTS = re.compile(rb"(?:[#%][^\n]*(?:\n|$)|[ \t\r]*\n)*")
INNER_COMMENTS = re.compile(rb"\n(?:[#%] [^\n]*|[ \t\r]*)(?=\n|$)")


def is_parquet(path: Path) -> bool:
    """True if the file's name ends like that of a Parquet file."""
    return path.suffix.casefold() in PARQUET_SUFFIXES


def open_parquet(path: Path) -> Any:
    """Return a pyarrow ParquetFile. Raises DatasetError if it is unreadable, ModuleNotFoundError without pyarrow."""
    from pyarrow import ArrowException, parquet  # optional, and as slow to import as everything else together

    try:
        return parquet.ParquetFile(path)
    except (OSError, ArrowException) as error:
        raise DatasetError(f"{path.name}: cannot be read as a Parquet file ({error})") from error


def open_binary(path: Path) -> Any:
    """Open a file for reading bytes; gzip, bzip2 and xz files are unpacked."""
    with path.open("rb") as file:
        head = file.read(8)
    unpack = next((opener for magic, opener in UNPACKERS.items() if head.startswith(magic)), None)
    return unpack(path) if unpack else path.open("rb")


def open_text(path: Path, *, encoding: str = "utf-8-sig", errors: str = "strict") -> TextIO:
    """Open a file in this encoding, or as UTF-16 if it begins with a byte order mark; packed files are unpacked."""
    with open_binary(path) as file:
        encoding = "utf-16" if file.read(2) in UTF16_MARKS else encoding
    return io.TextIOWrapper(open_binary(path), encoding=encoding, errors=errors, newline="")


@dataclass(frozen=True, slots=True, eq=False)
class TextFile:
    """A file's text without comments and empty lines, and how its cells are separated."""

    content: bytes
    delimiter: str
    quoted: bool
    rows: tuple[tuple[str, ...], ...]  # the first LAYOUT_LINES lines

    def is_sequences(self, *, preferred: bool) -> bool:
        """True if each line is a user and the user's items; `preferred` decides where it could also be a table."""
        widths = {len(row) for row in self.rows}
        columns = find_columns(self.rows[0], self.rows[1:]) if min(widths) > 1 else None
        if self.delimiter not in (" ", "\t") or (columns is not None and columns.named):
            return False
        if len(widths) > 1 or (max(widths) > 4 and self.delimiter == " "):
            return True
        last = self.rows[-1][-1]
        timed = max(widths) > 2 and re.fullmatch(r"\d+(\.\d+)?", last) is not None and float(last) >= MIN_TIMESTAMP
        return preferred and self.delimiter == " " and not timed

    def lines(self) -> Iterator[str]:
        """Yield every line that is not blank."""
        return (line for line in decode(self.content).splitlines() if line.strip())


def read_text_file(path: Path) -> TextFile:
    """Read a file into memory. Raises DatasetError if it is unreadable, empty, or not text."""
    try:
        with open_binary(path) as file:
            content: bytes = file.read()
        if content.startswith(UTF16_MARKS):
            content = content.decode("utf-16").encode()
    except READ_ERRORS as error:
        raise DatasetError(f"{path.name}: cannot be read ({error}); {FORMATS}") from error
    content = content.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in content[:100_000]:
        raise DatasetError(f"{path.name}: cannot be read (it is not text); {FORMATS}")
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    comments = TOP_COMMENTS.match(content)
    content = INNER_COMMENTS.sub(b"", content[comments.end() if comments else 0 :]).rstrip(b"\n")
    lines = [line.rstrip() if "\t" not in line else line for line in decode(content[:200_000]).split("\n")[:LAYOUT_LINES]]
    delimiter, quoted, rows = _layout(lines)
    if not any(any(row) for row in rows):
        raise DatasetError(f"{path.name}: is empty")
    return TextFile(content, delimiter, quoted, rows)


def decode(content: bytes) -> str:
    """Decode as UTF-8, or as Latin-1 where that fails."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def split_rows(text: str, delimiter: str, *, quoted: bool) -> Iterator[tuple[str, ...]]:
    """Yield the cells of every line that is not empty."""
    if len(delimiter) > 1 or delimiter == " ":
        separator = None if delimiter == " " else delimiter
        yield from (tuple(line.split(separator)) for line in text.split("\n") if line.strip())
    else:
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
        csv.field_size_limit(2**31 - 1)
        yield from (tuple(row) for row in csv.reader(io.StringIO(text), delimiter=delimiter, quoting=quoting) if row)


def _layout(lines: Sequence[str]) -> tuple[str, bool, tuple[tuple[str, ...], ...]]:
    """Return the delimiter, whether cells are quoted, and the rows.

    A delimiter that gives all lines the same number of columns, two or more, comes before one that does not.
    """
    candidates = []
    for rank, delimiter in enumerate(DELIMITERS):
        quoted = len(delimiter) == 1 and delimiter != " " and _is_quoted(lines, delimiter)
        rows = tuple(split_rows("\n".join(lines), delimiter, quoted=quoted))
        widths = [len(row) for row in rows] or [0]
        splits = min(widths) > 1
        occurs = any(delimiter in line for line in lines)
        candidates.append(((splits and min(widths) == max(widths), splits, occurs, -rank), delimiter, quoted, rows))
    return max(candidates, key=lambda candidate: candidate[0])[1:]


def _is_quoted(lines: Sequence[str], delimiter: str) -> bool:
    """In a table separated by tabs a quote is usually part of a title, and would join lines."""
    if delimiter not in ("\t", "|"):
        return True
    cells = (cell for line in lines for cell in line.split(delimiter))
    return any(len(cell) > 1 and cell.startswith('"') and cell.endswith('"') for cell in cells)
