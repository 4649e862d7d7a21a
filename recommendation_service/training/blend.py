"""Learns an ensemble's weights: greedy forward search on validation people (Caruana et al., 2004).

Every member's scores are scaled per person to [0, 1] over what the person has not seen, exactly as the ensemble engine
does; masking comes first, or the history would set the scale.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from recommendation_service.numeric import Bools, Floats
from recommendation_service.training import metrics
from recommendation_service.training.evaluation import Panel

STEPS = (0.03, 0.1, 0.25, 0.5, 1.0, 2.0)
ROUNDS = 20
LEAST_GAIN = 1e-6


@dataclass(frozen=True, slots=True)
class Learned:
    """Weights by member (they sum to 1), what was measured on validation (NDCG@10), and how it came about."""

    weights: Mapping[str, float]
    members: Mapping[str, float]  # each member alone
    stated: float
    learned: float
    outcome: str  # blend | stated | best member alone

    @property
    def best_member(self) -> str:
        """The strongest member on its own."""
        return max(self.members, key=lambda name: self.members[name])


def scaled(scores: Floats, eligible: Bools) -> Floats:
    """Min-max per person of (p, n_items) scores over eligible known rows, NaN elsewhere; 0.5 where all are equal."""
    known = eligible & ~np.isnan(scores)
    low = np.where(known, scores, np.inf).min(axis=1, keepdims=True)
    high = np.where(known, scores, -np.inf).max(axis=1, keepdims=True)
    spread = high - low
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(spread > 0, (scores - low) / spread, np.float32(0.5))
    return np.where(known, found, np.nan).astype(np.float32)


def blended(parts: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """Weighted mean over the members that can say, NaN where none can: `numeric.blend` for many people at once."""
    shape = next(iter(parts.values())).shape
    total, heard = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    for name, weight in weights.items():
        if weight > 0:
            known = ~np.isnan(parts[name])
            total += np.where(known, np.float32(weight) * parts[name], 0)
            heard += np.float32(weight) * known
    return np.divide(total, heard, out=np.full(shape, np.nan, dtype=np.float32), where=heard > 0)


def learn_weights(
    scores: Mapping[str, Floats], stated: Mapping[str, float], panel: Panel, candidates: Bools | None = None
) -> Learned:
    """The best weights found for these members' raw validation scores; never below the best member alone.

    Where an ensemble ranks `candidates` (p, n_items) only, every figure is of lists made of those.
    Starts at the best member, and again at the stated weights, and adds what helps most, a step at a time. When nothing
    helps, the stated weights are taken if they are at least as good as that member; else the member stands alone.
    """
    parts = {name: scaled(own, panel.eligible) for name, own in scores.items()}
    if candidates is not None:
        panel = replace(panel, eligible=panel.eligible & candidates)
    alone = {name: _ndcg(parts, {name: 1.0}, panel) for name in parts}
    stated_score = _ndcg(parts, stated, panel)
    best = max(alone, key=lambda name: alone[name])
    weights, found = _climb(parts, {best: 1.0}, alone[best], panel)
    from_stated, other = _climb(parts, dict(stated), stated_score, panel)
    if other > found or (other == found and stated_score == found):
        weights, found = from_stated, other
    outcome = "blend" if sum(weight > 0 for weight in weights.values()) > 1 else "best member alone"
    if weights == dict(stated):
        outcome = "stated"
    whole = sum(weights.values())
    return Learned({name: weights.get(name, 0.0) / whole for name in parts}, alone, stated_score, found, outcome)


def _climb(
    parts: Mapping[str, Floats], weights: dict[str, float], found: float, panel: Panel
) -> tuple[dict[str, float], float]:
    for _round in range(ROUNDS):
        tries = [{**weights, name: weights.get(name, 0.0) + step} for name in parts for step in STEPS]
        results = [_ndcg(parts, one, panel) for one in tries]
        best = int(np.argmax(results))
        if results[best] <= found + LEAST_GAIN:
            break
        weights, found = tries[best], results[best]
    return weights, found


def _ndcg(parts: Mapping[str, Floats], weights: Mapping[str, float], panel: Panel) -> float:
    return metrics.ndcg(blended(parts, weights), panel.eligible, panel.relevant)
