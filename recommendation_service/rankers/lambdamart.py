"""The ranker learned from recorded lists: LambdaMART (Burges, 2010), boosted regression trees evaluated with numpy.

Serving does not need LightGBM. An item goes to the left child of a node if its value is at most the threshold, else to the
right one; an unknown value goes to the side that training chose. A leaf is its own left and right child, so that further
steps change nothing. Children come after their parents.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.features import Features, unknown_names
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.store import Artifact
from recommendation_service.rankers.base import Ranker
from recommendation_service.settings import Settings

ARRAYS = ("tree_roots", "node_feature", "node_threshold", "node_left", "node_right", "node_unknown_left", "node_value")


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """All trees in one numbering of nodes."""

    roots: Ints  # (t,)
    feature: Ints  # (v,) column of each node
    threshold: AnyArray  # (v,) float64
    left: Ints  # (v,)
    right: Ints  # (v,)
    unknown_left: Bools  # (v,) where NaN goes
    value: AnyArray  # (v,) float64, value of a leaf
    depth: int  # steps from a root to its farthest leaf

    @classmethod
    def of(cls, arrays: Mapping[str, AnyArray], *, columns: int, where: str) -> "Forest":
        """Return the trees of an artifact with `columns` inputs. Raises ArtifactRefused if a node points outside of them."""
        roots, feature, left, right = (
            arrays[name].astype(np.int64) for name in ("tree_roots", "node_feature", "node_left", "node_right")
        )
        nodes = np.arange(feature.size)
        children = np.stack([left, right])
        inside = bool(((children >= nodes) & (children < nodes.size)).all()) and bool(
            ((roots >= 0) & (roots < nodes.size)).all()
        )
        if not inside or bool(((left == nodes) != (right == nodes)).any()):
            raise ArtifactRefused(f"{where}: its trees have nodes without a path to a leaf; train it again")
        if feature.min() < 0 or feature.max() >= columns:
            raise ArtifactRefused(f"{where}: its trees read column {feature.max()} of {columns}; train it again")
        return cls(
            roots,
            feature,
            arrays["node_threshold"].astype(np.float64),
            left,
            right,
            arrays["node_unknown_left"].astype(np.bool_),
            arrays["node_value"].astype(np.float64),
            _depth(roots, left, right),
        )

    def predict(self, rows: Floats) -> AnyArray:
        """Return (k,) float64, the sums of the leaves of (k, columns) rows."""
        at = np.repeat(self.roots[:, None], rows.shape[0], axis=1)
        item = np.arange(rows.shape[0])
        for _ in range(self.depth):
            values = rows[item, self.feature[at]]
            leftwards = np.where(np.isnan(values), self.unknown_left[at], values <= self.threshold[at])
            at = np.where(leftwards, self.left[at], self.right[at])
        return np.asarray(self.value[at].sum(axis=0))


def _depth(roots: Ints, left: Ints, right: Ints) -> int:
    steps, level = 0, np.unique(roots)
    while (inner := level[left[level] != level]).size:
        level = np.unique(np.concatenate([left[inner], right[inner]]))
        steps += 1
    return steps


class Learned(Ranker):
    """Scores each candidate with the sum of the trees; comparable within one request only."""

    label: ClassVar[str] = "the learned ranker"

    def __init__(self, name: str, version: str, forest: Forest, features: Features) -> None:
        """`features` are those of the served catalogue, in the order of training."""
        super().__init__(name, version)
        self._forest = forest
        self._features = features

    def scores(self, query: Query, candidates: Candidates, *, budget_s: float) -> Floats | None:
        """Return (k,) float32; twenty candidates take less than two milliseconds, so the budget is not checked."""
        return self._forest.predict(self._features.of(query, candidates)).astype(np.float32)


def from_artifact(name: str, artifact: Artifact | None, catalogue: Catalogue, _settings: Settings) -> Learned | None:
    """Return the published ranker, or None if there is none. Raises ArtifactRefused for invalid trees."""
    if artifact is None:
        return None
    names = [name.decode() for name in artifact.arrays["features"].tolist()]
    unknown = unknown_names(names)
    if unknown:
        raise ArtifactRefused(
            f"{artifact.version}: needs the feature '{unknown[0]}', which this version does not have; train it again"
        )
    forest = Forest.of(artifact.arrays, columns=len(names), where=artifact.version)
    return Learned(name, artifact.version, forest, Features(catalogue, names))
