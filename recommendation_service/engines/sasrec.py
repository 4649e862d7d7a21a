"""SASRec: a small transformer reads the newest items in their order and predicts the next one. Pure numpy."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints, dense
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import LikedItems, array, parameter, varied_array
from recommendation_service.engines.base import ModelEngine
from recommendation_service.engines.reason_texts import strongest_liked
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.store import Artifact

EPSILON = np.float32(1e-5)  # torch's, in layer normalisation


@dataclass(frozen=True, slots=True, eq=False)
class Transformer:
    """The network's forward pass for one user. d is the dimension, b the blocks; arrays of blocks are stacked."""

    history_vectors: Floats  # (n, d) by artifact row: the input
    item_vectors: Floats  # (n, d): the output
    item_bias: Floats  # (n,)
    positions: Floats  # (r, d) from the oldest of r items on
    heads: int
    blocks: tuple["Block", ...]
    last_norm: Floats  # (2, d)

    @classmethod
    def from_artifact(cls, artifact: Artifact, n_items: int) -> "Transformer":
        """Read and check the arrays. Raises ArtifactRefused with both shapes when they do not fit together."""
        vectors = varied_array(artifact, "item_vectors", (n_items, None))
        d, heads = vectors.shape[1], int(parameter(artifact, "heads"))
        if heads < 1 or d % heads:
            raise ArtifactRefused(f"{artifact.version}: {d} dimensions do not divide into {heads} heads; train it again")
        return cls(
            history_vectors=array(artifact, "history_vectors", vectors.shape),
            item_vectors=vectors,
            item_bias=array(artifact, "item_bias", (n_items,)),
            positions=array(artifact, "positions", (None, d)),
            heads=heads,
            blocks=Block.all_of(artifact, d),
            last_norm=array(artifact, "last_norm", (2, d)),
        )

    def state(self, rows: Ints) -> tuple[Floats, Floats]:
        """The state (d,) after these items (k,), oldest first and at most one per position, and their attention (k,).

        The attention is each item's share in the last block.
        """
        states = self.history_vectors[rows] + self.positions[: rows.size]
        attention = np.zeros(rows.size, dtype=np.float32)
        for number, block in enumerate(self.blocks):
            queries = slice(-1, None) if number == len(self.blocks) - 1 else slice(None)  # the last block needs one
            mixed, attention = block.attend(states, queries, self.heads)
            states = states[queries] + mixed
            states = states + block.feed_forward(states)
        return layer_norm(states[-1], self.last_norm), attention


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One block: attention over earlier positions, then two dense layers; both are added to their input."""

    attention_norm: Floats  # (2, d)
    read_weights: Floats  # (d, 3d): query, key and value
    read_bias: Floats
    output_weights: Floats  # (d, d)
    output_bias: Floats
    dense_norm: Floats
    dense1_weights: Floats  # (d, d)
    dense1_bias: Floats
    dense2_weights: Floats
    dense2_bias: Floats

    @classmethod
    def all_of(cls, artifact: Artifact, d: int) -> tuple["Block", ...]:
        """The blocks of an artifact, in order."""
        count = array(artifact, "attention_norm", (None, 2, d)).shape[0]
        wide = {"read_weights": (d, 3 * d), "read_bias": (3 * d,), "attention_norm": (2, d), "dense_norm": (2, d)}
        names = [name for name in cls.__slots__ if name not in wide]
        shapes = wide | {name: (d, d) if name.endswith("weights") else (d,) for name in names}
        stacked = {name: array(artifact, name, (count, *shape)) for name, shape in shapes.items()}
        return tuple(cls(**{name: every[number] for name, every in stacked.items()}) for number in range(count))

    def attend(self, states: Floats, queries: slice, heads: int) -> tuple[Floats, Floats]:
        """The output for positions `queries` of (k, d) states, and the last position's attention, (k,), mean of all heads."""
        k, d = states.shape
        projected = dense(layer_norm(states, self.attention_norm), self.read_weights, self.read_bias)
        query, key, value = projected.reshape(k, 3, heads, d // heads).transpose(1, 2, 0, 3)  # (heads, k, d / heads) each
        logits = query[:, queries] @ key.transpose(0, 2, 1) / np.float32(np.sqrt(d // heads))
        logits[:, _later(k, queries)] = -np.inf
        shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        mixed = (shares @ value).transpose(1, 0, 2).reshape(-1, d)
        return dense(mixed, self.output_weights, self.output_bias), shares[:, -1].mean(axis=0)

    def feed_forward(self, states: Floats) -> Floats:
        """The output of the dense layers."""
        hidden = np.maximum(dense(layer_norm(states, self.dense_norm), self.dense1_weights, self.dense1_bias), 0)
        return dense(hidden, self.dense2_weights, self.dense2_bias)


@dataclass(frozen=True, slots=True, eq=False)
class ReadSequence:
    """The result of the forward pass for one query."""

    newest: LikedItems  # (k,) newest first
    state: Floats  # (d,) after the newest item
    attention: Floats  # (k,) share of each item in the last block


class SASRec(ModelEngine):
    """Predicts what follows the newest liked items. No prediction (NaN) for an item without a like in training."""

    label: ClassVar[str] = "SASRec"

    def __init__(self, name: str, artifact: Artifact, catalogue: Catalogue) -> None:
        """As of every ModelEngine, from a model of kind "sasrec"."""
        super().__init__(name, artifact, catalogue)
        counts: AnyArray = array(artifact, "item_counts", (None,), kinds="iu")
        self._network = Transformer.from_artifact(artifact, counts.size)
        self._known: Bools = np.asarray(counts > 0)  # (n,)

    def read(self, query: Query) -> ReadSequence | None:
        """Run the network over the newest known liked items, as many as it has positions; None without such items."""
        liked = self._alignment.known(LikedItems.of(query).positive(), self._known)
        newest = liked.where(np.arange(liked.rows.size) < self._network.positions.shape[0])
        if not newest.rows.size:
            return None
        state, attention = self._network.state(self._alignment.artifact_rows[newest.rows[::-1]])
        return ReadSequence(newest, state, attention[::-1])

    def score(self, basis: ReadSequence) -> Floats:
        """Return the logits of the next item."""
        scores = self._network.item_vectors @ basis.state + self._network.item_bias
        scores[~self._known] = np.nan
        return np.asarray(scores)

    def reasons(self, query: Query, basis: ReadSequence, rows: Ints, model_rows: Ints) -> list[tuple[Reason, ...]]:
        """Return the item of the history (or subject) with the most attention among those that point to each row."""
        vectors = self._network.history_vectors[self._alignment.artifact_rows[basis.newest.rows]]
        shares = basis.attention[:, None] * np.maximum(vectors @ self._network.item_vectors[model_rows].T, 0)
        shares[:, (model_rows < 0) | ~self._known[model_rows]] = 0
        return strongest_liked(self.name, self._catalogue.titles, basis.newest, shares)


def layer_norm(states: Floats, norm: Floats) -> Floats:
    """Layer normalisation over the last axis; `norm` is (2, d): scale and shift."""
    centred = states - states.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + EPSILON)
    return np.asarray(centred / spread * norm[0] + norm[1], dtype=np.float32)


def _later(k: int, queries: slice) -> Bools:
    """(a, k) True for positions after the query's position."""
    positions = np.arange(k)
    return np.asarray(positions[None, :] > positions[queries][:, None])
