"""Writes the rows that an import refused into a file beside its input."""

import csv
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


class RejectedRows:
    """Writes `<file>.rejects.csv`, only if a row is refused: the reason and the row. Corrected, it can be imported itself."""

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(f"{path.name}.rejects.csv")
        self.count = 0
        self._file: Any = None
        self._writer: Any = None

    def add(self, line: int, field: str, reason: str, row: Mapping[str, Any]) -> None:
        """Write one refused row."""
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
    """Return the cell as text that no spreadsheet runs as a formula; numbers stay as they are."""
    text = "" if cell is None else str(cell)
    if not text.startswith(FORMULA_SIGNS):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text
