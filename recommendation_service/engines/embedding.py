"""Embedding: items whose dense text vectors are near to the weighted direction of a user's liked items."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from recommendation_service.core.numeric import Bools, Floats, Ints, weighted_direction
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import Alignment, LikedItems, item_count, varied_array
from recommendation_service.engines.base import Engine
from recommendation_service.engines.reason_texts import shared_tags, similar
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.store import Artifact

LENGTH_TOLERANCE = 1e-3  # difference of a stored vector's length from 1


class Embedding(Engine):
    """Cosine between an item's vector and the preference vector: the weighted direction of a history or a basket."""

    label: ClassVar[str] = "embedding"
    min_score: ClassVar[float] = 0.0  # below: the opposite of the preference

    def __init__(self, name: str, version: str, catalogue: Catalogue, alignment: Alignment, vectors: Floats) -> None:
        """`vectors` is (n, d), unit rows in the artifact's order; a row of zeros is an item without text: NaN.

        Raises ArtifactRefused for rows of another length: their products would not be cosines.
        """
        super().__init__(name, version)
        self._catalogue = catalogue
        self._alignment = alignment
        self._vectors = vectors
        lengths = np.linalg.norm(vectors, axis=1)
        self._described: Bools = np.asarray(lengths > 0)
        if not np.allclose(lengths[self._described], 1, atol=LENGTH_TOLERANCE):
            raise ArtifactRefused(f"{version}: item_vectors are not of unit length; train it again")
        self._undescribed = np.flatnonzero(~self._described)

    @classmethod
    def from_artifact(cls, name: str, artifact: Artifact, catalogue: Catalogue) -> "Embedding":
        """The engine of a published model of kind "embedding". Raises ArtifactRefused naming what does not fit."""
        vectors = varied_array(artifact, "item_vectors", (item_count(artifact), None))
        return cls(name, artifact.version, catalogue, Alignment.of(artifact, catalogue), vectors)

    def scores(self, query: Query) -> Floats | None:
        """Cosine, -1 to 1; None without a known liked item, and if likes and dislikes cancel out."""
        preference = self._preference(self._known(query))
        if preference is None:
            return None
        scores = np.asarray(self._vectors @ preference, dtype=np.float32)
        scores[self._undescribed] = np.nan
        return self._alignment.scatter(scores)

    def explain(self, query: Query, rows: Ints, parts: Mapping[str, Floats] | None = None) -> list[tuple[Reason, ...]]:
        """The liked item that adds most to the score of each row, and what the two share."""
        known = self._known(query)
        if self._preference(known) is None:
            return [()] * rows.size
        liked, model_rows = known.positive(), self._alignment.artifact_rows[rows]
        likeness = (
            self._vectors[self._alignment.artifact_rows[liked.rows]] @ self._vectors[model_rows].T * liked.weights[:, None]
        )
        likeness[:, model_rows < 0] = 0
        return [self._reason(liked, row, likeness[:, index]) for index, row in enumerate(rows.tolist())]

    def _reason(self, liked: LikedItems, row: int, likeness: Floats) -> tuple[Reason, ...]:
        best = int(np.argmax(likeness))
        if likeness[best] <= 0:
            return ()
        other = int(liked.rows[best])
        shared = shared_tags(self._catalogue, row, other)
        text = similar(self._catalogue.titles[other], shared, of_subject=liked.from_subject)
        return (Reason(self.name, text, float(likeness[best])),)

    def _preference(self, known: LikedItems) -> Floats | None:
        """The preference vector, (d,) of unit length; None for dislikes alone, whose direction nobody wants."""
        if not known.positive().rows.size:
            return None
        return weighted_direction(self._vectors[self._alignment.artifact_rows[known.rows]], known.weights)

    def _known(self, query: Query) -> LikedItems:
        return self._alignment.known(LikedItems.of(query), self._described)
