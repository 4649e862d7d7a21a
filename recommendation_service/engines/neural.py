"""The hybrid network of pairs: who is who to whom, what the two are like, and a learned weight between. Pure numpy."""

from typing import Any, ClassVar

import numpy as np

from recommendation_service.core.numeric import Floats
from recommendation_service.datasets.pair_features import PairTable
from recommendation_service.datasets.pair_network import PairNetwork, PairScores
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates
from recommendation_service.engines.base import Engine
from recommendation_service.engines.pair_base import pairs_of
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing import array_schemas
from recommendation_service.publishing.store import Artifact
from recommendation_service.use_cases.schema import PairConfig

FULL = np.float32(100)
AGAIN = "train it again"


class Neural(Engine):
    """Scores a thing that is asked about together with everything it may meet, 0 to 100; passes without a context.

    Where a person is new, the content half decides alone: a random vector would be worse than none.
    """

    label: ClassVar[str] = "Neural"
    reads_offers: ClassVar[bool] = True

    def __init__(self, name: str, version: str, pair_config: PairConfig, network: PairNetwork) -> None:
        """`network` reads what `pair_config` tells of a pair."""
        super().__init__(name, version)
        self._pair_config, self._network = pair_config, network

    @classmethod
    def from_artifact(cls, name: str, artifact: Artifact, catalogue: Catalogue, *, pair_config: PairConfig) -> "Neural":
        """The engine of one published model of kind "neural", for either catalogue of the pairs.

        Raises ArtifactRefused naming what does not fit, above all when the use-case file tells other features by now.
        """
        array_schemas.check("neural", artifact.arrays, place=artifact.version)
        _check_features(artifact, pair_config)
        network = PairNetwork.from_arrays(artifact.arrays)
        _check_numbers(artifact, network, pair_config)
        return cls(name, artifact.version, pair_config, network)

    def score_pairs(self, pairs: PairTable) -> PairScores:
        """(n,) scores of pairs, 0 to 100, and what each half says; `alpha` stays 0 to 1."""
        found = self._network.score(self._pair_config, pairs)
        return PairScores(found.total * FULL, found.collaborative * FULL, found.content * FULL, found.alpha)

    def scores(self, query: Query) -> Floats | None:
        """As `score_pairs`, by catalogue row; None where there is nothing to pair."""
        pairs = pairs_of(query, self._pair_config)
        return None if pairs is None else self.score_pairs(pairs).total

    def recommend(self, query: Query, limit: int) -> Candidates | None:
        """The best eligible rows, with both halves and the weight between them as parts."""
        pairs = pairs_of(query, self._pair_config)
        if pairs is None:
            return None
        found = self.score_pairs(pairs)
        rows = self.proposed(found.total, query, limit)
        parts = {
            self.name: found.total[rows],
            "collaborative": found.collaborative[rows],
            "content": found.content[rows],
            "alpha": found.alpha[rows],
        }
        return Candidates(rows, found.total[rows], parts) if rows.size else None


def _check_features(artifact: Artifact, pair_config: PairConfig) -> None:
    """What the file tells of a pair now is what the model was trained on, numbers and words, in this order."""
    told = artifact.manifest.parameters
    features: list[Any] = [one.model_dump() for one in pair_config.features]
    wanted = {"features": features, "embedding_columns": list(pair_config.embedding_columns)}
    for what, now in wanted.items():
        then = list(told.get(what) or ())
        if then != now:
            stranger = next((one for one in then if one not in now), None) or next((one for one in now if one not in then), "")
            word = stranger.get("name") if isinstance(stranger, dict) else stranger
            raise ArtifactRefused(
                f"{artifact.version}: the use-case file tells other {what} than it was trained on"
                f" ({f'see {word!r}' if word else 'in another order'}); {AGAIN}"
            )
    names = tuple(one.decode() for one in artifact.arrays["feature_names"].tolist())
    if names != tuple(one.name for one in pair_config.features):
        raise ArtifactRefused(f"{artifact.version}: feature_names are {', '.join(names)}, which its manifest denies; {AGAIN}")


def _check_numbers(artifact: Artifact, network: PairNetwork, pair_config: PairConfig) -> None:
    arrays = artifact.arrays
    width = len(pair_config.features) + len(pair_config.embedding_columns) * network.words.shape[1]
    found = int(arrays["content1_weights"].shape[0])
    if found != width:
        raise ArtifactRefused(f"{artifact.version}: content1_weights read {found} numbers, [pairs] has {width}; {AGAIN}")
    if not 0 <= network.alpha <= 1:
        raise ArtifactRefused(f"{artifact.version}: alpha is {network.alpha}, not 0 to 1; {AGAIN}")
    if not (network.reader.scale > 0).all():
        raise ArtifactRefused(f"{artifact.version}: feature_scale must be above 0; {AGAIN}")
    for name in ("words", "first_ids", "second_ids"):
        if arrays[name][0] != b"":
            raise ArtifactRefused(f"{artifact.version}: {name} lacks the row of those it does not know; {AGAIN}")
    if not all(np.isfinite(array).all() for array in arrays.values() if array.dtype.kind == "f"):
        raise ArtifactRefused(f"{artifact.version}: holds NaN or infinity; {AGAIN}")
