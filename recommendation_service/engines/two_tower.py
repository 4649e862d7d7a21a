"""Two towers: a small network turns a history and a profile into a point near the items that suit. Pure numpy."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from recommendation_service.core.numeric import Floats, Ints, dense, top_rows, unit_rows
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Profile, Query
from recommendation_service.domain.slate import Candidates, Reason, Skip
from recommendation_service.engines.alignment import Alignment, Taste, array, parameter, telling
from recommendation_service.engines.base import Engine
from recommendation_service.engines.latest import Latest
from recommendation_service.engines.nearest_rows import NearestIndex, open_index
from recommendation_service.engines.reason_texts import because, matches
from recommendation_service.publishing.store import Artifact

ASK_AT_MOST = 0.5  # of the rows: above it, looking at all of them is as quick and finds everything


@dataclass(frozen=True, slots=True, eq=False)
class UserTower:
    """The user's half of the network, forward pass only. d is the dimension, h the hidden width."""

    history_vectors: Floats  # (n, d) by artifact row
    attribute_vectors: Floats  # (a, d)
    attribute_places: dict[str, int]  # "skills=python", casefolded -> row of attribute_vectors
    layer1_weights: Floats  # (2d, h)
    layer1_bias: Floats  # (h,)
    layer2_weights: Floats  # (h, d)
    layer2_bias: Floats  # (d,)
    recent: int
    decay: float

    @classmethod
    def from_artifact(cls, artifact: Artifact, n_items: int, dimension: int) -> "UserTower":
        """Read and check the arrays. Raises ArtifactRefused with both shapes when they do not fit together."""
        names = array(artifact, "attributes", (None,), kinds="S").tolist()
        bias = array(artifact, "layer1_bias", (None,))
        return cls(
            history_vectors=array(artifact, "history_vectors", (n_items, dimension)),
            attribute_vectors=array(artifact, "attribute_vectors", (len(names), dimension)),
            attribute_places={name.decode().casefold(): place for place, name in enumerate(names) if name},
            layer1_weights=array(artifact, "layer1_weights", (2 * dimension, bias.size)),
            layer1_bias=bias,
            layer2_weights=array(artifact, "layer2_weights", (bias.size, dimension)),
            layer2_bias=array(artifact, "layer2_bias", (dimension,)),
            recent=int(parameter(artifact, "recent")),
            decay=parameter(artifact, "decay"),
        )

    def attributes_of(self, profile: Profile) -> list[int]:
        """Rows of the profile's values that the model was trained with."""
        asked = (f"{key}={value}".casefold() for key, values in profile.items() for value in values)
        return [self.attribute_places[one] for one in dict.fromkeys(asked) if one in self.attribute_places]

    def vector(self, liked: Ints, attributes: list[int]) -> Floats:
        """Unit vector (d,) of someone who liked these artifact rows, newest first, and has these attributes."""
        dimension = self.layer2_bias.size
        bag = attrs = np.zeros(dimension, dtype=np.float32)
        newest = liked[: self.recent]
        if newest.size:
            weights = np.float32(self.decay) ** np.arange(newest.size, dtype=np.float32)
            bag = weights @ self.history_vectors[newest] / weights.sum()
        if attributes:
            attrs = self.attribute_vectors[attributes].mean(axis=0)
        hidden = np.maximum(dense(np.concatenate([bag, attrs]), self.layer1_weights, self.layer1_bias), 0)
        return unit_rows(dense(hidden, self.layer2_weights, self.layer2_bias))


