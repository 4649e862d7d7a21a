"""Learn an ensemble's weights on validation users: common weights, weights per segment where they help, and the evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.training.ensemble.search import MemberScores, choose, same_weights
from recommendation_service.training.ensemble.segments import Segment, learn_segments, segment_indices
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import EvaluationUsers
from recommendation_service.training.evaluation.paired_bootstrap import Gain, gain_of


@dataclass(frozen=True, slots=True)
class Measured:
    """Mean NDCG@10 of the validation users, with its 95 % bootstrap interval."""

    ndcg: float
    interval: tuple[float, float]

    @classmethod
    def of(cls, figures: AnyArray) -> "Measured":
        """From (p,) figures."""
        return cls(float(figures.mean()), metrics.bootstrap(figures))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What every ranking reaches on the validation users. The blend was chosen on them, so its figure is too optimistic."""

    members: Mapping[str, Measured]  # each alone
    configured: Measured
    learned: Measured  # as it is served, each segment with its weights
    over_best: Gain  # of the blend over the best member, on the same users
    over_configured: Gain
    in_segments: Mapping[str, "Inside"]  # every segment that has people


@dataclass(frozen=True, slots=True)
class Inside:
    """One segment's best single member, and the gain of the served weights over it."""

    best_member: str
    best: float
    over_best: Gain


@dataclass(frozen=True, slots=True)
class Learned:
    """Common weights by member (their sum is 1), the weights of each segment, the measurements and the outcome."""

    weights: Mapping[str, float]
    segments: tuple[Segment, ...]
    evidence: Evidence
    outcome: str  # of the common weights: blend | configured | best member alone

    @property
    def members(self) -> dict[str, float]:
        """NDCG@10 of each member alone."""
        return {name: member.ndcg for name, member in self.evidence.members.items()}

    @property
    def configured(self) -> float:
        """NDCG@10 of the configured blend."""
        return self.evidence.configured.ndcg

    @property
    def learned(self) -> float:
        """NDCG@10 of what is served."""
        return self.evidence.learned.ndcg

    @property
    def best_member(self) -> str:
        """The strongest member on its own."""
        return max(self.members, key=lambda name: self.members[name])

    @property
    def own_segments(self) -> tuple[Segment, ...]:
        """The segments with weights of their own."""
        return tuple(segment for segment in self.segments if segment.has_own_weights)

    @property
    def weighted_members(self) -> set[str]:
        """The members with a weight above 0 in any segment."""
        every = (self.weights, *(segment.weights for segment in self.own_segments))
        return {name for weights in every for name, weight in weights.items() if weight > 0}

    def summary(self) -> str:
        """The weights above 0 as text, such as "als 0.60, popular 0.40; 0-4: popular 1.00"."""
        return "; ".join(
            [
                _weights_text(self.weights),
                *(f"{segment.name}: {_weights_text(segment.weights)}" for segment in self.own_segments),
            ]
        )


def learn_weights(
    scores: Mapping[str, Floats], configured: Mapping[str, float], panel: EvaluationUsers, candidates: Bools | None = None
) -> Learned:
    """Return the best weights for these members' raw validation scores, never below the best single member.

    With `candidates` (p, n_items), every figure is of lists of these candidates only. On its validation users, a segment's
    own weights are never below its best single member and never below the common weights.
    """
    member_scores = MemberScores.of(scores, panel, candidates)
    weights, _ = choose(member_scores, configured)
    outcome = "blend" if sum(weight > 0 for weight in weights.values()) > 1 else "best member alone"
    if same_weights(weights, configured):
        outcome = "configured"
    counts = panel.material.histories.counts[panel.users]
    segments = learn_segments(member_scores, counts, weights)
    return Learned(weights, segments, _evidence(member_scores, configured, weights, segments, counts), outcome)


def weight_arrays(learned: Learned) -> dict[str, AnyArray]:
    """The arrays of an ensemble artifact. Arrays per segment exist only if a segment has weights of its own."""
    names = list(learned.weights)
    arrays: dict[str, AnyArray] = {
        "members": np.array([name.encode() for name in names], dtype=np.bytes_),
        "weights": _row(learned.weights, names),
    }
    if learned.own_segments:
        arrays["segment_bounds"] = np.array([segment.first for segment in learned.segments], dtype=np.int64)
        arrays["segment_weights"] = np.stack([_row(segment.weights, names) for segment in learned.segments])
    return arrays


def evidence_of(learned: Learned) -> dict[str, Any]:
    """The evidence as plain values for the manifest."""
    evidence = learned.evidence
    return {
        "members_ndcg_at_10": learned.members,
        "members_interval_95": {name: list(member.interval) for name, member in evidence.members.items()},
        "configured_ndcg_at_10": learned.configured,
        "configured_interval_95": list(evidence.configured.interval),
        "learned_ndcg_at_10": learned.learned,
        "learned_interval_95": list(evidence.learned.interval),
        "learned_minus_best_member": _difference(evidence.over_best),
        "learned_minus_configured": _difference(evidence.over_configured),
        "best_member": learned.best_member,
        "outcome": learned.outcome,
        "segments": {
            segment.name: {
                "people": segment.people,
                "own_weights": segment.has_own_weights,
                "held_out_gain_over_common": segment.gain and _difference(segment.gain),
                **_inside_of(evidence.in_segments.get(segment.name)),
            }
            for segment in learned.segments
        },
    }


def _evidence(
    member_scores: MemberScores,
    configured: Mapping[str, float],
    common: Mapping[str, float],
    segments: tuple[Segment, ...],
    counts: Ints,
) -> Evidence:
    alone = {name: member_scores.figures({name: 1.0}) for name in member_scores.parts}
    best = max(alone, key=lambda name: float(alone[name].mean()))
    by_configured, by_learned = member_scores.figures(configured), member_scores.figures(common)
    in_segments = {}
    for index, segment in enumerate(segments):
        people = np.flatnonzero(segment_indices(counts) == index)
        if segment.has_own_weights:
            by_learned[people] = member_scores.only(people).figures(segment.weights)
        if people.size:
            in_segments[segment.name] = _inside(by_learned[people], {name: scores[people] for name, scores in alone.items()})
    members = {name: Measured.of(scores) for name, scores in alone.items()}
    over_best, over_configured = gain_of(by_learned, alone[best]), gain_of(by_learned, by_configured)
    return Evidence(members, Measured.of(by_configured), Measured.of(by_learned), over_best, over_configured, in_segments)


def _inside(learned: AnyArray, alone: Mapping[str, AnyArray]) -> Inside:
    best = max(alone, key=lambda name: float(alone[name].mean()))
    return Inside(best, float(alone[best].mean()), gain_of(learned, alone[best]))


def _inside_of(inside: Inside | None) -> dict[str, Any]:
    if inside is None:
        return {}
    difference = _difference(inside.over_best)
    return {"best_member": inside.best_member, "best_member_ndcg_at_10": inside.best, "learned_minus_best_member": difference}


def _row(weights: Mapping[str, float], names: list[str]) -> Floats:
    return np.array([weights[name] for name in names], dtype=np.float32)


def _difference(gain: Gain) -> dict[str, Any]:
    return {"mean": gain.mean, "interval_95": [gain.low, gain.high], "people": gain.people}


def _weights_text(weights: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {weight:.2f}" for name, weight in weights.items() if weight > 0)
