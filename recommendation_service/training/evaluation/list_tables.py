"""Measured lists as text: the table of `measure_lists`, and what it says in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from recommendation_service.training.evaluation.beyond_accuracy import ListFigures
from recommendation_service.use_cases.schema import Surface


@dataclass(frozen=True, slots=True)
class Measured:
    """One row: what the lists of the panel are like, how many newcomers get a full one, how long an answer takes."""

    name: str
    lists: ListFigures
    newcomers_full: float
    median_ms: float
    slow_ms: float  # 95 of 100 answers are faster


def table(rows: Sequence[Measured], k: int) -> Iterator[str]:
    """Markdown, so that it can be shown as it is."""
    heads = [f"NDCG@{k}", "95 %", "redundancy", "categories a list", "categories seen", "items seen", "fresh", "novelty, bits"]
    heads += ["newcomers with a full list", "median ms", "95 % ms"]
    yield f"| lists by | {' | '.join(heads)} |"
    yield f"| --- |{' ---: |' * len(heads)}"
    for row in rows:
        lists = row.lists
        cells = [f"{lists.ndcg:.4f}", f"{lists.interval[0]:.4f}-{lists.interval[1]:.4f}", _formatted(lists.redundancy, ".3f")]
        cells += [
            _formatted(lists.categories, ".1f"),
            _formatted(lists.category_coverage, ".0%"),
            f"{lists.catalogue_coverage:.0%}",
        ]
        cells += [f"{lists.fresh:.0%}", f"{lists.novelty:.1f}", f"{row.newcomers_full:.0%}"]
        cells += [f"{row.median_ms:.1f}", f"{row.slow_ms:.1f}"]
        yield f"| {row.name} | {' | '.join(cells)} |"


def _formatted(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def conclusions(rows: Sequence[Measured], k: int, surface: Surface) -> Iterator[str]:
    """What the table says in words: what each reranker changes, what blending changes, whom it leaves without a list."""
    by_name = {row.name: row for row in rows}
    first, served = surface.fallback[0], rows[-1]
    bare = by_name[first]
    for other in surface.fallback[1:]:
        change = _change(served.lists.ndcg, by_name[other].lists.ndcg)
        yield f"relevance: NDCG@{k} {served.lists.ndcg:.4f} as served, {change} {other}"
    if bare.lists.redundancy and served.lists.redundancy is not None:
        change = _change(served.lists.redundancy, bare.lists.redundancy)
        yield f"redundancy: {served.lists.redundancy:.3f} with rerankers, {bare.lists.redundancy:.3f} without ({change} bare)"
    yield f"fresh items: {served.lists.fresh:.0%} of those shown with rerankers, {bare.lists.fresh:.0%} without"
    yield f"cold start: {served.newcomers_full:.0%} of newcomers and {served.lists.full:.0%} of the others get {k} items"
    yield f"one answer: median {served.median_ms:.1f} ms, 95 % within {served.slow_ms:.1f} ms"


def _change(new: float, old: float) -> str:
    return f"{(new - old) / old:+.0%} against" if old else "nothing to compare with in"
