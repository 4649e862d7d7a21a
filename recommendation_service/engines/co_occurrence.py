"""Bought together: items that share baskets with what someone has, more often than chance would have it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import Bools, Floats, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import Alignment, Taste, array, csr
from recommendation_service.engines.base import Engine
from recommendation_service.engines.latest import Latest
from recommendation_service.publishing.store import Artifact

REASON_FROM_PEOPLE = 10  # fewer people than this could be recognised in "often bought together"


@dataclass(frozen=True, slots=True, eq=False)
class Categories:
    """How many distinct people had two items of these categories in one basket."""

    places: Mapping[str, int]  # name -> row and column of `people`
    people: Ints  # (c, c)

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> "Categories":
        """What the model says of categories; nothing where its items had none."""
        if "categories" not in artifact.arrays:
            return cls({}, np.zeros((0, 0), dtype=np.int64))
        names = [name.decode() for name in array(artifact, "categories", (None,), kinds="S").tolist()]
        people = array(artifact, "category_people", (len(names), len(names)), kinds="iu")
        return cls({name: place for place, name in enumerate(names)}, people)

    def people_of(self, one: Sequence[str], other: Sequence[str]) -> int:
        """Distinct people behind the first category of each; 0 where the model does not know both."""
        places = [self.places.get(values[0], -1) if values else -1 for values in (one, other)]
        return 0 if min(places) < 0 else int(self.people[places[0], places[1]])


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What one query has, and every stored pair of it."""

    taste: Taste
    places: Ints  # (z,) of the stored values
    owner: Ints  # (z,) place in the taste that each pair belongs to


class CoOccurrence(Engine):
    """Mean strength of an item's pairs with the subject of the request, or with what the user liked.

    An item that was never in a basket beside these scores 0: nothing speaks for the pair. Only an item newer than the
    model is unknown: NaN.
    """

    label: ClassVar[str] = "co-occurrence"
    least: ClassVar[float] = 0.0

    def __init__(
        self,
        name: str,
        version: str,
        catalogue: Catalogue,
        alignment: Alignment,
        pairs: sparse.csr_array,
        people: Ints,
        categories: Categories,
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
        self._says = says
        self._latest: Latest[Asked | None] = Latest()

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
        """The engine of one published model of kind "co_occurrence". Raises ArtifactRefused naming what does not fit.

        A reason, `says` and the other item's title, is given only where `reason_from_people` distinct people or more
        are behind the pair; else its category is named, where so many are behind the two categories.
        """
        alignment = Alignment.of(artifact, catalogue)
        n_items = int(array(artifact, "item_ids", (None,), kinds="S").size)
        pairs = csr(artifact, "indptr", "indices", "values", (n_items, n_items))
        people = array(artifact, "people", (pairs.nnz,), kinds="iu")
        whole = (name, artifact.version, catalogue, alignment, pairs, people, Categories.from_artifact(artifact))
        return cls(*whole, reason_from_people=reason_from_people, says=says)

    def scores(self, query: Query) -> Floats | None:
        """0 to 1; None when nothing the user has was ever in a basket with something else."""
        asked = self._latest.keep(query, self._asked(query))
        if asked is None:
            return None
        shares = self._pairs.data[asked.places] * asked.taste.weights[asked.owner] / asked.taste.weights.sum()
        scores = np.bincount(self._pairs.indices[asked.places], weights=shares, minlength=self._pairs.shape[0])
        return self._alignment.scatter(scores.astype(np.float32))

    def explain(self, query: Query, row: int) -> Reason | None:
        """The item that adds most to this row's score, or its category, where enough people are behind the pair."""
        asked = self._latest.of(query) or self._latest.keep(query, self._asked(query))
        own = int(self._alignment.artifact_rows[row])
        if asked is None or own < 0:
            return None
        found = np.flatnonzero(self._pairs.indices[asked.places] == own)
        if not found.size:
            return None
        shares = self._pairs.data[asked.places[found]] * asked.taste.weights[asked.owner[found]]
        others = asked.taste.rows[asked.owner[found]]
        known = self._people[asked.places[found]] >= self._reason_from_people
        best = int(np.argmax(np.where(known, shares, -np.inf) if known.any() else shares))
        named = self._titles[others[best]] if known.any() else self._category(row, int(others[best]))
        return Reason(self.name, f"{self._says} {named}", float(shares[best])) if named else None

    def _category(self, row: int, other: int) -> str:
        """The other item's category, if enough people had both items' categories in one basket; else empty."""
        if self._facet is None:
            return ""
        its, others = self._facet.of(row), self._facet.of(other)
        return others[0] if self._categories.people_of(its, others) >= self._reason_from_people else ""

    def _asked(self, query: Query) -> Asked | None:
        liked = Taste.of(query).liked()
        known = self._alignment.known(liked.rows)
        known[known] = self._paired[self._alignment.artifact_rows[liked.rows[known]]]
        taste = liked.within(known)
        if not taste.rows.size:
            return None
        own = self._alignment.artifact_rows[taste.rows]
        starts, sizes = self._pairs.indptr[own], np.diff(self._pairs.indptr)[own]
        owner = np.repeat(np.arange(own.size), sizes)
        ramp = np.arange(owner.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return Asked(taste, np.repeat(starts, sizes) + ramp, owner)
