"""Two towers: a small network maps a history and a profile to a point near matching items. Pure numpy."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from recommendation_service.core.numeric import Floats, Ints, dense, unit_rows
from recommendation_service.core.threads import load_faiss
from recommendation_service.domain.answer import Skip
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Profile, Query
from recommendation_service.domain.slate import Candidates, Reason, Retrieved
from recommendation_service.engines.alignment import LikedItems, array, item_count, parameter, varied_array
from recommendation_service.engines.base import ModelEngine
from recommendation_service.engines.reason_texts import matches, strongest_liked
from recommendation_service.publishing.store import Artifact

MAX_INDEX_SHARE = 0.5  # of the rows: above it, exact search is as fast and misses nothing
NO_FAISS = "faiss is not installed here (pip install faiss-cpu)"


@dataclass(frozen=True, slots=True, eq=False)
class UserTower:
    """The user side of the network, forward pass only. d is the dimension, h the hidden width."""

    history_vectors: Floats  # (n, d) by artifact row
    attribute_vectors: Floats  # (a, d)
    attribute_rows: dict[str, int]  # "skills=python", casefolded -> row of attribute_vectors
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
            attribute_rows={name.decode().casefold(): row for row, name in enumerate(names) if name},
            layer1_weights=array(artifact, "layer1_weights", (2 * dimension, bias.size)),
            layer1_bias=bias,
            layer2_weights=array(artifact, "layer2_weights", (bias.size, dimension)),
            layer2_bias=array(artifact, "layer2_bias", (dimension,)),
            recent=int(parameter(artifact, "recent")),
            decay=parameter(artifact, "decay"),
        )

    def attributes_of(self, profile: Profile) -> list[int]:
        """Return the rows of the profile's values that the model was trained with."""
        names = (f"{key}={value}".casefold() for key, values in profile.items() for value in values)
        return [self.attribute_rows[name] for name in dict.fromkeys(names) if name in self.attribute_rows]

    def vector(self, liked: Ints, attributes: list[int]) -> Floats:
        """Return the unit vector (d,) of a user who liked these artifact rows, newest first, and has these attributes."""
        dimension = self.layer2_bias.size
        history = profile = np.zeros(dimension, dtype=np.float32)
        newest = liked[: self.recent]
        if newest.size:
            weights = np.float32(self.decay) ** np.arange(newest.size, dtype=np.float32)
            history = weights @ self.history_vectors[newest] / weights.sum()
        if attributes:
            profile = self.attribute_vectors[attributes].mean(axis=0)
        hidden = np.maximum(dense(np.concatenate([history, profile]), self.layer1_weights, self.layer1_bias), 0)
        return unit_rows(dense(hidden, self.layer2_weights, self.layer2_bias))


class NearestIndex:
    """A published FAISS index of item vectors. The search is approximate, so scores are computed again."""

    def __init__(self, index: Any, n_items: int) -> None:
        """`index` is a faiss.Index over (n_items, d)."""
        self._index = index
        self._n_items = n_items

    def rows(self, vector: Floats, count: int) -> Ints:
        """Return at most `count` unique rows, (k,), nearest first; `vector` is (d,) and finite."""
        limit = max(1, min(count, self._n_items))
        rows: Ints = self._index.search(vector[None].astype(np.float32), limit)[1][0].astype(np.int64)
        return rows[(rows >= 0) & (rows < self._n_items)]  # faiss pads with -1, which would be the last item


def open_index(index: Artifact | None, model: Artifact, dimension: int) -> NearestIndex | str:
    """Return the index made from exactly this model, or the reason why there is none."""
    if index is None:
        return "no index is published, or it was refused; run: build_index"
    if index.manifest.parameters.get("model_seal") != model.manifest.seal:
        return f"{index.version} was made from another model than {model.version}; run: build_index"
    try:
        loaded = load_faiss().deserialize_index(np.array(index.arrays["index"]))
    except ImportError:
        return NO_FAISS
    except (RuntimeError, AssertionError, TypeError) as error:  # faiss raises these for bytes that it did not write
        return f"{index.version} cannot be read ({type(error).__name__}); run: build_index"
    n_items = int(model.arrays["item_ids"].size)
    if (int(loaded.ntotal), int(loaded.d)) != (n_items, dimension):
        return f"{index.version} holds {loaded.ntotal} x {loaded.d}, {model.version} {n_items} x {dimension}; run: build_index"
    return NearestIndex(loaded, n_items)


