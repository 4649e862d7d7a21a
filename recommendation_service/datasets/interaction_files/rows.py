"""Streams the rows of a CSV, TSV or Parquet file that names its columns, with line numbers."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from recommendation_service.datasets.interaction_files.content import READ_ERRORS, is_parquet, open_parquet, open_text
from recommendation_service.errors import DatasetError

HEADER_DELIMITERS = (",", "\t", ";", "|", "::")
ESCAPED_TAB = "\\t"  # as a shell passes it
UNIT_SEPARATOR = "\x1f"  # stands for a delimiter of several characters, which the csv module does not know

Row = tuple[int, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class RowFormat:
    """How the rows of a text file are written, where it is not a CSV in UTF-8 with a header."""

    delimiter: str | None = None  # None: the one that the first line has most often
    columns: Sequence[str] | None = None  # of a file without a header
    quoted: bool = True
    encoding: str = "utf-8-sig"
    errors: str = "strict"  # of decoding


def column_names(path: Path, delimiter: str | None = None) -> list[str]:
    """Return the column names. Raises DatasetError if the file is unreadable."""
    if is_parquet(path):
        with open_parquet(path) as file:
            return list(file.schema_arrow.names)
    try:
        with open_text(path) as file:
            lines, separator = _csv_input(file, delimiter)
            return next(csv.reader(lines, delimiter=separator), [])
    except (*READ_ERRORS, csv.Error) as error:
        raise DatasetError(f"{path.name}: cannot be read ({error}); give a CSV in UTF-8 or a Parquet file") from error


def read_rows(path: Path, delimiter: str | None = None, *, row_format: RowFormat | None = None) -> Iterator[Row]:
    """Yield each row with its line number; of a Parquet file, with its row number from 1. Raises DatasetError."""
    if is_parquet(path):
        yield from _parquet_rows(path)
        return
    line, form = 0, row_format or RowFormat(delimiter)
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if form.quoted else csv.QUOTE_NONE
    try:
        with open_text(path, encoding=form.encoding, errors=form.errors) as file:
            lines, separator = _csv_input(file, form.delimiter)
            reader = csv.DictReader(lines, form.columns, delimiter=separator, quoting=quoting)
            for row in reader:
                line = reader.line_num
                yield line, row
    except (*READ_ERRORS, csv.Error) as error:
        raise DatasetError(f"{path.name}: line {line + 1}: {error}; give a CSV in UTF-8") from error


def _csv_input(file: Any, delimiter: str | None) -> tuple[Iterator[str], str]:
    """Return the lines and a delimiter of one character for the csv module."""
    header = file.readline()
    chosen = max(HEADER_DELIMITERS, key=header.count) if delimiter is None else delimiter.replace(ESCAPED_TAB, "\t")
    lines = chain([header] if header else [], file)
    if len(chosen) == 1:
        return lines, chosen
    return (line.replace(chosen, UNIT_SEPARATOR) for line in lines), UNIT_SEPARATOR


def _parquet_rows(path: Path) -> Iterator[Row]:
    line = 0
    with open_parquet(path) as file:
        for batch in file.iter_batches(batch_size=10_000):
            for row in batch.to_pylist():
                line += 1
                yield line, row
