"""Matrix factorisation trained with a margin ranking loss: a user is a trained vector plus the liked items. Pure numpy."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import LikedItems, array, item_count, parameter, varied_array
from recommendation_service.engines.base import ModelEngine
from recommendation_service.engines.reason_texts import strongest_liked
from recommendation_service.publishing.store import Artifact


@dataclass(frozen=True, slots=True, eq=False)
class UserVectors:
    """The user side of the model. d is the dimension."""

    user_ids: IdMap
    user_vectors: Floats  # (m, d)
    history_vectors: Floats  # (n, d) by artifact row: what a liked item adds to its user
    recent: int

    @classmethod
    def from_artifact(cls, artifact: Artifact, n_items: int, dimension: int) -> "UserVectors":
        """Read and check the arrays. Raises ArtifactRefused with both shapes when they do not fit together."""
        ids = array(artifact, "user_ids", (None,), kinds="S")
        return cls(
            user_ids=IdMap(ids),
            user_vectors=array(artifact, "user_vectors", (ids.size, dimension)),
            history_vectors=array(artifact, "history_vectors", (n_items, dimension)),
            recent=int(parameter(artifact, "recent")),
        )

    def vector_of(self, user_id: str | None) -> Floats:
        """(d,) the trained vector of this user; zeros for a user without one."""
        row = None if user_id is None else self.user_ids.row(user_id)
        return np.zeros(self.user_vectors.shape[1], dtype=np.float32) if row is None else self.user_vectors[row]


class Margin(ModelEngine):
    """The user's vector plus the pooled vectors of the newest likes, against item vectors made of identity and content.

    The likes are read at request time, so a click counts at once. A user without likes gets no prediction, so that an
    erased history has no effect. Items without a like in training are known by their content.
    """

    label: ClassVar[str] = "Margin"

    def __init__(self, name: str, artifact: Artifact, catalogue: Catalogue) -> None:
        """As of every ModelEngine, from a model of kind "margin"."""
        super().__init__(name, artifact, catalogue)
        n_items = item_count(artifact)
        self._item_vectors = varied_array(artifact, "item_vectors", (n_items, None))  # (n, d)
        self._item_biases = array(artifact, "item_biases", (n_items,))
        self._users = UserVectors.from_artifact(artifact, n_items, self._item_vectors.shape[1])

    def read(self, query: Query) -> tuple[LikedItems, Floats] | None:
        """Return the known liked items and the vector (d,) of the user; None without such items."""
        liked = self._alignment.known(LikedItems.of(query).positive())
        if not liked.rows.size:
            return None
        vector = self._shares(liked) @ self._liked_vectors(liked)
        return liked, vector if liked.from_subject else vector + self._users.vector_of(query.user_id)

    def score(self, basis: tuple[LikedItems, Floats]) -> Floats:
        """Return the dot product and bias of each item, unbounded."""
        return self._item_vectors @ basis[1] + self._item_biases

    def reasons(self, query: Query, basis: tuple[LikedItems, Floats], rows: Ints, model_rows: Ints) -> list[tuple[Reason, ...]]:
        """Return the recently liked item (or subject) that adds most to the score of each row."""
        liked, _ = basis
        added = self._shares(liked)[:, None] * (self._liked_vectors(liked) @ self._item_vectors[model_rows].T)
        added[:, model_rows < 0] = 0
        return strongest_liked(self.name, self._catalogue.titles, liked, added)

    def _shares(self, liked: LikedItems) -> Floats:
        newest = liked.weights[: self._users.recent]
        shares: Floats = (newest / liked.weights.mean() / np.sqrt(newest.size)).astype(np.float32)
        return shares

    def _liked_vectors(self, liked: LikedItems) -> Floats:
        return self._users.history_vectors[self._alignment.artifact_rows[liked.rows[: self._users.recent]]]
