"""How much each member of an ensemble counts, and for whom: stated in the file, or learned and read from an artifact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import AnyArray
from recommendation_service.domain.query import Query
from recommendation_service.engines.alignment import array
from recommendation_service.errors import ArtifactRefused, ConfigurationError
from recommendation_service.publishing.store import Artifact

BY_SEGMENT = ("segment_weights", "segment_bounds")  # optional: an artifact without them weighs alike for everybody


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of every member, >= 0 and summing to 1: common ones, and where segments differ those of each segment."""

    common: Mapping[str, float]
    bounds: tuple[int, ...] = ()  # the first count of each segment, ascending from 0
    segments: tuple[Mapping[str, float], ...] = ()  # as many

    def of(self, query: Query) -> Mapping[str, float]:
        """The weights this query is answered by: its person's segment's, by counted interactions.

        A request about items was not what segments were measured on, so the common weights answer it.
        """
        if not self.segments or query.subject.size:
            return self.common
        return self.segments[int(np.searchsorted(self.bounds, query.history.count, side="right")) - 1]

    def heard(self) -> set[str]:
        """The members that weigh something for somebody."""
        return {name for one in (self.common, *self.segments) for name, weight in one.items() if weight > 0}


def stated_weights(name: str, members: Mapping[str, float]) -> Weights:
    """The file's weights, scaled to sum to 1. Raises ConfigurationError for weights that say nothing."""
    if not members or min(members.values()) < 0 or sum(members.values()) <= 0:
        raise ConfigurationError(f"{name}: members need weights of 0 or more, at least one above 0, not {dict(members)}")
    total = sum(members.values())
    return Weights({member: weight / total for member, weight in members.items()})


def learned_weights(artifact: Artifact, allowed: set[str]) -> Weights:
    """What an artifact of kind "ensemble" says. Raises ArtifactRefused for strangers and for numbers that cannot blend."""
    names = [name.decode() for name in array(artifact, "members", (None,), kinds="S").tolist()]
    weights = array(artifact, "weights", (len(names),))
    strangers = sorted(set(names) - allowed)
    if strangers or len(set(names)) != len(names):
        raise ArtifactRefused(
            f"{artifact.version}: weighs {', '.join(names)}; this ensemble may use {', '.join(sorted(allowed))}"
        )
    common = _shares(artifact, names, weights)
    if not any(name in artifact.arrays for name in BY_SEGMENT):
        return Weights(common)
    bounds = array(artifact, "segment_bounds", (None,), kinds="iu")
    rows = array(artifact, "segment_weights", (bounds.size, len(names)))
    if not bounds.size or bounds[0] != 0 or (np.diff(bounds.astype(np.int64)) <= 0).any():
        raise ArtifactRefused(f"{artifact.version}: segment_bounds {bounds.tolist()} must ascend from 0; train it again")
    return Weights(common, tuple(bounds.tolist()), tuple(_shares(artifact, names, row) for row in rows))


def _shares(artifact: Artifact, names: Sequence[str], weights: AnyArray) -> dict[str, float]:
    """By member, scaled to sum to 1."""
    if not weights.size or not np.isfinite(weights).all() or weights.min() < 0 or weights.sum() <= 0:
        raise ArtifactRefused(f"{artifact.version}: weights {weights.tolist()} cannot blend; train it again")
    return {name: float(weight / weights.sum()) for name, weight in zip(names, weights, strict=True)}
