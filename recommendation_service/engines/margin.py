"""Matrix factorisation trained with a margin ranking loss: a person is an own vector plus what they liked. Pure numpy."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recommendation_service.core.numeric import Floats
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import Alignment, Taste, array, parameter, telling
from recommendation_service.engines.base import Engine
from recommendation_service.engines.reason_texts import because
from recommendation_service.publishing.store import Artifact


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """The users' half of the model. d is the dimension."""

    user_ids: IdMap
    user_vectors: Floats  # (m, d)
    history_vectors: Floats  # (n, d) by artifact row: what liking an item says about a person
    recent: int

    @classmethod
    def from_artifact(cls, artifact: Artifact, n_items: int, dimension: int) -> "People":
        """Read and check the arrays. Raises ArtifactRefused with both shapes when they do not fit together."""
        ids = array(artifact, "user_ids", (None,), kinds="S")
        return cls(
            user_ids=IdMap(ids),
            user_vectors=array(artifact, "user_vectors", (ids.size, dimension)),
            history_vectors=array(artifact, "history_vectors", (n_items, dimension)),
            recent=int(parameter(artifact, "recent")),
        )

    def own(self, user_id: str | None) -> Floats:
        """(d,) the vector training gave this person; zeros for someone it never saw."""
        row = None if user_id is None else self.user_ids.row(user_id)
        return np.zeros(self.user_vectors.shape[1], dtype=np.float32) if row is None else self.user_vectors[row]


class Margin(Engine):
    """Own vector plus the pooled vectors of the newest likes, against item vectors made of identity and content.

    The likes are today's, so a click counts at once. Someone without any has no vector here, trained or not: what was
    erased no longer speaks. Items that nobody liked in training are known by their content.
    """

    label: ClassVar[str] = "Margin"

    def __init__(
        self,
        name: str,
        version: str,
        catalogue: Catalogue,
        alignment: Alignment,
        item_vectors: Floats,
        item_biases: Floats,
        people: People,
    ) -> None:
        """`item_vectors` (n, d) and `item_biases` (n,) are in the artifact's row order."""
        super().__init__(name, version)
        self._titles = catalogue.titles
        self._alignment = alignment
        self._item_vectors = item_vectors
        self._item_biases = item_biases
        self._people = people

    @classmethod
    def from_artifact(cls, name: str, artifact: Artifact, catalogue: Catalogue) -> "Margin":
        """The engine of one published model of kind "margin". Raises ArtifactRefused naming what does not fit."""
        alignment = Alignment.of(artifact, catalogue)
        n_items = int(array(artifact, "item_ids", (None,), kinds="S").size)
        vectors = telling(artifact, "item_vectors", (n_items, None))
        biases = array(artifact, "item_biases", (n_items,))
        people = People.from_artifact(artifact, n_items, vectors.shape[1])
        return cls(name, artifact.version, catalogue, alignment, vectors, biases, people)

    def scores(self, query: Query) -> Floats | None:
        """Dot product and bias of each item, unbounded; None without a known liked item."""
        taste = self._known_taste(query)
        if not taste.rows.size:
            return None
        vector = self._shares(taste) @ self._liked_vectors(taste)
        if not taste.from_subject:
            vector = vector + self._people.own(query.user_id)
        return self._alignment.scatter(self._item_vectors @ vector + self._item_biases)

    def explain(self, query: Query, row: int) -> Reason | None:
        """The recently liked item (or subject) that adds most to this row's score."""
        own = int(self._alignment.artifact_rows[row])
        taste = self._known_taste(query)
        if own < 0 or not taste.rows.size:
            return None
        added = self._shares(taste) * (self._liked_vectors(taste) @ self._item_vectors[own])
        best = int(np.argmax(added))
        if added[best] <= 0:
            return None
        return Reason(self.name, because(self._titles[taste.rows[best]], of_subject=taste.from_subject), float(added[best]))

    def _known_taste(self, query: Query) -> Taste:
        liked = Taste.of(query).liked()
        return liked.within(self._alignment.known(liked.rows))

    def _shares(self, taste: Taste) -> Floats:
        newest = taste.weights[: self._people.recent]
        shares: Floats = (newest / taste.weights.mean() / np.sqrt(newest.size)).astype(np.float32)
        return shares

    def _liked_vectors(self, taste: Taste) -> Floats:
        return self._people.history_vectors[self._alignment.artifact_rows[taste.rows[: self._people.recent]]]
