"""SASRec: a small transformer reads the newest items in their order and says what comes next. Pure numpy."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints, dense
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import Alignment, Taste, array, parameter, telling
from recommendation_service.engines.base import Engine
from recommendation_service.engines.latest import Latest
from recommendation_service.engines.reason_texts import because
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.store import Artifact

EPSILON = np.float32(1e-5)  # torch's, in layer normalisation


@dataclass(frozen=True, slots=True, eq=False)
class Transformer:
    """The network's forward pass for one person. d is the dimension, b the blocks; arrays of blocks are stacked."""

    history_vectors: Floats  # (n, d) by artifact row: what is read
    item_vectors: Floats  # (n, d): what is foretold
    item_bias: Floats  # (n,)
    positions: Floats  # (r, d) of the oldest of r items on
    heads: int
    blocks: tuple["Block", ...]
    last_norm: Floats  # (2, d)

    @classmethod
    def from_artifact(cls, artifact: Artifact, n_items: int) -> "Transformer":
        """Read and check the arrays. Raises ArtifactRefused with both shapes when they do not fit together."""
        vectors = telling(artifact, "item_vectors", (n_items, None))
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
        """After these items (k,), oldest first and no more than there are positions: the state (d,), and the share of
        the last block's attention (k,) that each of them got.
        """
        states = self.history_vectors[rows] + self.positions[: rows.size]
        attention = np.zeros(rows.size, dtype=np.float32)
        for number, block in enumerate(self.blocks):
            asking = slice(-1, None) if number == len(self.blocks) - 1 else slice(None)  # of the last block one is needed
            mixed, attention = block.attended(states, asking, self.heads)
            states = states[asking] + mixed
            states = states + block.thought(states)
        return normalised(states[-1], self.last_norm), attention


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One block: attention over what came before, then two dense layers; both are added to what was there."""

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

    def attended(self, states: Floats, asking: slice, heads: int) -> tuple[Floats, Floats]:
        """What attention adds to the places `asking` of (k, d) states, and the last one's attention, (k,), all heads' mean."""
        k, d = states.shape
        own = dense(normalised(states, self.attention_norm), self.read_weights, self.read_bias)
        query, key, value = own.reshape(k, 3, heads, d // heads).transpose(1, 2, 0, 3)  # (heads, k, d / heads) each
        logits = query[:, asking] @ key.transpose(0, 2, 1) / np.float32(np.sqrt(d // heads))
        logits[:, _later(k, asking)] = -np.inf
        shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        mixed = (shares @ value).transpose(1, 0, 2).reshape(-1, d)
        return dense(mixed, self.output_weights, self.output_bias), shares[:, -1].mean(axis=0)

    def thought(self, states: Floats) -> Floats:
        """What the dense layers add."""
        hidden = np.maximum(dense(normalised(states, self.dense_norm), self.dense1_weights, self.dense1_bias), 0)
        return dense(hidden, self.dense2_weights, self.dense2_bias)


class SASRec(Engine):
    """What comes after the newest liked items, in their order. An item nobody liked in training is unknown: NaN."""

    label: ClassVar[str] = "SASRec"

    def __init__(
        self, name: str, version: str, catalogue: Catalogue, alignment: Alignment, network: Transformer, known: Bools
    ) -> None:
        """`known` is (n,) by artifact row."""
        super().__init__(name, version)
        self._titles = catalogue.titles
        self._alignment = alignment
        self._network = network
        self._known = known
        self._latest: Latest[tuple[Taste, Floats, Floats] | None] = Latest()

    @classmethod
    def from_artifact(cls, name: str, artifact: Artifact, catalogue: Catalogue) -> "SASRec":
        """The engine of one published model of kind "sasrec". Raises ArtifactRefused naming what does not fit."""
        counts: AnyArray = array(artifact, "item_counts", (None,), kinds="iu")
        network = Transformer.from_artifact(artifact, counts.size)
        return cls(name, artifact.version, catalogue, Alignment.of(artifact, catalogue), network, np.asarray(counts > 0))

    def scores(self, query: Query) -> Floats | None:
        """Logits of what comes next; None without a known liked item."""
        read = self._latest.keep(query, self._read(query))
        if read is None:
            return None
        found = self._network.item_vectors @ read[1] + self._network.item_bias
        found[~self._known] = np.nan
        return self._alignment.scatter(found)

    def explain(self, query: Query, row: int) -> Reason | None:
        """The item of the history (or subject) that was looked at most among those that point to this row."""
        read = self._latest.of(query) or self._latest.keep(query, self._read(query))
        own = int(self._alignment.artifact_rows[row])
        if read is None or own < 0 or not self._known[own]:
            return None
        taste, _, attention = read
        vectors = self._network.history_vectors[self._alignment.artifact_rows[taste.rows]]
        shares = attention * np.maximum(vectors @ self._network.item_vectors[own], 0)
        best = int(np.argmax(shares))
        if shares[best] <= 0:
            return None
        return Reason(self.name, because(self._titles[taste.rows[best]], of_subject=taste.from_subject), float(shares[best]))

    def _read(self, query: Query) -> tuple[Taste, Floats, Floats] | None:
        """The newest known liked items, the state after them, and each one's attention."""
        liked = Taste.of(query).liked()
        held = self._alignment.known(liked.rows)
        held[held] = self._known[self._alignment.artifact_rows[liked.rows[held]]]
        liked = liked.within(held)
        if not liked.rows.size:
            return None
        newest = liked.within(np.arange(liked.rows.size) < self._network.positions.shape[0])
        state, attention = self._network.state(self._alignment.artifact_rows[newest.rows[::-1]])
        return newest, state, attention[::-1]


def normalised(states: Floats, norm: Floats) -> Floats:
    """Layer normalisation over the last axis; `norm` is (2, d): scale and shift."""
    centred = states - states.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + EPSILON)
    return np.asarray(centred / spread * norm[0] + norm[1], dtype=np.float32)


def _later(k: int, asking: slice) -> Bools:
    """(a, k) True where a place is later than the one that asks."""
    places = np.arange(k)
    return np.asarray(places[None, :] > places[asking][:, None])
