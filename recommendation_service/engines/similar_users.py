"""Similar users: items of users with the same choices. Users are rows without names, here and in the artifact."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import Floats, Ints, top_rows
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import LikedItems, array, bounds, csr, item_count
from recommendation_service.engines.base import ModelEngine
from recommendation_service.publishing.store import Artifact

NEIGHBOURS = 50
REASON_FROM_PEOPLE = 10  # with fewer users behind it, a reason could identify one of them
MAX_ITEMS = 100  # newest liked items by which neighbours are searched
SPARSE_RATIO = 32  # users per match: from here on, sorting the matches is faster than an array of all users
SHORTLIST = 4  # times the number of neighbours: users whose similarity is computed exactly


@dataclass(frozen=True, slots=True, eq=False)
class UserTable:
    """The model's arrays, items in the artifact's row order."""

    rows: sparse.csr_array  # (m, n) unit rows, one per user
    lengths: Floats  # (m,) length of a row with weighted items
    item_weights: Floats  # (n,) how informative an item is; 0: chosen by no one
    item_indptr: Ints  # (n + 1,)
    item_users: Ints  # rows with each item, possibly not all of them

    @classmethod
    def of(cls, artifact: Artifact, n_items: int) -> "UserTable":
        """Read and check the arrays. Raises ArtifactRefused, which names the wrong one."""
        lengths = array(artifact, "lengths", (None,))
        rows = csr(artifact, "indptr", "indices", "values", (lengths.size, n_items))
        weights = array(artifact, "item_weights", (n_items,))
        indptr, users = bounds(artifact, "item_indptr", "item_users", (n_items, lengths.size))
        return cls(rows, lengths, weights, indptr, users)

    def shortlist(self, model_rows: Ints, weights: Floats, limit: int) -> Ints:
        """Return the users who share most with the items `model_rows` (j,) of `weights` (j,); rows ascending."""
        slices = [slice(self.item_indptr[item], self.item_indptr[item + 1]) for item in model_rows.tolist()]
        users = np.concatenate([self.item_users[part] for part in slices])
        shares = np.repeat(weights, [part.stop - part.start for part in slices])
        matching, total = _sum_by_user(users, shares, self.lengths.size)
        return np.sort(matching[top_rows(total, limit)]).astype(np.int64)


def _sum_by_user(users: Ints, shares: Floats, n: int) -> tuple[Ints, Floats]:
    """Return the distinct `users` of n, ascending, and the sum of each user's `shares`."""
    if n > SPARSE_RATIO * users.size:
        distinct, index = np.unique(users, return_inverse=True)
        return distinct, np.bincount(index, weights=shares).astype(np.float32)
    present = np.zeros(n, dtype=np.bool_)
    present[users] = True
    distinct = np.flatnonzero(present)
    return distinct, np.bincount(users, weights=shares, minlength=n)[distinct].astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The users most similar to one query."""

    rows: sparse.csr_array  # (k, n)
    similarity: Floats  # (k,) cosine, above 0


class SimilarUsers(ModelEngine):
    """Mean of the neighbours' rows, each weighted by its cosine to the user's current likes.

    The work per request is bounded by MAX_ITEMS, by the users stored per item, and by the shortlist. An item that no
    neighbour chose scores 0. No prediction (NaN) for an item newer than the model.
    """

    label: ClassVar[str] = "similar users"
    min_score: ClassVar[float] = 0.0

    def __init__(
        self,
        name: str,
        artifact: Artifact,
        catalogue: Catalogue,
        *,
        neighbours: int = NEIGHBOURS,
        reason_from_people: int = REASON_FROM_PEOPLE,
    ) -> None:
        """As of every ModelEngine, from a model of kind "similar_users"."""
        super().__init__(name, artifact, catalogue)
        self._users = UserTable.of(artifact, item_count(artifact))
        self._known = self._users.item_weights > 0
        self._neighbours = neighbours
        self._reason_from_people = reason_from_people

    def score(self, basis: Neighbours) -> Floats:
        """Return the weighted share of neighbours with each item, 0 to 1."""
        weights = basis.similarity / basis.similarity.sum()
        return np.asarray(basis.rows.T @ weights, dtype=np.float32)

    def reasons(self, query: Query, basis: Neighbours, rows: Ints, model_rows: Ints) -> list[tuple[Reason, ...]]:
        """Return that similar users chose the item, if enough of the neighbours did; never which users."""
        users_of_item = np.bincount(basis.rows.indices, minlength=self._known.size)
        of_subject = bool(query.subject.size)
        text = "Chosen by people who chose the same" if of_subject else "Chosen by people whose taste is like yours"
        reasons: list[tuple[Reason, ...]] = []
        for model_row in model_rows.tolist():
            people = int(users_of_item[model_row]) if model_row >= 0 else 0
            enough = people > 0 and people >= self._reason_from_people
            reasons.append((Reason(self.name, text, people / basis.similarity.size),) if enough else ())
        return reasons

    def read(self, query: Query) -> Neighbours | None:
        """Return the users most similar to the current likes; None if no user of the model shares one."""
        liked = self._alignment.known(LikedItems.of(query).positive(), self._known)
        liked = liked.where(np.arange(liked.rows.size) < MAX_ITEMS)
        if not liked.rows.size:
            return None
        model_rows = self._alignment.artifact_rows[liked.rows]
        weights = liked.weights * self._users.item_weights[model_rows]
        shortlist = self._users.shortlist(model_rows, weights, SHORTLIST * self._neighbours)
        return self._nearest(shortlist, model_rows, weights / np.linalg.norm(weights))

    def _nearest(self, shortlist: Ints, model_rows: Ints, weights: Floats) -> Neighbours | None:
        profile = np.zeros(self._users.item_weights.size, dtype=np.float32)
        profile[model_rows] = weights * self._users.item_weights[model_rows]
        rows = self._users.rows[shortlist]
        similarity = np.asarray(rows @ profile / self._users.lengths[shortlist], dtype=np.float32)
        best = top_rows(similarity, self._neighbours, similarity > 0)
        return Neighbours(sparse.csr_array(rows[best]), similarity[best]) if best.size else None
