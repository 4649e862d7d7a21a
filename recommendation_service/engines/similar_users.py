"""Similar users: what people chose who chose the same. They are rows without names, here and in the artifact."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import Floats, Ints, top_rows
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import Alignment, Taste, array, bounds, csr
from recommendation_service.engines.base import Engine
from recommendation_service.engines.latest import Latest
from recommendation_service.publishing.store import Artifact

NEIGHBOURS = 50
REASON_FROM_PEOPLE = 10  # a reason that fewer people are behind could point at one of them
ITEMS_ASKED = 100  # newest liked items that neighbours are looked for by
MANY_FOR_ONE = 32  # people for one that is met: from there on sorting those met is quicker than a place for everybody
SHORTLIST = 4  # times the neighbours wanted: people whose likeness is worked out exactly


@dataclass(frozen=True, slots=True, eq=False)
class Tastes:
    """The model's arrays, items in the artifact's row order."""

    rows: sparse.csr_array  # (m, n) unit rows, one a person
    lengths: Floats  # (m,) length of a row once its items are weighed
    item_weights: Floats  # (n,) how telling an item is; 0: nobody chose it
    item_indptr: Ints  # (n + 1,)
    item_users: Ints  # rows with each item, not necessarily all of them

    @classmethod
    def of(cls, artifact: Artifact, n_items: int) -> "Tastes":
        """Raises ArtifactRefused naming what does not fit."""
        lengths = array(artifact, "lengths", (None,))
        rows = csr(artifact, "indptr", "indices", "values", (lengths.size, n_items))
        weights = array(artifact, "item_weights", (n_items,))
        indptr, users = bounds(artifact, "item_indptr", "item_users", (n_items, lengths.size))
        return cls(rows, lengths, weights, indptr, users)

    def shortlist(self, own: Ints, telling: Floats, most: int) -> Ints:
        """The people who share most with `own` items (j,), each counting as `telling` (j,); rows ascending."""
        sides = [slice(self.item_indptr[item], self.item_indptr[item + 1]) for item in own.tolist()]
        users = np.concatenate([self.item_users[side] for side in sides])
        shares = np.repeat(telling, [side.stop - side.start for side in sides])
        found, total = _met(users, shares, self.lengths.size)
        return np.sort(found[top_rows(total, most)]).astype(np.int64)


def _met(users: Ints, shares: Floats, n: int) -> tuple[Ints, Floats]:
    """Those of n people who are in `users`, ascending, and the sum of each one's `shares`."""
    if n > MANY_FOR_ONE * users.size:
        found, place = np.unique(users, return_inverse=True)
        return found, np.bincount(place, weights=shares).astype(np.float32)
    met = np.zeros(n, dtype=np.bool_)
    met[users] = True
    found = np.flatnonzero(met)
    return found, np.bincount(users, weights=shares, minlength=n)[found].astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """Whom one query resembles."""

    rows: sparse.csr_array  # (k, n)
    likeness: Floats  # (k,) cosine, above 0


class SimilarUsers(Engine):
    """Mean of the neighbours' tastes, each weighed by its cosine to what the user likes today.

    Work per request is bounded: by the items asked, by the people kept per item, and by the shortlist. An item that no
    neighbour chose scores 0. Only an item newer than the model is unknown: NaN.
    """

    label: ClassVar[str] = "similar users"
    least: ClassVar[float] = 0.0

    def __init__(
        self,
        name: str,
        version: str,
        alignment: Alignment,
        tastes: Tastes,
        *,
        neighbours: int = NEIGHBOURS,
        reason_from_people: int = REASON_FROM_PEOPLE,
    ) -> None:
        super().__init__(name, version)
        self._alignment = alignment
        self._tastes = tastes
        self._known = tastes.item_weights > 0
        self._neighbours = neighbours
        self._reason_from_people = reason_from_people
        self._latest: Latest[Neighbours | None] = Latest()

    @classmethod
    def from_artifact(
        cls,
        name: str,
        artifact: Artifact,
        catalogue: Catalogue,
        *,
        neighbours: int = NEIGHBOURS,
        reason_from_people: int = REASON_FROM_PEOPLE,
    ) -> "SimilarUsers":
        """The engine of one published model of kind "similar_users". Raises ArtifactRefused naming what does not fit."""
        alignment = Alignment.of(artifact, catalogue)
        tastes = Tastes.of(artifact, int(array(artifact, "item_ids", (None,), kinds="S").size))
        return cls(name, artifact.version, alignment, tastes, neighbours=neighbours, reason_from_people=reason_from_people)

    def scores(self, query: Query) -> Floats | None:
        """0 to 1; None when nobody in the model chose anything this user likes."""
        near = self._latest.keep(query, self._near(query))
        if near is None:
            return None
        scores = np.asarray(near.rows.T @ (near.likeness / near.likeness.sum()), dtype=np.float32)
        return self._alignment.scatter(scores)

    def explain(self, query: Query, row: int) -> Reason | None:
        """That people like this user chose it, when enough of the neighbours did; never who."""
        near = self._latest.of(query) or self._latest.keep(query, self._near(query))
        own = int(self._alignment.artifact_rows[row])
        if near is None or own < 0:
            return None
        people = int(np.count_nonzero(near.rows.indices == own))
        if people < self._reason_from_people:
            return None
        of_subject = bool(query.subject.size)
        text = "Chosen by people who chose the same" if of_subject else "Chosen by people whose taste is like yours"
        return Reason(self.name, text, people / near.likeness.size)

    def _near(self, query: Query) -> Neighbours | None:
        liked = Taste.of(query).liked()
        known = self._alignment.known(liked.rows)
        known[known] = self._known[self._alignment.artifact_rows[liked.rows[known]]]
        liked = liked.within(known & (np.cumsum(known) <= ITEMS_ASKED))
        if not liked.rows.size:
            return None
        own = self._alignment.artifact_rows[liked.rows]
        telling = liked.weights * self._tastes.item_weights[own]
        people = self._tastes.shortlist(own, telling, SHORTLIST * self._neighbours)
        return self._nearest(people, own, telling / np.linalg.norm(telling))

    def _nearest(self, people: Ints, own: Ints, telling: Floats) -> Neighbours | None:
        wanted = np.zeros(self._tastes.item_weights.size, dtype=np.float32)
        wanted[own] = telling * self._tastes.item_weights[own]
        rows = self._tastes.rows[people]
        likeness = np.asarray(rows @ wanted / self._tastes.lengths[people], dtype=np.float32)
        best = top_rows(likeness, self._neighbours, likeness > 0)
        return Neighbours(sparse.csr_array(rows[best]), likeness[best]) if best.size else None
