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
    found = [["model", *names, interval, "n", "ms a request", "fit s", "search s", "MB", settings]]
    for row in rows:
        mean = [f"{row.measures[name][0]:.4f}" for name in names]
        _, low, high = row.measures[names[-1]]
        cost = [f"{row.request_ms:.2f}", f"{row.fit_s:.1f}", f"{row.search_s:.1f}", f"{row.megabytes:.1f}"]
        told = "; ".join(filter(None, (", ".join(f"{name} {_spelled(own)}" for name, own in row.settings.items()), row.note)))
        found.append([row.model, *mean, f"{low:.4f}-{high:.4f}", f"{row.people:,}", *cost, told])
    return found


def _segment_cells(rows: Sequence[Row]) -> Cells:
    last = list(rows[0].measures)[-1]
    found = [
        [
            f"{last} by interactions before",
            *(f"{name} (n {one.people:,})" for name, one in rows[0].segments.items()),
        ]
    ]
    for row in rows:
        told = [one.measures[last] for one in row.segments.values()]
        found.append([row.model, *(f"{mean:.4f}  {low:.4f}-{high:.4f}" for mean, low, high in told)])
    return found


def _spelled(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.3g}"


def _aligned(cells: Cells) -> str:
    widths = [max(len(line[place]) for line in cells) for place in range(len(cells[0]))]
    left = [_is_words(cells, place) for place in range(len(widths))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if words else cell.rjust(width) for cell, width, words in zip(line, widths, left, strict=True)
        ).rstrip()
        for line in cells
    )


def _ruled(cells: Cells) -> str:
    rule = ["---" if _is_words(cells, place) else "---:" for place in range(len(cells[0]))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (cells[0], rule, *cells[1:]))


def _is_words(cells: Cells, place: int) -> bool:
    return place == 0 or cells[0][place].startswith("settings")