@dataclass(frozen=True, slots=True, eq=False)
class TowerInput:
    """What the user tower read of one query, and its output."""

    known: LikedItems
    attributes: list[int]  # rows of the tower's attribute vectors
    vector: Floats  # (d,) of unit length


class TwoTower(ModelEngine):
    """The items nearest to the user tower's output. Works for new users whose profile has a known attribute."""

    label: ClassVar[str] = "Two-Tower"

    def __init__(
        self,
        name: str,
        artifact: Artifact,
        catalogue: Catalogue,
        indexed: Artifact | None = None,
        *,
        index: Literal["exact", "faiss"] = "exact",
        always_explain: bool = False,
    ) -> None:
        """As of every ModelEngine, from a model of kind "two_tower".

        With index="faiss" the best rows are searched with `indexed`, a model of kind "two_tower_index" made from this
        model; without it, exact search answers and a skip reports it. With `always_explain`, an item without a reason
        of its own gets a plain one.
        """
        super().__init__(name, artifact, catalogue)
        n_items = item_count(artifact)
        self._item_vectors = varied_array(artifact, "item_vectors", (n_items, None))  # (n, d), unit rows
        dimension = self._item_vectors.shape[1]
        self._tower = UserTower.from_artifact(artifact, n_items, dimension)
        self._always_explain = always_explain
        nearest = open_index(indexed, artifact, dimension) if index == "faiss" else None
        self._index = nearest if isinstance(nearest, NearestIndex) else None
        if isinstance(nearest, str):
            self.skips = (Skip(engine=name, code="partial", detail=f"exact search answers: {nearest}"),)
        self._catalogue_rows = self._alignment.catalogue_rows(n_items)

    def read(self, query: Query) -> TowerInput | None:
        """Return the known liked items and attributes of the user, and the vector (d,) of both; None without any."""
        known = self._alignment.known(LikedItems.of(query).positive())
        attributes = self._tower.attributes_of(query.profile)
        if not known.rows.size and not attributes:
            return None
        return TowerInput(known, attributes, self._tower.vector(self._alignment.artifact_rows[known.rows], attributes))

    def score(self, basis: TowerInput) -> Floats:
        """Return the cosine of each item and the user, -1 to 1."""
        return self._item_vectors @ basis.vector

    def retrieve(self, query: Query, limit: int) -> Retrieved | None:
        """Return the best rows, through the index if there is one, with their exact scores."""
        count = limit + int(np.count_nonzero(~query.eligible))  # as many may have to be dropped again
        if self._index is None or count > MAX_INDEX_SHARE * self._item_vectors.shape[0]:
            return super().retrieve(query, limit)
        basis = self.read(query)
        if basis is None:
            return None
        scores = np.full(len(self._catalogue), np.nan, dtype=np.float32)
        model_rows = self._index.rows(basis.vector, count)
        targets = self._catalogue_rows[model_rows]
        scores[targets[targets >= 0]] = (self._item_vectors[model_rows] @ basis.vector)[targets >= 0]
        rows = self.best_rows(scores, query, limit)
        if rows.size < limit:
            return super().retrieve(query, limit)
        return Retrieved(Candidates(rows, scores[rows], {self.name: scores[rows]}), basis=basis)

    def reasons(self, query: Query, basis: TowerInput, rows: Ints, model_rows: Ints) -> list[tuple[Reason, ...]]:
        """Return the profile's values that the item has, else the most similar of the recently liked items."""
        known, attributes = basis.known, basis.attributes
        recent = known.where(np.arange(known.rows.size) < self._tower.recent)
        nearest: list[tuple[Reason, ...]] = [()] * rows.size
        if recent.rows.size:
            similarity = self._item_vectors[self._alignment.artifact_rows[recent.rows]] @ self._item_vectors[model_rows].T
            nearest = strongest_liked(self.name, self._catalogue.titles, recent, similarity)
        plain = self._plain_reason(known, attributes) if self._always_explain else ()
        matched = matches(self._catalogue, rows, query.profile if attributes else {})
        return [
            () if model_row < 0 else (Reason(self.name, text, 1.0),) if text is not None else near or plain
            for model_row, text, near in zip(model_rows.tolist(), matched, nearest, strict=True)
        ]

    def _plain_reason(self, known: LikedItems, attributes: list[int]) -> tuple[Reason, ...]:
        if known.rows.size:
            return (Reason(self.name, "Goes with this" if known.from_subject else "Suits what you did here lately", 0.0),)
        return (Reason(self.name, "Suits your profile", 0.0),) if attributes else ()
