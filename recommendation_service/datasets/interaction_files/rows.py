"""Streams the rows of a CSV, TSV or Parquet file that names its columns, with line numbers."""

import csv
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from recommendation_service.datasets.interaction_files.content import READ_ERRORS, is_parquet, open_text
from recommendation_service.datasets.interaction_files.parquet import open_parquet
from recommendation_service.errors import DatasetError

HEADER_DELIMITERS = (",", "\t", ";", "|", "::")
ESCAPED_TAB = "\\t"  # as a shell passes it
UNIT_SEPARATOR = "\x1f"  # stands for a delimiter of several characters, which the csv module does not know

Row = tuple[int, Mapping[str, Any]]


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


def read_rows(path: Path, delimiter: str | None = None) -> Iterator[Row]:
    """Yield each row with its line number; of a Parquet file, with its row number from 1. Raises DatasetError."""
    if is_parquet(path):
        yield from _parquet_rows(path)
        return
    line = 0
    try:
        with open_text(path) as file:
            lines, separator = _csv_input(file, delimiter)
            reader = csv.DictReader(lines, delimiter=separator)
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
