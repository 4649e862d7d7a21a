"""A trained network of pairs, read forward in numpy: what it reads of a pair, and what its two halves say.

Training and serving both come here, so that a model is measured by what will serve it. Pure: arrays in, scores out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints, dense
from recommendation_service.datasets.pair_features import PairTable, features
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.side import Texts
from recommendation_service.use_cases.schema import PairConfig

FAR = np.float32(10)  # standard deviations from the mean at which a number is cut off: a typing mistake is no signal
LAYERS = (1, 2, 3)
SELDOM = ""  # the id that stands for everybody who was met too seldom to have a vector of their own


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What both halves read of `n` pairs."""

    numbers: Floats  # (n, f) features in standard deviations from their mean, 0 where unknown
    tokens: Ints  # (n, c) rows in the table of tokens, 0: a token that training never saw
    first: Ints  # (n,) rows of the persons who ask, -1: training never met them
    second: Ints  # (n,) rows of the persons who offer, -1 likewise

    def __len__(self) -> int:
        return int(self.first.size)

    @property
    def known(self) -> Bools:
        """(n,), True where both persons are known, so that the collaborative half can say something."""
        return (self.first >= 0) & (self.second >= 0)

    def take(self, rows: Ints) -> "Inputs":
        """These pairs, in this order."""
        return Inputs(self.numbers[rows], self.tokens[rows], self.first[rows], self.second[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """How pairs become numbers: learned from the training part only, and kept beside the network."""

    mean: Floats  # (f,)
    scale: Floats  # (f,) > 0
    tokens: IdMap  # "column=value", and "" in row 0 for all others
    first: IdMap  # persons, and SELDOM in row 0
    second: IdMap

    @classmethod
    def of(cls, pair_config: PairConfig, pairs: PairTable) -> "Reader":
        """From the pairs that are trained on; a feature unknown in all of them has mean 0."""
        table = _finite(features(pair_config, pairs))
        known = ~np.isnan(table)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, table, 0).sum(axis=0, dtype=np.float64) / count
        spread = np.sqrt(np.where(known, (table - mean) ** 2, 0).sum(axis=0, dtype=np.float64) / count)
        tokens = IdMap.of(
            [
                "",
                *(
                    f"{name}={value}"
                    for name in pair_config.embedding_columns
                    for value in np.unique(pairs.text(name)).tolist()
                    if value
                ),
            ]
        )
        persons = (IdMap.of([SELDOM, *np.unique(pairs.text(name)).tolist()]) for name in ("left_owner", "right_owner"))
        scale = np.where(spread > 1e-6, spread, 1)  # what is the same everywhere tells nothing
        return cls(mean.astype(np.float32), scale.astype(np.float32), tokens, *persons)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> "Reader":
        """As `arrays` gave them."""
        ids = (IdMap(np.asarray(arrays[name])) for name in ("tokens", "first_ids", "second_ids"))
        return cls(np.asarray(arrays["feature_mean"]), np.asarray(arrays["feature_scale"]), *ids)

    def arrays(self) -> dict[str, AnyArray]:
        """As an artifact keeps them."""
        ids = {"tokens": self.tokens.array, "first_ids": self.first.array, "second_ids": self.second.array}
        return {**ids, "feature_mean": self.mean, "feature_scale": self.scale}

    def read(self, pair_config: PairConfig, pairs: PairTable) -> Inputs:
        """The same for training and serving: what is unknown counts as the mean, what is absurd as far away."""
        with np.errstate(over="ignore", invalid="ignore"):  # absurd numbers overflow, and are cut off
            table = (_finite(features(pair_config, pairs)) - self.mean) / self.scale
        numbers = np.clip(np.nan_to_num(table, nan=0, posinf=float(FAR), neginf=-float(FAR)), -FAR, FAR).astype(np.float32)
        tokens = [_rows(self.tokens, pairs.text(name), f"{name}=") for name in pair_config.embedding_columns]
        indices = np.maximum(np.stack(tokens, axis=1), 0) if tokens else np.zeros((pairs.n, 0), dtype=np.int64)
        persons = ((self.first, pairs.text("left_owner")), (self.second, pairs.text("right_owner")))
        first, second = (np.where(column == "", -1, _rows(ids, column)) for ids, column in persons)
        return Inputs(numbers, indices, first, second)


def _finite(table: Floats) -> Floats:
    return np.where(np.isinf(table), np.nan, table)


def _rows(ids: IdMap, column: Texts, before: str = "") -> Ints:
    """(n,) rows of tokens, -1 where unknown; one thing met by all others is looked up once."""
    distinct = column[:1] if column.strides == (0,) else column
    rows = ids.rows_of_bytes(np.char.encode(np.char.add(before, distinct) if before else distinct, "utf-8"))
    return np.broadcast_to(rows, column.shape)


@dataclass(frozen=True, slots=True, eq=False)
class PairScores:
    """What a network says of `n` pairs, each (n,) and 0 to 1."""

    total: Floats  # alpha * collaborative + (1 - alpha) * content
    collaborative: Floats  # NaN where a person is unknown
    content: Floats
    alpha: Floats  # how much the collaborative half counts; 0 where it cannot say


@dataclass(frozen=True, slots=True, eq=False)
class PairNetwork:
    """The hybrid of two halves: who is who to whom, and what the two are like."""

    reader: Reader
    first: Floats  # (m, d)
    second: Floats  # (k, d)
    token_vectors: Floats  # (w, e)
    collaborative: Sequence[tuple[Floats, Floats]]  # weights and bias, a layer after the other
    content: Sequence[tuple[Floats, Floats]]
    alpha: np.float32

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> "PairNetwork":
        """Of arrays whose shapes are checked already."""
        vectors = {name: np.asarray(arrays[name]) for name in ("first_vectors", "second_vectors", "token_vectors", "alpha")}
        layers = {
            half: [(np.asarray(arrays[f"{half}{k}_weights"]), np.asarray(arrays[f"{half}{k}_bias"])) for k in LAYERS]
            for half in ("collaborative", "content")
        }
        return cls(
            Reader.from_arrays(arrays),
            vectors["first_vectors"],
            vectors["second_vectors"],
            vectors["token_vectors"],
            layers["collaborative"],
            layers["content"],
            np.float32(vectors["alpha"][0]),
        )

    def score(self, pair_config: PairConfig, pairs: PairTable) -> PairScores:
        """One forward pass over all pairs; always finite but for the collaborative half of strangers."""
        return self.score_inputs(self.reader.read(pair_config, pairs))

    def score_inputs(self, inputs: Inputs) -> PairScores:
        """As `score`, of pairs that were read already."""
        vectors = self.token_vectors[inputs.tokens].reshape(len(inputs), inputs.tokens.shape[1] * self.token_vectors.shape[1])
        content = _forward(self.content, np.hstack([inputs.numbers, vectors]))
        collaborative = np.full(len(inputs), np.nan, dtype=np.float32)
        known = np.flatnonzero(inputs.known)
        if known.size:
            persons = np.hstack([self.first[inputs.first[known]], self.second[inputs.second[known]]])
            collaborative[known] = _forward(self.collaborative, persons)
        alpha = np.where(inputs.known, self.alpha, np.float32(0))
        total = alpha * np.nan_to_num(collaborative) + (1 - alpha) * content
        return PairScores(total, collaborative, content, alpha)


def _forward(layers: Sequence[tuple[Floats, Floats]], inputs: Floats) -> Floats:
    for weights, bias in layers[:-1]:
        inputs = np.maximum(dense(inputs, weights, bias), 0)
    logits = dense(inputs, *layers[-1])[:, 0]
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)), dtype=np.float32)  # the sigmoid that cannot overflow
