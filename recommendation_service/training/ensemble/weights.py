"""Learn an ensemble's weights on validation users: common weights, weights per segment of users, and their metrics.

Weights chosen on few users fit their noise and look better on exactly these users. So a segment (users with few or many
interactions) gets weights of its own only if weights chosen on one half of its users do better on the other half.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints, blend
from recommendation_service.training.ensemble.search import MemberScores, choose, same_weights
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import SEGMENTS, EvaluationUsers
from recommendation_service.training.evaluation.metrics import Gain, gain_of

LEAST_PEOPLE = 100  # of a segment; with fewer users the choice would be random
BOUNDS = {name: low for name, (low, _high) in SEGMENTS.items() if name != "all"}  # the first count of each


@dataclass(frozen=True, slots=True)
class Segment:
    """The weights that are served to one segment: its own, or the common ones."""

    name: str
    first: int  # from this count on
    people: int  # of the validation part
    weights: Mapping[str, float]
    has_separate_weights: bool
    gain: Gain | None = None  # of these over the common weights, on users they were not chosen on; None: not tried
    best_member: str = ""  # the best single member; "": the segment has no validation users
    best: float = 0.0  # its NDCG@10
    over_best: Gain | None = None  # of the served weights over the best member


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
class Learned:
    """Common weights by member (their sum is 1), the weights of each segment, and their metrics on the validation users.

    The weights were chosen on these users, so the metrics of `learned` are too optimistic.
    """

    weights: Mapping[str, float]
    outcome: str  # of the common weights: blend | configured | best member alone
    segments: tuple[Segment, ...]
    measured_members: Mapping[str, Measured]  # each alone
    measured_configured: Measured
    measured: Measured  # as served, each segment with its weights
    over_best: Gain  # over the best member, on the same users
    over_configured: Gain

    @property
    def members(self) -> dict[str, float]:
        """NDCG@10 of each member alone."""
        return {name: member.ndcg for name, member in self.measured_members.items()}

    @property
    def best_member(self) -> str:
        """The member with the best NDCG@10 alone."""
        return max(self.members, key=lambda name: self.members[name])

    @property
    def separate_segments(self) -> tuple[Segment, ...]:
        """The segments with weights of their own."""
        return tuple(segment for segment in self.segments if segment.has_separate_weights)

    @property
    def weighted_members(self) -> set[str]:
        """The members with a weight above 0 in any segment."""
        every = (self.weights, *(segment.weights for segment in self.separate_segments))
        return {name for weights in every for name, weight in weights.items() if weight > 0}

    def summary(self) -> str:
        """The weights above 0 as text, such as "als 0.60, popular 0.40; 0-4: popular 1.00"."""
        segments = [f"{segment.name}: {_weights_text(segment.weights)}" for segment in self.separate_segments]
        return "; ".join([_weights_text(self.weights), *segments])


def learn_weights(
    scores: Mapping[str, Floats],
    configured: Mapping[str, float],
    panel: EvaluationUsers,
    candidates: Bools | None = None,
    ranks: Mapping[str, int] | None = None,
) -> Learned:
    """Return the best weights for these members' raw validation scores, never below the best single member.

    Of members that say the same, the one with the lowest cost in `ranks` is used.
    With `candidates` (p, n_items), all metrics are of lists of these candidates only. On its validation users, a segment's
    own weights are never below its best single member and never below the common weights.
    """
    member_scores = MemberScores.of(scores, panel, candidates)
    weights, _ = choose(member_scores, configured, ranks)
    outcome = "blend" if sum(weight > 0 for weight in weights.values()) > 1 else "best member alone"
    if same_weights(weights, configured):
        outcome = "configured"
    counts = panel.material.histories.counts[panel.users]
    alone = {name: member_scores.figures({name: 1.0}) for name in member_scores.parts}
    by_configured, by_learned = member_scores.figures(configured), member_scores.figures(weights)
    segments = []
    for index, segment in enumerate(learn_segments(member_scores, counts, weights, ranks)):
        people = np.flatnonzero(segment_indices(counts) == index)
        if segment.has_separate_weights:
            by_learned[people] = member_scores.only(people).figures(segment.weights)
        if people.size:
            best, figures = _best({name: member[people] for name, member in alone.items()})
            gain = gain_of(by_learned[people], figures)
            segment = replace(segment, best_member=best, best=float(figures.mean()), over_best=gain)
        segments.append(segment)
    return Learned(
        weights,
        outcome,
        tuple(segments),
        {name: Measured.of(figures) for name, figures in alone.items()},
        Measured.of(by_configured),
        Measured.of(by_learned),
        gain_of(by_learned, _best(alone)[1]),
        gain_of(by_learned, by_configured),
    )


def _best(figures: Mapping[str, AnyArray]) -> tuple[str, AnyArray]:
    """The member with the best mean, and its (p,) figures."""
    best = max(figures, key=lambda name: float(figures[name].mean()))
    return best, figures[best]


def learn_segments(
    member_scores: MemberScores,
    counts: Ints,
    common: Mapping[str, float],
    ranks: Mapping[str, int] | None = None,
    *,
    seed: int = 0,
) -> tuple[Segment, ...]:
    """Every segment with its weights. `counts` (p,) are the interactions that routing counts; `seed` draws the halves."""
    segment_of = segment_indices(counts)
    segments = []
    for index, (name, first) in enumerate(BOUNDS.items()):
        people = np.flatnonzero(segment_of == index)
        segment = Segment(name, first, people.size, common, has_separate_weights=False)
        if LEAST_PEOPLE <= people.size < counts.size:  # a segment of all users would choose the common weights again
            segment = _with_separate_weights(segment, member_scores.only(people), ranks, seed)
        segments.append(segment)
    return tuple(segments)


def segment_indices(counts: Ints) -> Ints:
    """(p,) index of each user's segment."""
    return np.searchsorted(list(BOUNDS.values()), counts, side="right") - 1


