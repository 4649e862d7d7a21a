"""The quality table, for a terminal and for a document."""

from collections.abc import Sequence
from typing import Any

from recommendation_service.commands.evaluate_file.result_rows import Row

Cells = list[list[str]]


def table(rows: Sequence[Row]) -> str:
    """All rows as aligned columns."""
    return _aligned(_cells(rows, _measure(rows), "settings"))


def by_segment(rows: Sequence[Row]) -> str:
    """The last measure of every model for each segment of people, with its interval."""
    return _aligned(_segment_cells(rows))


def markdown(rows: Sequence[Row]) -> str:
    """The same two tables as a document shows them."""
    return f"{_ruled(_cells(rows, '95 %', 'settings other than stated; weights'))}\n\n{_ruled(_segment_cells(rows))}"


def _measure(rows: Sequence[Row]) -> str:
    return f"{list(rows[0].measures)[-1]} 95 %"


def _cells(rows: Sequence[Row], interval: str, settings: str) -> Cells:
    names = list(rows[0].measures)
    cells_table = [["model", *names, interval, "n", "ms a request", "fit s", "search s", "MB", settings]]
    for row in rows:
        mean = [f"{row.measures[name][0]:.4f}" for name in names]
        _, low, high = row.measures[names[-1]]
        cost = [f"{row.request_ms:.2f}", f"{row.fit_s:.1f}", f"{row.search_s:.1f}", f"{row.megabytes:.1f}"]
        settings_text = "; ".join(
            filter(None, (", ".join(f"{name} {_spelled(value)}" for name, value in row.settings.items()), row.note))
        )
        cells_table.append([row.model, *mean, f"{low:.4f}-{high:.4f}", f"{row.people:,}", *cost, settings_text])
    return cells_table


def _segment_cells(rows: Sequence[Row]) -> Cells:
    last = list(rows[0].measures)[-1]
    cells_table = [
        [
            f"{last} by interactions before",
            *(f"{name} (n {segment.people:,})" for name, segment in rows[0].segments.items()),
        ]
    ]
    for row in rows:
        settings_text = [segment.measures[last] for segment in row.segments.values()]
        cells_table.append([row.model, *(f"{mean:.4f}  {low:.4f}-{high:.4f}" for mean, low, high in settings_text)])
    return cells_table


def _spelled(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.3g}"


def _aligned(cells: Cells) -> str:
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    left = [_is_text(cells, column) for column in range(len(widths))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if words else cell.rjust(width) for cell, width, words in zip(line, widths, left, strict=True)
        ).rstrip()
        for line in cells
    )


def _ruled(cells: Cells) -> str:
    rule = ["---" if _is_text(cells, column) else "---:" for column in range(len(cells[0]))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (cells[0], rule, *cells[1:]))


def _is_text(cells: Cells, column: int) -> bool:
    return column == 0 or cells[0][column].startswith("settings")
