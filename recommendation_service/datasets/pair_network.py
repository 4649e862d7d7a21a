"""The forward pass of a trained pair network in numpy: its inputs, and the scores of its two halves.

Training evaluates a model with the same code that serves it. All functions are pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints, dense, mean_and_scale
from recommendation_service.datasets.pair_features import PairTable, features, rows_of, token_rows, tokens_of
from recommendation_service.domain.idmap import IdMap
from recommendation_service.use_cases.schema import PairConfig

FAR = np.float32(10)  # standard deviations from the mean; inputs are clipped there, since a larger one is a typing error
LAYERS = (1, 2, 3)
SELDOM = ""  # the id of all persons with too few pairs for a vector of their own


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """The inputs of both halves for `n` pairs."""

    numbers: Floats  # (n, f) features in standard deviations from their mean, 0 where unknown
    tokens: Ints  # (n, c) rows in the table of tokens, 0: not in the training data
    first: Ints  # (n,) rows of the left persons, -1: not in the training data
    second: Ints  # (n,) rows of the right persons, -1 likewise

    def __len__(self) -> int:
        return int(self.first.size)

    @property
    def known(self) -> Bools:
        """(n,), True where both persons are known, so that the collaborative half has a score."""
        return (self.first >= 0) & (self.second >= 0)

    def take(self, rows: Ints) -> "Inputs":
        """The pairs of these rows, in this order."""
        return Inputs(self.numbers[rows], self.tokens[rows], self.first[rows], self.second[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """Turns pairs into inputs. Fitted on the training part only and published with the network."""

    mean: Floats  # (f,)
    scale: Floats  # (f,) > 0
    tokens: IdMap  # "column=value", and "" in row 0 for all others
    first: IdMap  # persons, and SELDOM in row 0
    second: IdMap

    @classmethod
    def of(cls, pair_config: PairConfig, pairs: PairTable) -> "Reader":
        """Fit on the training pairs; a feature that is unknown in all of them has mean 0."""
        table = _finite(features(pair_config, pairs))
        tokens = IdMap.of({"", *tokens_of(pairs.texts(pair_config.embedding_columns))})
        persons = (IdMap.of([SELDOM, *np.unique(pairs.text(name)).tolist()]) for name in ("left_owner", "right_owner"))
        return cls(*mean_and_scale(table), tokens, *persons)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> "Reader":
        """Load what `arrays` returned."""
        ids = (IdMap(np.asarray(arrays[name])) for name in ("tokens", "first_ids", "second_ids"))
        return cls(np.asarray(arrays["feature_mean"]), np.asarray(arrays["feature_scale"]), *ids)

    def arrays(self) -> dict[str, AnyArray]:
        """The arrays of an artifact."""
        ids = {"tokens": self.tokens.array, "first_ids": self.first.array, "second_ids": self.second.array}
        return {**ids, "feature_mean": self.mean, "feature_scale": self.scale}

    def read(self, pair_config: PairConfig, pairs: PairTable) -> Inputs:
        """Compute the inputs; unknown numbers count as the mean, and numbers beyond FAR as FAR."""
        with np.errstate(over="ignore", invalid="ignore"):  # numbers that overflow are clipped
            table = (_finite(features(pair_config, pairs)) - self.mean) / self.scale
        numbers = np.clip(np.nan_to_num(table, nan=0, posinf=float(FAR), neginf=-float(FAR)), -FAR, FAR).astype(np.float32)
        tokens = np.maximum(token_rows(pairs.texts(pair_config.embedding_columns), self.tokens, pairs.n), 0)
        persons = ((self.first, pairs.text("left_owner")), (self.second, pairs.text("right_owner")))
        first, second = (np.where(column == "", -1, rows_of(column, ids)) for ids, column in persons)
        return Inputs(numbers, tokens, first, second)


def _finite(table: Floats) -> Floats:
    return np.where(np.isinf(table), np.nan, table)


@dataclass(frozen=True, slots=True, eq=False)
class PairScores:
    """The scores of `n` pairs, each (n,) and 0 to 1."""

    total: Floats  # alpha * collaborative + (1 - alpha) * content
    collaborative: Floats  # NaN where a person is unknown
    content: Floats
    alpha: Floats  # weight of the collaborative half; 0 where it has no score


@dataclass(frozen=True, slots=True, eq=False)
class PairNetwork:
    """A hybrid of a collaborative half, about the two persons, and a content half, about their columns."""

    reader: Reader
    first: Floats  # (m, d)
    second: Floats  # (k, d)
    token_vectors: Floats  # (w, e)
    collaborative: Sequence[tuple[Floats, Floats]]  # weights and bias of each layer
    content: Sequence[tuple[Floats, Floats]]
    alpha: np.float32

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> "PairNetwork":
        """Load arrays whose shapes `array_schemas` has checked."""
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
        """Score all pairs in one forward pass; finite, except that the collaborative score of unknown persons is NaN."""
        return self.score_inputs(self.reader.read(pair_config, pairs))

    def score_inputs(self, inputs: Inputs) -> PairScores:
        """As `score`, for inputs from `Reader.read`."""
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
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)), dtype=np.float32)  # a sigmoid that cannot overflow
