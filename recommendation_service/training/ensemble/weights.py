"""Learns an ensemble's weights on validation people: common ones, own ones for segments that want them, and the evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.training.ensemble.search import Voices, alike, choose
from recommendation_service.training.ensemble.segments import Segment, learn_segments, segment_places
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import Panel
from recommendation_service.training.evaluation.paired_bootstrap import Gain, gain_of


@dataclass(frozen=True, slots=True)
class Measured:
    """Mean NDCG@10 of the validation people, and the 95 % interval that drawing people again gives."""

    ndcg: float
    interval: tuple[float, float]

    @classmethod
    def of(cls, figures: AnyArray) -> "Measured":
        """From (p,) figures."""
        return cls(float(figures.mean()), metrics.bootstrap(figures))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What every way to rank the validation people reached. The blend was chosen on them, so it is flattered here."""

    members: Mapping[str, Measured]  # each alone
    stated: Measured
    learned: Measured  # as it serves, every segment by its weights
    over_best: Gain  # of the blend over the best member, the same people both times
    over_stated: Gain
    in_segments: Mapping[str, "Inside"]  # every segment that has people


@dataclass(frozen=True, slots=True)
class Inside:
    """One segment's best member alone, and what serves the segment over it."""

    best_member: str
    best: float
    over_best: Gain


@dataclass(frozen=True, slots=True)
class Learned:
    """Common weights by member (they sum to 1), those of each segment, what was measured, and how they came about."""

    weights: Mapping[str, float]
    segments: tuple[Segment, ...]
    evidence: Evidence
    outcome: str  # of the common weights: blend | stated | best member alone

    @property
    def members(self) -> dict[str, float]:
        """NDCG@10 of each member alone."""
        return {name: one.ndcg for name, one in self.evidence.members.items()}

    @property
    def stated(self) -> float:
        """NDCG@10 of the stated blend."""
        return self.evidence.stated.ndcg

    @property
    def learned(self) -> float:
        """NDCG@10 of what serves."""
        return self.evidence.learned.ndcg

    @property
    def best_member(self) -> str:
        """The strongest member on its own."""
        return max(self.members, key=lambda name: self.members[name])

    @property
    def own(self) -> tuple[Segment, ...]:
        """The segments with weights of their own."""
        return tuple(one for one in self.segments if one.own)

    @property
    def heard(self) -> set[str]:
        """The members that weigh something for somebody."""
        every = (self.weights, *(one.weights for one in self.own))
        return {name for weights in every for name, weight in weights.items() if weight > 0}

    def told(self) -> str:
        """The weights above 0, such as "als 0.60, popular 0.40; 0-4: popular 1.00"."""
        return "; ".join([_told(self.weights), *(f"{one.name}: {_told(one.weights)}" for one in self.own)])


def learn_weights(
    scores: Mapping[str, Floats], stated: Mapping[str, float], panel: Panel, candidates: Bools | None = None
) -> Learned:
    """The best weights found for these members' raw validation scores; never below the best member alone.

    Where an ensemble ranks `candidates` (p, n_items) only, every figure is of lists made of those. A segment's own
    weights are never below its best member alone either, nor below the common weights, on its validation people.
    """
    voices = Voices.of(scores, panel, candidates)
    weights, _ = choose(voices, stated)
    outcome = "blend" if sum(weight > 0 for weight in weights.values()) > 1 else "best member alone"
    if alike(weights, stated):
        outcome = "stated"
    counts = panel.material.pasts.counts[panel.users]
    segments = learn_segments(voices, counts, weights)
    return Learned(weights, segments, _evidence(voices, stated, weights, segments, counts), outcome)


def weight_arrays(learned: Learned) -> dict[str, AnyArray]:
    """An ensemble artifact's arrays for learned weights; those by segment only where a segment has its own."""
    names = list(learned.weights)
    arrays: dict[str, AnyArray] = {
        "members": np.array([name.encode() for name in names], dtype=np.bytes_),
        "weights": _row(learned.weights, names),
    }
    if learned.own:
        arrays["segment_bounds"] = np.array([one.first for one in learned.segments], dtype=np.int64)
        arrays["segment_weights"] = np.stack([_row(one.weights, names) for one in learned.segments])
    return arrays


def evidence_of(learned: Learned) -> dict[str, Any]:
    """The evidence in plain values, as a manifest keeps it."""
    found = learned.evidence
    return {
        "members_ndcg_at_10": learned.members,
        "members_interval_95": {name: list(one.interval) for name, one in found.members.items()},
        "stated_ndcg_at_10": learned.stated,
        "stated_interval_95": list(found.stated.interval),
        "learned_ndcg_at_10": learned.learned,
        "learned_interval_95": list(found.learned.interval),
        "learned_minus_best_member": _difference(found.over_best),
        "learned_minus_stated": _difference(found.over_stated),
        "best_member": learned.best_member,
        "outcome": learned.outcome,
        "segments": {
            one.name: {
                "people": one.people,
                "own_weights": one.own,
                "held_out_gain_over_common": one.gain and _difference(one.gain),
                **_inside_of(found.in_segments.get(one.name)),
            }
            for one in learned.segments
        },
    }


def _evidence(
    voices: Voices, stated: Mapping[str, float], common: Mapping[str, float], segments: tuple[Segment, ...], counts: Ints
) -> Evidence:
    alone = {name: voices.figures({name: 1.0}) for name in voices.parts}
    best = max(alone, key=lambda name: float(alone[name].mean()))
    by_stated, by_learned = voices.figures(stated), voices.figures(common)
    in_segments = {}
    for place, segment in enumerate(segments):
        people = np.flatnonzero(segment_places(counts) == place)
        if segment.own:
            by_learned[people] = voices.only(people).figures(segment.weights)
        if people.size:
            in_segments[segment.name] = _inside(by_learned[people], {name: own[people] for name, own in alone.items()})
    members = {name: Measured.of(own) for name, own in alone.items()}
    over_best, over_stated = gain_of(by_learned, alone[best]), gain_of(by_learned, by_stated)
    return Evidence(members, Measured.of(by_stated), Measured.of(by_learned), over_best, over_stated, in_segments)


def _inside(learned: AnyArray, alone: Mapping[str, AnyArray]) -> Inside:
    best = max(alone, key=lambda name: float(alone[name].mean()))
    return Inside(best, float(alone[best].mean()), gain_of(learned, alone[best]))


def _inside_of(one: Inside | None) -> dict[str, Any]:
    if one is None:
        return {}
    difference = _difference(one.over_best)
    return {"best_member": one.best_member, "best_member_ndcg_at_10": one.best, "learned_minus_best_member": difference}


def _row(weights: Mapping[str, float], names: list[str]) -> Floats:
    return np.array([weights[name] for name in names], dtype=np.float32)


def _difference(gain: Gain) -> dict[str, Any]:
    return {"mean": gain.mean, "interval_95": [gain.low, gain.high], "people": gain.people}


def _told(weights: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {weight:.2f}" for name, weight in weights.items() if weight > 0)
