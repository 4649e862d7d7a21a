"""Bought together: items that share baskets with a user's items more often than by chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recommendation_service.core.numeric import Bools, Floats, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import LikedItems, array, csr, item_count
from recommendation_service.engines.base import ModelEngine
from recommendation_service.engines.reason_texts import quoted
from recommendation_service.publishing.store import Artifact

REASON_FROM_PEOPLE = 10  # with fewer users behind it, "often bought together" could identify one of them


@dataclass(frozen=True, slots=True, eq=False)
class CategoryPairs:
    """How many distinct users had items of two categories in one basket."""

    index: Mapping[str, int]  # category -> row and column of `people`
    people: Ints  # (c, c)

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> "CategoryPairs":
        """Return the counts of the model; empty if its items had no categories."""
        if "categories" not in artifact.arrays:
            return cls({}, np.zeros((0, 0), dtype=np.int64))
        names = [name.decode() for name in array(artifact, "categories", (None,), kinds="S").tolist()]
        people = array(artifact, "category_people", (len(names), len(names)), kinds="iu")
        return cls({name: index for index, name in enumerate(names)}, people)

    def people_of(self, first: Sequence[str], second: Sequence[str]) -> int:
        """Return the distinct users for the first category of each; 0 if the model does not know both."""
        indices = [self.index.get(values[0], -1) if values else -1 for values in (first, second)]
        return 0 if min(indices) < 0 else int(self.people[indices[0], indices[1]])


@dataclass(frozen=True, slots=True, eq=False)
class StoredPairs:
    """The liked items of one query, and every stored pair of them."""

    liked: LikedItems
    entries: Ints  # (z,) of the stored values
    owners: Ints  # (z,) index in `liked` of each pair


class CoOccurrence(ModelEngine):
    """Mean strength of an item's pairs with the subject of the request, or with what the user liked.

    An item that never shared a basket with these scores 0. No prediction (NaN) for an item newer than the model.
    """

    label: ClassVar[str] = "co-occurrence"
    min_score: ClassVar[float] = 0.0

    def __init__(
        self,
        name: str,
        artifact: Artifact,
        catalogue: Catalogue,
        *,
        reason_from_people: int = REASON_FROM_PEOPLE,
        says: str = "Often bought together with",
    ) -> None:
        """As of every ModelEngine, from a model of kind "co_occurrence".

        A reason is `says` and the other item's title, if at least `reason_from_people` distinct users had the pair; else
        it names the other item's category, if as many users had a pair of these categories.
        """
        super().__init__(name, artifact, catalogue)
        n_items = item_count(artifact)
        self._pairs = csr(artifact, "indptr", "indices", "values", (n_items, n_items))
        self._people: Ints = array(artifact, "people", (self._pairs.nnz,), kinds="iu")  # behind each stored value
        self._categories = CategoryPairs.from_artifact(artifact)
        self._facet = catalogue.facets.get("category")
        self._paired: Bools = np.asarray(np.diff(self._pairs.indptr) > 0)
        self._reason_from_people = reason_from_people
        self._reason_prefix = says

    def score(self, basis: StoredPairs) -> Floats:
        """Return the mean strength of each item's pairs, 0 to 1."""
        shares = self._shares(basis) / basis.liked.weights.sum()
        scores = np.bincount(self._pairs.indices[basis.entries], weights=shares, minlength=self._pairs.shape[0])
        return scores.astype(np.float32)

    def reasons(self, query: Query, basis: StoredPairs, rows: Ints, model_rows: Ints) -> list[tuple[Reason, ...]]:
        """Return the item that adds most to the score of each row, or its category, if enough users had the pair."""
        columns, shares = self._pairs.indices[basis.entries], self._shares(basis)
        return [
            self._reason(basis, shares, np.flatnonzero(columns == model_row), row)
            for row, model_row in zip(rows.tolist(), model_rows.tolist(), strict=True)
        ]

    def _reason(self, stored: StoredPairs, all_shares: Floats, pairs: Ints, row: int) -> tuple[Reason, ...]:
        """Return the reason for one item; `pairs` are the indices of its pairs in `stored`, none for a newer item."""
        if not pairs.size:
            return ()
        shares, others = all_shares[pairs], stored.liked.rows[stored.owners[pairs]]
        enough = self._people[stored.entries[pairs]] >= self._reason_from_people
        best = int(np.argmax(np.where(enough, shares, -np.inf) if enough.any() else shares))
        other = quoted(self._catalogue.titles[others[best]]) if enough.any() else self._category(row, int(others[best]))
        return (Reason(self.name, f"{self._reason_prefix} {other}", float(shares[best])),) if other else ()

    def _category(self, row: int, other: int) -> str:
        """Return the other item's category, if enough users had both items' categories in one basket; else an empty text."""
        if self._facet is None:
            return ""
        item_values, other_values = self._facet.of(row), self._facet.of(other)
        enough = self._categories.people_of(item_values, other_values) >= self._reason_from_people
        return other_values[0] if enough else ""

    def _shares(self, stored: StoredPairs) -> Floats:
        return np.asarray(self._pairs.data[stored.entries] * stored.liked.weights[stored.owners])

    def read(self, query: Query) -> StoredPairs | None:
        """Return the stored pairs of the items of the query; None if they have none."""
        liked = self._alignment.known(LikedItems.of(query).positive(), self._paired)
        if not liked.rows.size:
            return None
        model_rows = self._alignment.artifact_rows[liked.rows]
        starts, sizes = self._pairs.indptr[model_rows], np.diff(self._pairs.indptr)[model_rows]
        owners = np.repeat(np.arange(model_rows.size), sizes)
        offsets = np.arange(owners.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return StoredPairs(liked, np.repeat(starts, sizes) + offsets, owners)
