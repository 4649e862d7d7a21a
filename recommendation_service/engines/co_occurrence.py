"""Bought together: items that share baskets with what someone has, more often than chance would have it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from recommendation_service.artifacts.store import Artifact
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.base import Engine
from recommendation_service.engines.latest import Latest
from recommendation_service.engines.vectors import Alignment, Taste, array, csr
from recommendation_service.numeric import Bools, Floats, Ints

REASON_FROM_PEOPLE = 10  # fewer people than this could be recognised in "often bought together"


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
        *,
        reason_from_people: int = REASON_FROM_PEOPLE,
        says: str = "Often bought together with",
    ) -> None:
        """`pairs` (n, n) and the `people` behind its stored values are in the artifact's row order."""
        super().__init__(name, version)
        self._titles = catalogue.titles
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
        are behind the pair.
        """
        alignment = Alignment.of(artifact, catalogue)
        n_items = int(array(artifact, "item_ids", (None,), kinds="S").size)
        pairs = csr(artifact, "indptr", "indices", "values", (n_items, n_items))
        people = array(artifact, "people", (pairs.nnz,), kinds="iu")
        whole = (name, artifact.version, catalogue, alignment, pairs, people)
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
        """The item that adds most to this row's score, among the pairs that enough people are behind."""
        asked = self._latest.of(query) or self._latest.keep(query, self._asked(query))
        own = int(self._alignment.artifact_rows[row])
        if asked is None or own < 0:
            return None
        told = np.flatnonzero(self._pairs.indices[asked.places] == own)
        told = told[self._people[asked.places[told]] >= self._reason_from_people]
        if not told.size:
            return None
        shares = self._pairs.data[asked.places[told]] * asked.taste.weights[asked.owner[told]]
        best = int(np.argmax(shares))
        title = self._titles[asked.taste.rows[asked.owner[told[best]]]]
        return Reason(self.name, f"{self._says} {title}", float(shares[best]))

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
