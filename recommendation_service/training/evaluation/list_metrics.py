"""Properties of lists beyond accuracy (redundancy, diversity, freshness, novelty), and tables of them.

Lists are (n_people, k) rows, -1: none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import AnyArray, Floats, Ints
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import EvaluationUsers, item_likeness
from recommendation_service.training.text_tables import markdown_table
from recommendation_service.use_cases.schema import Surface

FRESH_DAYS = 30.0


@dataclass(frozen=True, slots=True)
class ListFigures:
    """Means over the users of a panel, for lists of one length."""

    ndcg: float
    interval: tuple[float, float]  # 95 % of the mean NDCG
    redundancy: float | None  # mean cosine of category and tags over the pairs of a list; None: no list has a pair
    categories: float | None  # different categories in a list; None: items have none
    category_coverage: float | None  # share of all categories that are in at least one list
    catalogue_coverage: float  # share of all items that are in at least one list
    fresh: float  # share of the shown items that are younger than FRESH_DAYS
    novelty: float  # bits; see `novelty`
    full: float  # share of the users whose list has k items


def figures(lists: Ints, panel: EvaluationUsers) -> ListFigures:
    """The figures of one list per user, in the order of the panel."""
    catalogue, histories = panel.material.catalogue, panel.material.histories
    measured = metrics.measure(lists, panel.relevant)
    alike = redundancy(lists, item_likeness(panel.material))
    facet = catalogue.facets.get("category")
    carried = None if facet is None or not facet.values else np.asarray(facet.matrix.toarray() > 0)
    known = alike[~np.isnan(alike)]
    return ListFigures(
        ndcg=float(measured.ndcg.mean()),
        interval=metrics.bootstrap(measured.ndcg),
        redundancy=float(known.mean()) if known.size else None,
        categories=None if carried is None else float(categories_in(lists, carried).sum(axis=1).mean()),
        category_coverage=None if carried is None else float(categories_in(lists, carried).any(axis=0).mean()),
        catalogue_coverage=metrics.catalogue_coverage(lists, len(catalogue)),
        fresh=fresh_share(lists, catalogue.created, panel.material.now / 86_400),
        novelty=novelty(lists, np.bincount(histories.liked().rows, minlength=len(catalogue)), len(histories)),
        full=full_share(lists),
    )


def redundancy(lists: Ints, likeness: Floats) -> Floats:
    """(n_people,) mean cosine over the pairs of a list, NaN for fewer than two items; `likeness` is (n_items, f) unit rows."""
    return np.asarray(1 - metrics.diversity(lists, likeness), dtype=np.float32)


def categories_in(lists: Ints, carried: AnyArray) -> AnyArray:
    """(n_people, n_categories), True where the list holds an item of that category; `carried` is (n_items, n_categories)."""
    shown = np.where((lists >= 0)[..., None], carried[np.maximum(lists, 0)], False)
    return np.asarray(shown.any(axis=1))


def fresh_share(lists: Ints, created_days: Floats, now_days: float, days: float = FRESH_DAYS) -> float:
    """Share of the shown items younger than `days`, items with a future date included; 0: none shown."""
    shown = lists[lists >= 0]
    with np.errstate(invalid="ignore"):
        return float((now_days - created_days[shown] < days).mean()) if shown.size else 0.0


def novelty(lists: Ints, liked_by: Ints, people: int) -> float:
    """Mean self-information of the shown items in bits; 0: all users know them, or none are shown.

    -log2 of the share of `people` who liked the item, with 1 added to both, so that it is finite for an unknown item (Zhou et
    al. 2010, "Solving the apparent diversity-accuracy dilemma of recommender systems").
    """
    shown = lists[lists >= 0]
    return float(-np.log2((liked_by[shown] + 1) / (people + 1)).mean()) if shown.size else 0.0


def full_share(lists: Ints) -> float:
    """Share of the users whose list is full."""
    return float((lists >= 0).all(axis=1).mean()) if lists.size else 0.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One row: the figures of the lists, the share of new users with a full list, and the time of one request."""

    name: str
    lists: ListFigures
    newcomers_full: float
    median_ms: float
    slow_ms: float  # 95 of 100 requests are faster


def table(rows: Sequence[Measured], k: int) -> str:
    """Return a Markdown table with one row per way to make the lists. `k` is the length of the lists."""
    heads = [
        "lists by",
        f"NDCG@{k}",
        "95 %",
        "redundancy",
        "categories a list",
        "categories seen",
        "items seen",
        "fresh",
        "novelty, bits",
    ]
    heads += ["newcomers with a full list", "median ms", "95 % ms"]
    lines = [heads]
    for row in rows:
        lists = row.lists
        cells = [
            row.name,
            f"{lists.ndcg:.4f}",
            f"{lists.interval[0]:.4f}-{lists.interval[1]:.4f}",
            _formatted(lists.redundancy, ".3f"),
        ]
        cells += [_formatted(lists.categories, ".1f"), _formatted(lists.category_coverage, ".0%")]
        cells += [f"{lists.catalogue_coverage:.0%}", f"{lists.fresh:.0%}", f"{lists.novelty:.1f}"]
        cells += [f"{row.newcomers_full:.0%}", f"{row.median_ms:.1f}", f"{row.slow_ms:.1f}"]
        lines.append(cells)
    return markdown_table(lines, right=range(1, len(heads)))


def _formatted(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def conclusions(rows: Sequence[Measured], k: int, surface: Surface) -> Iterator[str]:
    """The table in words: the effect of the rerankers, the effect of blending, and how many users get a full list."""
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
