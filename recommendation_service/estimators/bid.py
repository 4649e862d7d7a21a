"""Suggested bids: the network of `training/pairs`, in numpy."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from recommendation_service.core.numeric import AnyArray, Floats, dense, standardised
from recommendation_service.datasets.pair_features import PairTable, features, join_pairs, token_rows
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.side import PairSide
from recommendation_service.errors import ArtifactRefused
from recommendation_service.estimators.base import Estimator
from recommendation_service.publishing.store import Artifact
from recommendation_service.use_cases.schema import Feature, PairConfig

FURTHEST = 6.0  # largest logarithm of a rate per unit; e^6 is about 400, more than anyone pays
LARGEST = 1e9  # amounts above this are not bids


class Bid(Estimator):
    """Minimum, optimal and maximum bid of a pair."""

    def __init__(self, name: str, artifact: Artifact, *, pair_config: PairConfig) -> None:
        """Read a model of kind "bid". Raises ArtifactRefused if its manifest and its arrays do not fit together."""
        arrays, parameters = artifact.arrays, artifact.manifest.parameters
        known = _features(parameters, artifact.version)
        size = 2 * len(known) + len(pair_config.embedding_columns) * arrays["attribute_vectors"].shape[1]
        wrong = (
            [feature.name.encode() for feature in known] != arrays["features"].tolist()
            or arrays["layer1_weights"].shape[0] != size
            or arrays["out_bias"].shape != (3,)
            or arrays["reaches"].shape != (2,)
            or arrays["reference"].shape != (1,)
            or bool((arrays["scales"] <= 0).any())
            or bool((arrays["reaches"] < 0).any())
        )
        if wrong:
            raise ArtifactRefused(f"{artifact.version}: its arrays do not fit the features it names; train it again")
        super().__init__(name, artifact.version)
        self._per = str(parameters["per"])  # amounts are proportional to this column, such as hours
        self.needs = (self._per,)
        self._pair_config, self._features, self._arrays = pair_config, known, arrays

    def estimate(self, first: PairSide, second: PairSide) -> AnyArray:
        """Return (n, 3) float64; NaN rows if the units, such as hours, are unknown or not above 0."""
        pairs = join_pairs(self._pair_config, first, second)
        units = pairs.number(self._per).astype(np.float64)
        amounts = np.exp(np.clip(self.rates(pairs), -FURTHEST, FURTHEST)) * units[:, None]
        usable = (units > 0) & (amounts < LARGEST).all(axis=1)
        return np.where(usable[:, None], amounts, np.nan)

    def rates(self, pairs: PairTable) -> AnyArray:
        """Return (n, 3) float64, the logarithms of minimum, optimal and maximum per unit, ascending for any weights."""
        arrays = self._arrays
        table = standardised(features(self._pair_config, pairs, self._features), arrays["centers"], arrays["scales"])
        inputs = np.concatenate([table, self._embedded(pairs)], axis=1).astype(np.float64)
        hidden = _layer(inputs, arrays["layer1_weights"], arrays["layer1_bias"])
        output = dense(
            _layer(hidden, arrays["layer2_weights"], arrays["layer2_bias"]), arrays["out_weights"], arrays["out_bias"]
        )
        low, to_middle, to_high = (output + inputs @ arrays["straight_weights"]).astype(np.float64).T
        down, up = softplus(to_middle), softplus(to_high)
        middle = low + down + np.float64(arrays["reference"][0])
        return np.stack([middle - down * arrays["reaches"][0], middle, middle + up * arrays["reaches"][1]], axis=1)

    def _embedded(self, pairs: PairTable) -> Floats:
        vectors = self._arrays["attribute_vectors"]
        tokens = IdMap(np.asarray(self._arrays["attributes"]))
        rows = token_rows(pairs.texts(self._pair_config.embedding_columns), tokens, pairs.n)
        parsed = np.where((rows >= 0)[..., None], vectors[np.maximum(rows, 0)], np.float32(0))
        return parsed.reshape(pairs.n, -1)


def softplus(steps: AnyArray) -> AnyArray:
    """Return log(1 + e^x), which is always above 0."""
    return np.asarray(np.logaddexp(0, steps))


def _layer(inputs: AnyArray, weights: Floats, bias: Floats) -> AnyArray:
    return np.asarray(np.maximum(inputs @ weights + bias, 0))


def _features(parameters: Mapping[str, Any], version: str) -> tuple[Feature, ...]:
    try:
        parsed = tuple(Feature.model_validate(row) for row in parameters["features"])
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactRefused(f"{version}: its manifest lacks the features that it reads; train it again") from error
    if not parsed or not isinstance(parameters.get("per"), str):
        raise ArtifactRefused(f"{version}: its manifest lacks the features or the column `per`; train it again")
    return parsed