def served(parts: Mapping[str, Floats], segments: tuple[Segment, ...], counts: Ints) -> Floats:
    """(p, n_items) scores that the engine serves: each user's blend with the weights of their segment."""
    segment_of, scores = segment_indices(counts), np.full_like(next(iter(parts.values())), np.nan)
    for index, segment in enumerate(segments):
        people = np.flatnonzero(segment_of == index)
        if people.size:
            members = [parts[name][people] for name in segment.weights]
            scores[people] = blend(members, list(segment.weights.values()))
    return scores


def _with_separate_weights(
    segment: Segment, member_scores: MemberScores, ranks: Mapping[str, int] | None, seed: int
) -> Segment:
    gain = _cross_fitted(member_scores, segment.weights, ranks, seed)
    if not gain.sure:
        return replace(segment, gain=gain)
    weights, _ = choose(member_scores, segment.weights, ranks)
    return replace(segment, gain=gain, weights=weights, has_separate_weights=not same_weights(weights, segment.weights))


def _cross_fitted(member_scores: MemberScores, common: Mapping[str, float], ranks: Mapping[str, int] | None, seed: int) -> Gain:
    """Gain of weights chosen on one half of the users and measured on the other; the common weights have seen both."""
    people = member_scores.relevant.shape[0]
    halves = np.array_split(np.random.default_rng(seed).permutation(people), 2)
    figures = np.zeros(people)
    for chosen_on, measured_on in (halves, halves[::-1]):
        weights, _ = choose(member_scores.only(chosen_on), common, ranks)
        figures[measured_on] = member_scores.only(measured_on).figures(weights)
    return gain_of(figures, member_scores.figures(common))


def weight_arrays(learned: Learned) -> dict[str, AnyArray]:
    """The arrays of an ensemble artifact. Arrays per segment exist only if a segment has weights of its own."""
    names = list(learned.weights)
    arrays: dict[str, AnyArray] = {
        "members": np.array([name.encode() for name in names], dtype=np.bytes_),
        "weights": _row(learned.weights, names),
    }
    if learned.separate_segments:
        arrays["segment_bounds"] = np.array([segment.first for segment in learned.segments], dtype=np.int64)
        arrays["segment_weights"] = np.stack([_row(segment.weights, names) for segment in learned.segments])
    return arrays


def evidence_of(learned: Learned) -> dict[str, Any]:
    """The metrics as plain values for the manifest."""
    return {
        "members_ndcg_at_10": learned.members,
        "members_interval_95": {name: list(member.interval) for name, member in learned.measured_members.items()},
        "configured_ndcg_at_10": learned.measured_configured.ndcg,
        "configured_interval_95": list(learned.measured_configured.interval),
        "learned_ndcg_at_10": learned.measured.ndcg,
        "learned_interval_95": list(learned.measured.interval),
        "learned_minus_best_member": _difference(learned.over_best),
        "learned_minus_configured": _difference(learned.over_configured),
        "best_member": learned.best_member,
        "outcome": learned.outcome,
        "segments": {segment.name: _segment_evidence(segment) for segment in learned.segments},
    }


def _segment_evidence(segment: Segment) -> dict[str, Any]:
    values: dict[str, Any] = {
        "people": segment.people,
        "own_weights": segment.has_separate_weights,
        "held_out_gain_over_common": segment.gain and _difference(segment.gain),
    }
    if segment.over_best is not None:
        values |= {"best_member": segment.best_member, "best_member_ndcg_at_10": segment.best}
        values["learned_minus_best_member"] = _difference(segment.over_best)
    return values


def _row(weights: Mapping[str, float], names: list[str]) -> Floats:
    return np.array([weights[name] for name in names], dtype=np.float32)


def _difference(gain: Gain) -> dict[str, Any]:
    return {"mean": gain.mean, "interval_95": [gain.low, gain.high], "people": gain.people}


def _weights_text(weights: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {weight:.2f}" for name, weight in weights.items() if weight > 0)
