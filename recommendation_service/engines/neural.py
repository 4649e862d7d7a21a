"""The hybrid network of pairs: a collaborative half, a content half, and a learned weight between them. Pure numpy."""

from typing import Any, ClassVar

import numpy as np

from recommendation_service.core.numeric import Floats
from recommendation_service.datasets.pair_features import PairTable
from recommendation_service.datasets.pair_network import PairNetwork, PairScores
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates, Retrieved
from recommendation_service.engines.base import Engine
from recommendation_service.engines.rule_based import pairs_of
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing import array_schemas
from recommendation_service.publishing.store import Artifact
from recommendation_service.use_cases.schema import PairConfig

FULL = np.float32(100)
AGAIN = "train it again"


class Neural(Engine):
    """Scores the context of a query with every row, 0 to 100; no prediction without a context.

    For a new person the content half decides alone: a random vector would be worse than none.
    """

    label: ClassVar[str] = "Neural"
    reads_offers: ClassVar[bool] = True

    def __init__(self, name: str, artifact: Artifact, _catalogue: Catalogue, *, pair_config: PairConfig) -> None:
        """Read a model of kind "neural", for either catalogue of the pairs.

        Raises ArtifactRefused, which names what does not fit, such as features that changed in the use-case file.
        """
        super().__init__(name, artifact.version)
        array_schemas.check("neural", artifact.arrays, where=artifact.version)
        _check_features(artifact, pair_config)
        self._pair_config, self._network = pair_config, PairNetwork.from_arrays(artifact.arrays)
        _check_numbers(artifact, self._network, pair_config)

    def score_pairs(self, pairs: PairTable) -> PairScores:
        """Return (n,) scores of pairs, 0 to 100, and the score of each half; `alpha` stays 0 to 1."""
        scored = self._network.score(self._pair_config, pairs)
        return PairScores(scored.total * FULL, scored.collaborative * FULL, scored.content * FULL, scored.alpha)

    def scores(self, query: Query) -> Floats | None:
        """Return the scores of `score_pairs` by catalogue row; None without pairs."""
        pairs = pairs_of(query, self._pair_config)
        return None if pairs is None else self.score_pairs(pairs).total

    def retrieve(self, query: Query, limit: int) -> Retrieved | None:
        """Return the best eligible rows, with both halves and the weight between them as parts."""
        pairs = pairs_of(query, self._pair_config)
        if pairs is None:
            return None
        scored = self.score_pairs(pairs)
        rows = self.best_rows(scored.total, query, limit)
        parts = {
            self.name: scored.total[rows],
            "collaborative": scored.collaborative[rows],
            "content": scored.content[rows],
            "alpha": scored.alpha[rows],
        }
        return Retrieved(Candidates(rows, scored.total[rows], parts))


def _check_features(artifact: Artifact, pair_config: PairConfig) -> None:
    """Raise ArtifactRefused unless the file's features are those that the model was trained on, in the same order."""
    parameters = artifact.manifest.parameters
    features: list[Any] = [feature.model_dump() for feature in pair_config.features]
    configured = {"features": features, "embedding_columns": list(pair_config.embedding_columns)}
    for key, current in configured.items():
        trained = list(parameters.get(key) or ())
        if trained != current:
            changed = [value for value in trained if value not in current] or [
                value for value in current if value not in trained
            ]
            first = changed[0] if changed else ""
            name = first.get("name") if isinstance(first, dict) else first
            raise ArtifactRefused(
                f"{artifact.version}: the use-case file has other {key} than the model was trained on"
                f" ({f'see {name!r}' if name else 'in another order'}); {AGAIN}"
            )
    names = tuple(name.decode() for name in artifact.arrays["feature_names"].tolist())
    if names != tuple(feature.name for feature in pair_config.features):
        raise ArtifactRefused(f"{artifact.version}: feature_names are {', '.join(names)}, and its manifest has others; {AGAIN}")


def _check_numbers(artifact: Artifact, network: PairNetwork, pair_config: PairConfig) -> None:
    arrays = artifact.arrays
    width = len(pair_config.features) + len(pair_config.embedding_columns) * network.token_vectors.shape[1]
    inputs = int(arrays["content1_weights"].shape[0])
    if inputs != width:
        raise ArtifactRefused(f"{artifact.version}: content1_weights read {inputs} numbers, [pairs] has {width}; {AGAIN}")
    if not 0 <= network.alpha <= 1:
        raise ArtifactRefused(f"{artifact.version}: alpha is {network.alpha}, not 0 to 1; {AGAIN}")
    if not (network.reader.scale > 0).all():
        raise ArtifactRefused(f"{artifact.version}: feature_scale must be above 0; {AGAIN}")
    for name in ("tokens", "first_ids", "second_ids"):
        if arrays[name][0] != b"":
            raise ArtifactRefused(f"{artifact.version}: {name} lacks the first row, which is for unknown values; {AGAIN}")
    if not all(np.isfinite(array).all() for array in arrays.values() if array.dtype.kind == "f"):
        raise ArtifactRefused(f"{artifact.version}: contains NaN or infinity; {AGAIN}")
