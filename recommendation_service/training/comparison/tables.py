"""Evaluation tables as text: for a terminal, and as Markdown for the documentation."""

from collections.abc import Sequence

from recommendation_service.training.evaluation.evaluator import Figures

BASKETS = "baskets"

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
        lines = [header(k), *map(row, rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
        text = [
            "  ".join(
                cell.ljust(width) if column == 0 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            for line in lines
        ]
        parts.append("\n".join([_SEGMENT_TITLES[segment], *text]))
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
