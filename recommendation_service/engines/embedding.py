"""Embedding: items whose dense text vectors lie near to where a person's liked items point together."""

from typing import ClassVar

import numpy as np

from recommendation_service.core.numeric import Bools, Floats, weighted_direction
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import Alignment, Taste, array, telling
from recommendation_service.engines.base import Engine
from recommendation_service.engines.latest import Latest
from recommendation_service.engines.reason_texts import shared_tags, similar
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.store import Artifact

_UNIT = 1e-3  # how far a stored vector's length may be from 1


class Embedding(Engine):
    """Cosine between an item's vector and the preference vector: the weighted direction of a history or a basket."""

    label: ClassVar[str] = "embedding"
    least: ClassVar[float] = 0.0  # what points away from a preference is no recommendation

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
        if not np.allclose(lengths[self._described], 1, atol=_UNIT):
            raise ArtifactRefused(f"{version}: item_vectors are not of unit length; train it again")
        self._undescribed = np.flatnonzero(~self._described)
        self._latest: Latest[Floats | None] = Latest()

    @classmethod
    def from_artifact(cls, name: str, artifact: Artifact, catalogue: Catalogue) -> "Embedding":
        """The engine of one published model of kind "embedding". Raises ArtifactRefused naming what does not fit."""
        alignment = Alignment.of(artifact, catalogue)
        n_items = int(array(artifact, "item_ids", (None,), kinds="S").size)
        return cls(name, artifact.version, catalogue, alignment, telling(artifact, "item_vectors", (n_items, None)))

    def scores(self, query: Query) -> Floats | None:
        """Cosine, -1 to 1; None without a single known liked item, and when likes and dislikes cancel out."""
        wanted = self._latest.keep(query, self._preference(query))
        if wanted is None:
            return None
        scores = np.asarray(self._vectors @ wanted, dtype=np.float32)
        scores[self._undescribed] = np.nan
        return self._alignment.scatter(scores)

    def explain(self, query: Query, row: int) -> Reason | None:
        """The liked item that adds most to this row's score, and what the two share."""
        wanted = self._latest.of(query)
        if wanted is None:
            wanted = self._latest.keep(query, self._preference(query))
        own = int(self._alignment.artifact_rows[row])
        if wanted is None or own < 0:
            return None
        taste = self._known_taste(query).liked()
        likeness = taste.weights * (self._vectors[self._alignment.artifact_rows[taste.rows]] @ self._vectors[own])
        best = int(np.argmax(likeness))
        if likeness[best] <= 0:
            return None
        other = int(taste.rows[best])
        text = similar(self._catalogue.titles[other], shared_tags(self._catalogue, row, other), of_subject=taste.from_subject)
        return Reason(self.name, text, float(likeness[best]))

    def _preference(self, query: Query) -> Floats | None:
        """The preference vector, (d,) of unit length; the weights of a history are event weight times its decay."""
        taste = self._known_taste(query)
        if not taste.liked().rows.size:
            return None  # where dislikes alone point to is not where anybody wants to go
        return weighted_direction(self._vectors[self._alignment.artifact_rows[taste.rows]], taste.weights)

    def _known_taste(self, query: Query) -> Taste:
        taste = Taste.of(query)
        known = self._alignment.known(taste.rows)
        known[known] = self._described[self._alignment.artifact_rows[taste.rows[known]]]
        return taste.within(known)