class TwoTower(Engine):
    """Nearest items to the user tower's output. Works for newcomers whose profile names a known attribute."""

    label: ClassVar[str] = "Two-Tower"

    def __init__(
        self,
        name: str,
        version: str,
        catalogue: Catalogue,
        alignment: Alignment,
        item_vectors: Floats,
        tower: UserTower,
        index: NearestIndex | str = "",
        *,
        always_explain: bool = False,
    ) -> None:
        """`item_vectors` is (n, d), unit rows in the artifact's order; `index` in words: why there is none that should be."""
        super().__init__(name, version)
        self._catalogue = catalogue
        self._alignment = alignment
        self._item_vectors = item_vectors
        self._tower = tower
        self._always_explain = always_explain
        self._index = index if isinstance(index, NearestIndex) else None
        self._missing = index if isinstance(index, str) else ""
        self._catalogue_rows = alignment.catalogue_rows(item_vectors.shape[0])
        self._latest: Latest[Taste] = Latest()

    @classmethod
    def from_artifact(
        cls,
        name: str,
        artifact: Artifact,
        catalogue: Catalogue,
        indexed: Artifact | None = None,
        *,
        index: Literal["exact", "faiss"] = "exact",
        always_explain: bool = False,
    ) -> "TwoTower":
        """The engine of one published model of kind "two_tower". Raises ArtifactRefused naming what does not fit.

        With index="faiss" the best rows are looked up in `indexed`, a model of kind "two_tower_index" made from this
        very model; where there is none, exact search answers and `partial` tells. With `always_explain`, what has no
        reason of its own has a plain one.
        """
        alignment = Alignment.of(artifact, catalogue)
        n_items = int(array(artifact, "item_ids", (None,), kinds="S").size)
        vectors = telling(artifact, "item_vectors", (n_items, None))
        tower = UserTower.from_artifact(artifact, n_items, vectors.shape[1])
        found = open_index(indexed, artifact, vectors.shape[1]) if index == "faiss" else ""
        return cls(name, artifact.version, catalogue, alignment, vectors, tower, found, always_explain=always_explain)

    def scores(self, query: Query) -> Floats | None:
        """Cosine of item and user, -1 to 1; None with neither a known liked item nor a known attribute."""
        vector = self._vector(query)
        return None if vector is None else self._alignment.scatter(self._item_vectors @ vector)

    def recommend(self, query: Query, limit: int) -> Candidates | None:
        """As every engine; through the index where there is one, with the exact scores of what it finds."""
        count = limit + int(np.count_nonzero(~query.eligible))  # so many may have to be left out again
        if self._index is None or count > ASK_AT_MOST * self._item_vectors.shape[0]:
            return super().recommend(query, limit)
        vector = self._vector(query)
        if vector is None:
            return None
        scores = np.full(len(self._catalogue), np.nan, dtype=np.float32)
        own = self._index.rows(vector, count)
        places = self._catalogue_rows[own]
        scores[places[places >= 0]] = (self._item_vectors[own] @ vector)[places >= 0]
        rows = top_rows(scores, limit, query.eligible)
        if rows.size < limit:
            return super().recommend(query, limit)
        return Candidates(rows, scores[rows], {self.name: scores[rows]})

    def partial(self, query: Query) -> tuple[Skip, ...]:
        """That the index is missing where the file asks for one."""
        return (Skip(self.name, "partial", f"exact search answers: {self._missing}"),) if self._missing else ()

    def _vector(self, query: Query) -> Floats | None:
        liked = self._alignment.artifact_rows[self._known_taste(query).rows]
        attributes = self._tower.attributes_of(query.profile)
        return self._tower.vector(liked, attributes) if liked.size or attributes else None

    def explain(self, query: Query, row: int) -> Reason | None:
        """The profile's values that the item carries, else the recently liked item nearest to it."""
        own = int(self._alignment.artifact_rows[row])
        if own < 0:
            return None
        matched = matches(self._catalogue, row, query.profile)
        if matched is not None and self._tower.attributes_of(query.profile):
            return Reason(self.name, matched, 1.0)
        taste = self._known_taste(query)
        recent = taste.rows[: self._tower.recent]
        if recent.size:
            likeness = self._item_vectors[self._alignment.artifact_rows[recent]] @ self._item_vectors[own]
            best = int(np.argmax(likeness))
            if likeness[best] > 0:
                text = because(self._catalogue.titles[recent[best]], of_subject=taste.from_subject)
                return Reason(self.name, text, float(likeness[best]))
        return self._plain_reason(query, taste) if self._always_explain else None

    def _plain_reason(self, query: Query, taste: Taste) -> Reason | None:
        if taste.rows.size:
            return Reason(self.name, "Goes with this" if taste.from_subject else "Suits what you liked lately", 0.0)
        return Reason(self.name, "Suits your profile", 0.0) if self._tower.attributes_of(query.profile) else None

    def _known_taste(self, query: Query) -> Taste:
        kept = self._latest.of(query)
        if kept is not None:
            return kept
        liked = Taste.of(query).liked()
        return self._latest.keep(query, liked.within(self._alignment.known(liked.rows)))
