"""A method comparison as text for a terminal: coverage and quality of every method in one table."""

from recommendation_service.training.comparison.methods import MethodComparison
from recommendation_service.training.evaluation.evaluator import SEGMENTS, Figures

NONE = "-"


def table(comparison: MethodComparison) -> str:
    """One row per method: share of users answered and of items known, NDCG@10 with its interval by segment."""
    covered = comparison.coverage()
    figures_of = {(entry.model, entry.segment): entry for entry in comparison.figures}
    segments = [segment for segment in SEGMENTS if any(entry.segment == segment for entry in comparison.figures)]
    lines = [["method", "people", "items", *(_heading(segment, comparison.figures) for segment in segments)]]
    for name in dict.fromkeys(entry.model for entry in comparison.figures):
        people, items = covered[name]
        cells = [_cell(figures_of[name, segment]) for segment in segments]
        lines.append([name, f"{people:.0%}", f"{items:.0%}", *cells])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in (1, 2) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _heading(segment: str, figures: tuple[Figures, ...]) -> str:
    people = next(entry.people for entry in figures if entry.segment == segment)
    return f"{'everyone' if segment == 'all' else segment} (n {people:,})"


def _cell(figures: Figures) -> str:
    low, high = figures.interval
    return f"{figures.ndcg:.3f} ({low:.3f}-{high:.3f})" if figures.answered > 0 else NONE
