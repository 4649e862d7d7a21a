"""Comparisons as text tables: for a terminal, and as Markdown for the documentation."""

from collections.abc import Sequence

from recommendation_service.training.comparison.methods import MethodComparison
from recommendation_service.training.comparison.models import BASKETS
from recommendation_service.training.evaluation.evaluator import SEGMENTS, Figures
from recommendation_service.training.text_tables import aligned, markdown_table

_SEGMENT_TITLES = {
    "all": "Everyone",
    "0-4": "Cold: 0-4 interactions before the test part, new users included",
    "5-19": "Warm: 5-19 interactions",
    "20+": "Hot: 20 or more interactions",
    BASKETS: "Baskets of the test part: predict a removed product from the rest",
}


def header(k: int) -> list[str]:
    """Return the column titles of a table whose lists have k items."""
    names = ("P", "R", "NDCG", "MAP")
    return ["model", *(f"{name}@{k}" for name in names), f"NDCG@{k} 95 %", "coverage", "diversity", "answered", "n"]


def row(figures: Figures) -> list[str]:
    """Return the cells of one model, in the order of `header`. Diversity is "-" if the items have no attributes."""
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
    """Return one aligned table per segment of users, each under its title. `k` is the length of the lists."""
    parts = []
    for segment, rows in _segments(figures):
        lines = aligned([header(k), *map(row, rows)], right=range(1, len(header(k))))
        parts.append("\n".join([_SEGMENT_TITLES[segment], *lines]))
    return "\n\n".join(parts)


def markdown(figures: Sequence[Figures], k: int) -> str:
    """Return one Markdown table per segment of users, each under its title. `k` is the length of the lists."""
    parts = []
    for segment, rows in _segments(figures):
        cells = [header(k), *map(row, rows)]
        parts.append(f"**{_SEGMENT_TITLES[segment]}**\n\n{markdown_table(cells, right=range(1, len(cells[0])))}")
    return "\n\n".join(parts) + "\n"


def _segments(figures: Sequence[Figures]) -> list[tuple[str, list[Figures]]]:
    groups = [(segment, [entry for entry in figures if entry.segment == segment]) for segment in _SEGMENT_TITLES]
    return [(segment, rows) for segment, rows in groups if rows]


def methods_table(comparison: MethodComparison) -> str:
    """Return an aligned table with one row per method.

    Its columns are the share of users with a list, the share of items that the method knows, and NDCG@10 with its 95 %
    interval for each segment of users.
    """
    covered = comparison.coverage()
    figures_of = {(entry.model, entry.segment): entry for entry in comparison.figures}
    segments = [segment for segment in SEGMENTS if any(entry.segment == segment for entry in comparison.figures)]
    lines = [["method", "people", "items", *(_heading(segment, comparison.figures) for segment in segments)]]
    for name in dict.fromkeys(entry.model for entry in comparison.figures):
        people, items = covered[name]
        cells = [_cell(figures_of[name, segment]) for segment in segments]
        lines.append([name, f"{people:.0%}", f"{items:.0%}", *cells])
    return "\n".join(aligned(lines, right=(1, 2)))


def _heading(segment: str, figures: tuple[Figures, ...]) -> str:
    people = next(entry.people for entry in figures if entry.segment == segment)
    return f"{'everyone' if segment == 'all' else segment} (n {people:,})"


def _cell(figures: Figures) -> str:
    low, high = figures.interval
    return f"{figures.ndcg:.3f} ({low:.3f}-{high:.3f})" if figures.answered > 0 else "-"
