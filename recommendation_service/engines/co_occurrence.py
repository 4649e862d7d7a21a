"""Bought together: items that share baskets with a user's items more often than by chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import Bools, Floats, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import Alignment, LikedItems, array, csr, item_count
from recommendation_service.engines.base import Engine
from recommendation_service.publishing.store import Artifact

REASON_FROM_PEOPLE = 10  # with fewer users behind it, "often bought together" could identify one of them


@dataclass(frozen=True, slots=True, eq=False)
class CategoryPairs:
    """How many distinct users had items of two categories in one basket."""

    index: Mapping[str, int]  # category -> row and column of `people`
    people: Ints  # (c, c)

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> "CategoryPairs":
        """The counts of the model; empty if its items had no categories."""
        if "categories" not in artifact.arrays:
            return cls({}, np.zeros((0, 0), dtype=np.int64))
        names = [name.decode() for name in array(artifact, "categories", (None,), kinds="S").tolist()]
        people = array(artifact, "category_people", (len(names), len(names)), kinds="iu")
        return cls({name: index for index, name in enumerate(names)}, people)

    def people_of(self, first: Sequence[str], second: Sequence[str]) -> int:
        """Distinct users for the first category of each; 0 if the model does not know both."""
        indices = [self.index.get(values[0], -1) if values else -1 for values in (first, second)]
        return 0 if min(indices) < 0 else int(self.people[indices[0], indices[1]])


@dataclass(frozen=True, slots=True, eq=False)
class StoredPairs:
    """The liked items of one query, and every stored pair of them."""

    liked: LikedItems
    entries: Ints  # (z,) of the stored values
    owners: Ints  # (z,) index in `liked` of each pair


class CoOccurrence(Engine):
    """Mean strength of an item's pairs with the subject of the request, or with what the user liked.

    An item that never shared a basket with these scores 0. No prediction (NaN) for an item newer than the model.
    """

    label: ClassVar[str] = "co-occurrence"
    min_score: ClassVar[float] = 0.0

    def __init__(
        self,
        name: str,
        version: str,
        catalogue: Catalogue,
        alignment: Alignment,
        pairs: sparse.csr_array,
        people: Ints,
        categories: CategoryPairs,
        *,
        reason_from_people: int = REASON_FROM_PEOPLE,
        says: str = "Often bought together with",
    ) -> None:
        """`pairs` (n, n) and the `people` behind its stored values are in the artifact's row order."""
        super().__init__(name, version)
        self._titles = catalogue.titles
        self._facet = catalogue.facets.get("category")
        self._categories = categories
        self._alignment = alignment
        self._pairs = pairs
        self._people = people
        self._paired: Bools = np.asarray(np.diff(pairs.indptr) > 0)
        self._reason_from_people = reason_from_people
        self._reason_prefix = says

    @classmethod
    def from_artifact(
        cls,
        name: str,
        artifact: Artifact,
        catalogue: Catalogue,
        *,
        reason_from_people: int = REASON_FROM_PEOPLE,
        says: str = "Often bought together with",
    ) -> "CoOccurrence":
        """The engine of a published model of kind "co_occurrence". Raises ArtifactRefused naming what does not fit.

        A reason is `says` and the other item's title, if at least `reason_from_people` distinct users had the pair; else
        it names the other item's category, if as many users had a pair of these categories.
        """
        n_items = item_count(artifact)
        pairs = csr(artifact, "indptr", "indices", "values", (n_items, n_items))
        people = array(artifact, "people", (pairs.nnz,), kinds="iu")
        parts = (Alignment.of(artifact, catalogue), pairs, people, CategoryPairs.from_artifact(artifact))
        return cls(name, artifact.version, catalogue, *parts, reason_from_people=reason_from_people, says=says)

    def scores(self, query: Query) -> Floats | None:
        """0 to 1; None if no item of the user has a stored pair."""
        stored = self._stored_pairs(query)
        if stored is None:
            return None
        shares = self._shares(stored) / stored.liked.weights.sum()
        scores = np.bincount(self._pairs.indices[stored.entries], weights=shares, minlength=self._pairs.shape[0])
        return self._alignment.scatter(scores.astype(np.float32))

    def explain(self, query: Query, rows: Ints, parts: Mapping[str, Floats] | None = None) -> list[tuple[Reason, ...]]:
        """The item that adds most to the score of each row, or its category, if enough users had the pair."""
        stored = self._stored_pairs(query)
        if stored is None:
            return [()] * rows.size
        columns, shares = self._pairs.indices[stored.entries], self._shares(stored)
        return [
            self._reason(stored, shares, np.flatnonzero(columns == model_rows), row)
            for row, model_rows in zip(rows.tolist(), self._alignment.artifact_rows[rows].tolist(), strict=True)
        ]

    def _reason(self, stored: StoredPairs, all_shares: Floats, pairs: Ints, row: int) -> tuple[Reason, ...]:
        """From the indices `pairs` in `stored` of the pairs with one item; an item newer than the model has none."""
        if not pairs.size:
            return ()
        shares, others = all_shares[pairs], stored.liked.rows[stored.owners[pairs]]
        enough = self._people[stored.entries[pairs]] >= self._reason_from_people
        best = int(np.argmax(np.where(enough, shares, -np.inf) if enough.any() else shares))
        other = self._titles[others[best]] if enough.any() else self._category(row, int(others[best]))
        return (Reason(self.name, f"{self._reason_prefix} {other}", float(shares[best])),) if other else ()

    def _category(self, row: int, other: int) -> str:
        """The other item's category, if enough users had both items' categories in one basket; else empty."""
        if self._facet is None:
            return ""
        item_values, other_values = self._facet.of(row), self._facet.of(other)
        enough = self._categories.people_of(item_values, other_values) >= self._reason_from_people
        return other_values[0] if enough else ""

    def _shares(self, stored: StoredPairs) -> Floats:
        return np.asarray(self._pairs.data[stored.entries] * stored.liked.weights[stored.owners])

    def _stored_pairs(self, query: Query) -> StoredPairs | None:
        liked = self._alignment.known(LikedItems.of(query).positive(), self._paired)
        if not liked.rows.size:
            return None
        model_rows = self._alignment.artifact_rows[liked.rows]
        starts, sizes = self._pairs.indptr[model_rows], np.diff(self._pairs.indptr)[model_rows]
        owners = np.repeat(np.arange(model_rows.size), sizes)
        offsets = np.arange(owners.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return StoredPairs(liked, np.repeat(starts, sizes) + offsets, owners)
