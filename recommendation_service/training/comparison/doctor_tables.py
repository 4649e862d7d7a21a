"""What an examination found, as text for a terminal: coverage and quality of every method in one table."""

from recommendation_service.training.comparison.methods import Examined
from recommendation_service.training.evaluation.evaluator import SEGMENTS, Figures

NONE = "-"


def table(found: Examined) -> str:
    """A row a method: people it answers for, items it knows, NDCG@10 with its interval overall and by segment."""
    covered = found.coverage()
    there = {(one.model, one.segment): one for one in found.figures}
    segments = [segment for segment in SEGMENTS if any(one.segment == segment for one in found.figures)]
    lines = [["method", "people", "items", *(_heading(segment, found.figures) for segment in segments)]]
    for name in dict.fromkeys(one.model for one in found.figures):
        people, items = covered[name]
        cells = [_cell(there[name, segment]) for segment in segments]
        lines.append([name, f"{people:.0%}", f"{items:.0%}", *cells])
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place in (1, 2) else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _heading(segment: str, figures: tuple[Figures, ...]) -> str:
    people = next(one.people for one in figures if one.segment == segment)
    return f"{'everyone' if segment == 'all' else segment} (n {people:,})"


def _cell(one: Figures) -> str:
    low, high = one.interval
    return f"{one.ndcg:.3f} ({low:.3f}-{high:.3f})" if one.answered > 0 else NONE
