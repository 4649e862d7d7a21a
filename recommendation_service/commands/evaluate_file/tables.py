"""The tables that `tandem evaluate FILE` prints, and the same tables in Markdown."""

from collections.abc import Sequence
from typing import Any

from recommendation_service.commands.evaluate_file.result_rows import Row
from recommendation_service.training.text_tables import aligned, markdown_table

Cells = list[list[str]]


def table(rows: Sequence[Row]) -> str:
    """Return an aligned table with one row per model: measures, the interval of the last measure, costs and settings."""
    cells = _cells(rows, _measure(rows), "settings")
    return "\n".join(aligned(cells, right=_numbers(cells)))


def by_segment(rows: Sequence[Row]) -> str:
    """Return an aligned table with one row per model: its last measure, with the interval, for each segment of users."""
    cells = _segment_cells(rows)
    return "\n".join(aligned(cells, right=_numbers(cells)))


def markdown(rows: Sequence[Row]) -> str:
    """Return both tables in Markdown. Settings that have their configured value are left out."""
    tables = (_cells(rows, "95 %", "settings other than configured; weights"), _segment_cells(rows))
    return "\n\n".join(markdown_table(cells, right=_numbers(cells)) for cells in tables)


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


def _numbers(cells: Cells) -> set[int]:
    """Return the columns that hold numbers: all but the model and the settings."""
    return {column for column, title in enumerate(cells[0]) if column and not title.startswith("settings")}
