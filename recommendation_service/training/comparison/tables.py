"""Comparisons as text tables: for a terminal, and as Markdown for the documentation."""

from collections.abc import Container, Sequence

from recommendation_service.training.comparison.methods import MethodComparison
from recommendation_service.training.comparison.models import BASKETS
from recommendation_service.training.evaluation.evaluator import SEGMENTS, Figures

_SEGMENT_TITLES = {
    "all": "Everyone",
    "0-4": "Cold: 0-4 interactions before the test part, new users included",
    "5-19": "Warm: 5-19 interactions",
    "20+": "Hot: 20 or more interactions",
    BASKETS: "Baskets of the test part: predict a removed product from the rest",
}


def header(k: int) -> list[str]:
    """Column titles of a table at k."""
    names = ("P", "R", "NDCG", "MAP")
    return ["model", *(f"{name}@{k}" for name in names), f"NDCG@{k} 95 %", "coverage", "diversity", "answered", "n"]


def row(figures: Figures) -> list[str]:
    """One model's figures as printed."""
    low, high = figures.interval
    return [
        figures.model,
        *(f"{value:.4f}" for value in (figures.precision, figures.recall, figures.ndcg, figures.map)),
        f"{low:.4f}-{high:.4f}",
        f"{figures.coverage:.3f}",
        "-" if figures.diversity is None else f"{figures.diversity:.3f}",
        f"{figures.answered:.0%}",
        f"{figures.people:,}",
    ]


def plain(figures: Sequence[Figures], k: int) -> str:
    """All segments as aligned columns."""
    parts = []
    for segment, rows in _segments(figures):
        lines = _aligned([header(k), *map(row, rows)], right=range(1, len(header(k))))
        parts.append("\n".join([_SEGMENT_TITLES[segment], *lines]))
    return "\n\n".join(parts)


def markdown(figures: Sequence[Figures], k: int) -> str:
    """All segments as Markdown tables, each under a heading."""
    parts = []
    for segment, rows in _segments(figures):
        columns = header(k)
        rule = "| --- |" + " ---: |" * (len(columns) - 1)
        lines = [f"| {' | '.join(cells)} |" for cells in (columns, *map(row, rows))]
        parts.append("\n".join([f"**{_SEGMENT_TITLES[segment]}**", "", lines[0], rule, *lines[1:]]))
    return "\n\n".join(parts) + "\n"


def _segments(figures: Sequence[Figures]) -> list[tuple[str, list[Figures]]]:
    groups = [(segment, [entry for entry in figures if entry.segment == segment]) for segment in _SEGMENT_TITLES]
    return [(segment, rows) for segment, rows in groups if rows]


def _aligned(rows: Sequence[Sequence[str]], right: Container[int]) -> list[str]:
    """The rows as lines of aligned columns; those in `right` are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        padded = zip(row, widths, strict=True)
        cells = [cell.rjust(width) if index in right else cell.ljust(width) for index, (cell, width) in enumerate(padded)]
        lines.append("  ".join(cells).rstrip())
    return lines


def methods_table(comparison: MethodComparison) -> str:
    """One row per method: share of users answered and of items known, NDCG@10 with its interval by segment."""
    covered = comparison.coverage()
    figures_of = {(entry.model, entry.segment): entry for entry in comparison.figures}
    segments = [segment for segment in SEGMENTS if any(entry.segment == segment for entry in comparison.figures)]
    lines = [["method", "people", "items", *(_heading(segment, comparison.figures) for segment in segments)]]
    for name in dict.fromkeys(entry.model for entry in comparison.figures):
        people, items = covered[name]
        cells = [_cell(figures_of[name, segment]) for segment in segments]
        lines.append([name, f"{people:.0%}", f"{items:.0%}", *cells])
    return "\n".join(_aligned(lines, right=(1, 2)))


def _heading(segment: str, figures: tuple[Figures, ...]) -> str:
    people = next(entry.people for entry in figures if entry.segment == segment)
    return f"{'everyone' if segment == 'all' else segment} (n {people:,})"


def _cell(figures: Figures) -> str:
    low, high = figures.interval
    return f"{figures.ndcg:.3f} ({low:.3f}-{high:.3f})" if figures.answered > 0 else "-"
