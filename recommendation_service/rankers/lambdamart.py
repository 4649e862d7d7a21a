"""The ranker that learned from recorded lists what is clicked: LambdaMART trees (Burges, 2010) over shared features."""

from typing import ClassVar

import numpy as np

from recommendation_service.core.numeric import Floats
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.features import Features, unknown_names
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.store import Artifact
from recommendation_service.rankers.base import Ranker
from recommendation_service.rankers.trees import Forest
from recommendation_service.settings import Settings


class Learned(Ranker):
    """Says for each candidate what its trees add up to; comparable within one request only."""

    label: ClassVar[str] = "the learned ranker"

    def __init__(self, name: str, version: str, forest: Forest, features: Features) -> None:
        """`features` are of the catalogue that is served, in the order that the trees were trained with."""
        super().__init__(name, version)
        self._forest = forest
        self._features = features

    def scores(self, query: Query, found: Candidates, *, budget_s: float) -> Floats | None:
        """(k,) float32; takes well under two milliseconds for twenty candidates, so the budget is never short."""
        return self._forest.predict(self._features.of(query, found)).astype(np.float32)


def from_artifact(name: str, artifact: Artifact | None, catalogue: Catalogue, _settings: Settings) -> Learned | None:
    """The published ranker, or None before there is one. Raises ArtifactRefused for trees that cannot be walked."""
    if artifact is None:
        return None
    names = [one.decode() for one in artifact.arrays["features"].tolist()]
    strangers = unknown_names(names)
    if strangers:
        raise ArtifactRefused(f"{artifact.version}: asks for the feature '{strangers[0]}', unknown here; train it again")
    forest = Forest.of(artifact.arrays, columns=len(names), place=artifact.version)
    return Learned(name, artifact.version, forest, Features(catalogue, names))
