"""The inputs of a learned ranker for each candidate, computed in the same way in training and in serving.

No column contains the position at which an item was shown: with it, a ranker would only learn to repeat the order.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from recommendation_service.core.numeric import AnyArray, Floats, Ints, unit_range
from recommendation_service.domain.catalogue import Catalogue, Facet
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates

DAY_S = 86_400.0
MAX_RECENT = 10  # newest items of a history that count as recent
ALIKE_BY = ("category", "tags")  # facets by which an item is similar to the subject of the request
SCORE, STANDING, LIKENESS = "score", "standing", "likeness"
PLAIN = (STANDING, LIKENESS, "popularity", "age_days", "history")
PART, TASTE, RECENT = "part", "taste", "lately"  # before a colon and the name of an engine or a facet
MOST_FACETS = 8

Column = Callable[[Query, Candidates], Floats]


def noted(query: Query, candidates: Candidates) -> Candidates:
    """Return the candidates with the parts that cannot be computed again from a recorded list.

    `score` is the score of the engine; `standing` is that score scaled to 0 to 1 within these candidates, of which only some
    are shown; `likeness` is the share of the subject's category and tags that an item has, if the request is about items.
    """
    known = {SCORE: candidates.scores, STANDING: unit_range(candidates.scores)}
    if query.subject.size:
        known[LIKENESS] = _likeness(query, candidates.rows)
    return Candidates(candidates.rows, candidates.scores, {**candidates.parts, **known})


def names_for(catalogue: Catalogue, parts: Sequence[str]) -> tuple[str, ...]:
    """Return the columns for a catalogue whose engines return these parts of their scores."""
    others = sorted(set(catalogue.facets) - set(ALIKE_BY))
    facets = [name for name in (*ALIKE_BY, *others) if name in catalogue.facets][:MOST_FACETS]
    recent = [f"{RECENT}:category"] if "category" in catalogue.facets else []
    return (*PLAIN, *(f"{PART}:{name}" for name in parts), *(f"{TASTE}:{name}" for name in facets), *recent)


def unknown_names(names: Sequence[str]) -> list[str]:
    """Return the names that are no columns of this version."""
    return [name for name in names if name not in PLAIN and name.partition(":")[0] not in (PART, TASTE, RECENT)]


class Features:
    """The columns of one catalogue; created once, used for every request."""

    def __init__(self, catalogue: Catalogue, names: Sequence[str]) -> None:
        """`names` are those of `names_for`; a facet that the catalogue no longer has becomes a column of NaN."""
        self.names = tuple(names)
        self.catalogue = catalogue
        liked = catalogue.popularity[catalogue.popularity > 0]
        self._usual = float(liked.mean()) if liked.size else 1.0
        plain: Mapping[str, Column] = {
            STANDING: _standing,
            LIKENESS: lambda _query, candidates: _part(candidates, LIKENESS),
            "popularity": self._popularity,
            "age_days": self._age_days,
            "history": lambda query, candidates: np.full(len(candidates), np.log1p(query.history.count), dtype=np.float32),
        }
        self._columns = [plain[name] if name in plain else self._named(*name.split(":", 1)) for name in self.names]

    def of(self, query: Query, candidates: Candidates) -> Floats:
        """Return (k, len(names)) float32, NaN: unknown; `query.history` is as of the time of the request."""
        table = np.empty((len(candidates), len(self.names)), dtype=np.float32)
        for index, column in enumerate(self._columns):
            table[:, index] = column(query, candidates)
        return table

    def _named(self, family: str, name: str) -> Column:
        if family == PART:
            return lambda _query, candidates: _part(candidates, name)
        facet = self.catalogue.facets.get(name)
        if facet is None:
            return lambda _query, candidates: _unknown(len(candidates))
        return lambda query, candidates: _taste(query, candidates.rows, facet, recent=family == RECENT)

    def _popularity(self, _query: Query, candidates: Candidates) -> Floats:
        """Return the popularity relative to the mean of all liked items, so that it is comparable between exports."""
        return np.asarray(np.log1p(self.catalogue.popularity[candidates.rows] / self._usual), dtype=np.float32)

    def _age_days(self, query: Query, candidates: Candidates) -> Floats:
        born = self.catalogue.created[candidates.rows].astype(np.float64)
        return np.maximum(query.now / DAY_S - born, 0.0).astype(np.float32)


def _standing(_query: Query, candidates: Candidates) -> Floats:
    known = candidates.parts.get(STANDING)
    return unit_range(candidates.parts.get(SCORE, candidates.scores)) if known is None else known


def _part(candidates: Candidates, name: str) -> Floats:
    return candidates.parts.get(name, _unknown(len(candidates)))


def _unknown(size: int) -> Floats:
    return np.full(size, np.nan, dtype=np.float32)


def _taste(query: Query, rows: Ints, facet: Facet, *, recent: bool) -> Floats:
    """Return the mean, over the item's values, of the share of liked (or, if `recent`, newest) items with that value."""
    if recent:
        history_rows = query.history.rows[:MAX_RECENT]
        weights = np.ones(history_rows.size, dtype=np.float32)
    else:
        history_rows, weights = query.history.liked()
    return _share(facet, history_rows, weights, rows)


def _likeness(query: Query, rows: Ints) -> Floats:
    facets = [query.catalogue.facets[name] for name in ALIKE_BY if name in query.catalogue.facets]
    even = np.ones(query.subject.size, dtype=np.float32)
    shares = [np.nan_to_num(_share(facet, query.subject, even, rows)) for facet in facets]
    return np.mean(shares, axis=0, dtype=np.float32) if shares else _unknown(rows.size)


def _share(facet: Facet, history_rows: Ints, weights: Floats, rows: Ints) -> Floats:
    """Return (k,), the mean over each row's values of the share of `weights` whose item has it; NaN: no history or values."""
    whole = float(weights.sum())
    if not history_rows.size or whole <= 0:
        return _unknown(rows.size)
    columns, counts = _values(facet, history_rows)
    carried = np.bincount(columns, weights=np.repeat(weights, counts), minlength=len(facet.values)) / whole
    item_columns, counts = _values(facet, rows)
    total = np.bincount(np.repeat(np.arange(rows.size), counts), weights=carried[item_columns], minlength=rows.size)
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan).astype(np.float32)


def _values(facet: Facet, rows: Ints) -> tuple[AnyArray, AnyArray]:
    """Return the value columns of these rows, concatenated, and their number per row; slicing a sparse matrix is slower."""
    starts = facet.matrix.indptr[rows]
    counts = facet.matrix.indptr[rows + 1] - starts
    ends = np.cumsum(counts)
    indices = np.arange(ends[-1] if ends.size else 0) + np.repeat(starts - (ends - counts), counts)
    return facet.matrix.indices[indices], counts
