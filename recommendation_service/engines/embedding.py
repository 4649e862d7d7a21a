"""Embedding: items whose dense text vectors are near to the weighted direction of a user's liked items."""

from typing import ClassVar

import numpy as np

from recommendation_service.core.numeric import Bools, Floats, Ints, weighted_direction
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import LikedItems, item_count, varied_array
from recommendation_service.engines.base import ModelEngine
from recommendation_service.engines.reason_texts import most_similar
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.store import Artifact

LENGTH_TOLERANCE = 1e-3  # difference of a stored vector's length from 1


class Embedding(ModelEngine):
    """Cosine between an item's vector and the preference vector: the weighted direction of a history or a basket."""

    label: ClassVar[str] = "embedding"
    min_score: ClassVar[float] = 0.0  # below: the opposite of the preference

    def __init__(self, name: str, artifact: Artifact, catalogue: Catalogue) -> None:
        """As of every ModelEngine, from a model of kind "embedding".

        A row of zeros is an item without text: NaN. Rows of another length than 1 are refused: their products are no cosines.
        """
        super().__init__(name, artifact, catalogue)
        self._vectors = varied_array(artifact, "item_vectors", (item_count(artifact), None))  # (n, d)
        lengths = np.linalg.norm(self._vectors, axis=1)
        self._described: Bools = np.asarray(lengths > 0)
        if not np.allclose(lengths[self._described], 1, atol=LENGTH_TOLERANCE):
            raise ArtifactRefused(f"{artifact.version}: item_vectors are not of unit length; train it again")
        self._undescribed = np.flatnonzero(~self._described)

    def read(self, query: Query) -> tuple[LikedItems, Floats] | None:
        """Return the known items of the query and the preference vector (d,); None without a preference.

        There is none without a liked item, since dislikes have no direction, and if likes and dislikes cancel out.
        """
        known = self._alignment.known(LikedItems.of(query), self._described)
        if not known.positive().rows.size:
            return None
        preference = weighted_direction(self._vectors[self._alignment.artifact_rows[known.rows]], known.weights)
        return None if preference is None else (known, preference)

    def score(self, basis: tuple[LikedItems, Floats]) -> Floats:
        """Return the cosine of each item, -1 to 1."""
        scores = np.asarray(self._vectors @ basis[1], dtype=np.float32)
        scores[self._undescribed] = np.nan
        return scores

    def reasons(self, query: Query, basis: tuple[LikedItems, Floats], rows: Ints, model_rows: Ints) -> list[tuple[Reason, ...]]:
        """Return the liked item that adds most to the score of each row, and what the two share."""
        liked = basis[0].positive()
        likeness = (
            self._vectors[self._alignment.artifact_rows[liked.rows]] @ self._vectors[model_rows].T * liked.weights[:, None]
        )
        likeness[:, model_rows < 0] = 0
        return most_similar(self.name, self._catalogue, liked, rows, likeness)
