"""Rows of a CSV, TSV or Parquet file, streamed with their line numbers; and the file of those that were refused."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from recommendation_service.errors import InvalidInput

DELIMITERS = (",", "\t", ";", "|")
PARQUET = (".parquet", ".pq")
FORMULA = ("=", "+", "-", "@", "\t", "\r")

Row = tuple[int, Mapping[str, Any]]


def columns_of(path: Path, delimiter: str | None) -> list[str]:
    """The column names of a file. Raises InvalidInput, with the fix, for a file that cannot be read."""
    try:
        if path.suffix.lower() in PARQUET:
            return _parquet_names(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            return next(csv.reader(file, delimiter=delimiter or sniffed(path)), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"{path.name}: cannot be read ({error}); give a CSV in UTF-8 or a Parquet file") from error


def rows_of(path: Path, delimiter: str | None) -> Iterator[Row]:
    """Each row with its line number (of a Parquet file: its place, from 1), streamed."""
    if path.suffix.lower() in PARQUET:
        yield from _parquet_rows(path)
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter=delimiter or sniffed(path))
        try:
            for row in reader:
                yield reader.line_num, row
        except (csv.Error, UnicodeDecodeError) as error:
            raise InvalidInput(f"{path.name}: line {reader.line_num + 1}: {error}; give a CSV in UTF-8") from error


def sniffed(path: Path) -> str:
    """The delimiter that cuts the first line into the most columns."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
    return max(DELIMITERS, key=first.count)


def checked_mapping(pairs: Sequence[str], allowed: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
    """{"user": "userId"} from ["user=userId"]. Raises InvalidInput that names what there is."""
    mapping = {}
    for pair in pairs:
        ours, sign, theirs = pair.partition("=")
        if not sign or ours not in allowed:
            raise InvalidInput(f"--map {pair}: write {'|'.join(allowed)}=column")
        if theirs not in columns:
            raise InvalidInput(f"--map {pair}: the file has no column '{theirs}'; it has {', '.join(columns)}")
        mapping[ours] = theirs
    return mapping


class Rejects:
    """`<file>.rejects.csv`, written only when something is refused: why, and the row as it came.

    Mended, it can be imported like the file it came from.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(f"{path.name}.rejects.csv")
        self.count = 0
        self._file: Any = None
        self._writer: Any = None

    def add(self, line: int, field: str, reason: str, row: Mapping[str, Any]) -> None:
        """One refused row."""
        cells = {name: cell for name, cell in row.items() if name is not None}  # None: cells beyond the last column
        if self._writer is None:
            self._file = self.path.open("w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow(["line", "field", "reason", *cells])
        self.count += 1
        self._writer.writerow([line, *(_harmless(cell) for cell in (field, reason, *cells.values()))])

    def __enter__(self) -> Self:
        self.path.unlink(missing_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()


def _harmless(cell: Any) -> str:
    """The cell as text that no spreadsheet takes for a formula; numbers stay as they are."""
    text = "" if cell is None else str(cell)
    if not text.startswith(FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def _parquet_names(path: Path) -> list[str]:
    import pyarrow.parquet  # a heavy package that only imports and exports need

    try:
        return list(pyarrow.parquet.read_schema(path).names)
    except pyarrow.ArrowInvalid as error:
        raise InvalidInput(f"{path.name}: is not a Parquet file ({error})") from error


def _parquet_rows(path: Path) -> Iterator[Row]:
    import pyarrow.parquet  # as above

    line = 0
    with pyarrow.parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=10_000):
            for row in batch.to_pylist():
                line += 1
                yield line, row
