"""The search for an ensemble's weights: greedy and forward, on validation people (Caruana et al., 2004).

Every member's scores are scaled per person to [0, 1] over what the person has not seen, exactly as the ensemble engine
does; masking comes first, or the history would set the scale. Lists are made of every member's best rows (blend_table),
which is where a blend's first ten lie, but for cases too rare to have been met.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.training.ensemble.member_scores import renumbered, shortlist, stacked, taken
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import Panel

STEPS = (0.03, 0.1, 0.25, 0.5, 1.0, 2.0)
ROUNDS = 20
LEAST_GAIN = 1e-6
K = 10
AT_ONCE = 2_000_000  # scores of one member that are scaled together


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


@dataclass(frozen=True, slots=True, eq=False)
class Voices:
    """What every member says of some people, and what these people went for."""

    parts: Mapping[str, Floats]  # (p, c) each, scaled; NaN: cannot say
    eligible: Bools  # (p, c) what is ranked
    relevant: sparse.csr_array  # (p, c or more) of 1; beyond c: gone for, and never ranked

    @classmethod
    def of(cls, scores: Mapping[str, Floats], panel: Panel, candidates: Bools | None = None) -> "Voices":
        """From raw (p, n_items) scores of a panel, cut down to each person's `shortlist`.

        Where an ensemble ranks `candidates` (p, n_items) only, so do its weights.
        """
        ranked = panel.eligible if candidates is None else panel.eligible & candidates
        people = max(1, AT_ONCE // max(1, ranked.shape[1]))
        blocks = [slice(start, start + people) for start in range(0, len(panel), people)]
        tables, told = [], []
        for block in blocks:
            parts = {name: scaled(own[block], panel.eligible[block]) for name, own in scores.items()}
            tables.append(shortlist(parts, ranked[block]))
            told.append({name: taken(own, tables[-1]) for name, own in parts.items()})
        rows = stacked(tables)
        parts = {name: _under_each_other([one[name] for one in told], rows.shape[1]) for name in scores}
        return cls(parts, rows >= 0, renumbered(panel.relevant, rows))

    def only(self, people: Ints) -> "Voices":
        """Those of the people at these places."""
        parts = {name: own[people] for name, own in self.parts.items()}
        return Voices(parts, self.eligible[people], sparse.csr_array(self.relevant[people]))

    def figures(self, weights: Mapping[str, float]) -> AnyArray:
        """(p,) NDCG@10 of everybody's list when the members are weighed so."""
        return self._measured(blended(self.parts, weights))

    def worth(self, weights: Mapping[str, float]) -> float:
        """The mean of `figures`."""
        return float(self.figures(weights).mean())

    def steps(self, weights: Mapping[str, float]) -> list[tuple[float, str, float]]:
        """What each member and step added to these weights would be worth, but for the last digits: worth, member, step."""
        total, heard = np.zeros((2, *self.eligible.shape), dtype=np.float32)
        known = {name: ~np.isnan(own) for name, own in self.parts.items()}
        whole = all(bool(one[self.eligible].all()) for one in known.values())
        for name, weight in weights.items():
            total += np.float32(weight) * np.nan_to_num(self.parts[name])
            heard += np.float32(weight) * known[name]
        found = []
        for name, own in self.parts.items():
            said = np.nan_to_num(own)
            for step in STEPS:
                scores = total + np.float32(step) * said
                if not whole:  # who says nothing leaves the weight to the others; else all are divided by the same
                    with np.errstate(invalid="ignore"):
                        scores /= heard + np.float32(step) * known[name]  # 0 / 0 is NaN: nobody knows
                found.append((float(self._measured(scores).mean()), name, step))
        return found

    def _measured(self, scores: Floats) -> AnyArray:
        return metrics.measure(_lists(scores, self.eligible), self.relevant).ndcg


def choose(voices: Voices, given: Mapping[str, float]) -> tuple[dict[str, float], float]:
    """The best weights found, by member and summing to 1, and what they are worth: never below the best member alone.

    Starts at that member, and again at the weights that are given, and adds what helps most, a step at a time. Given
    weights that nothing beats are kept.
    """
    alone = {name: voices.worth({name: 1.0}) for name in voices.parts}
    best = max(alone, key=lambda name: alone[name])
    begun = voices.worth(given)
    weights, found = _climb(voices, {best: 1.0}, alone[best])
    from_given, other = _climb(voices, dict(given), begun)
    if other > found or (other == found and begun == found):
        weights, found = from_given, other
    return _even(voices, weights), found


def alike(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Whether two pairs of weights are the same but for rounding."""
    return all(np.isclose(one.get(name, 0.0), other.get(name, 0.0)) for name in {*one, *other})


def _climb(voices: Voices, weights: dict[str, float], found: float) -> tuple[dict[str, float], float]:
    for _round in range(ROUNDS):
        _, name, step = max(voices.steps(weights), key=lambda one: one[0])
        tried = {**weights, name: weights.get(name, 0.0) + step}
        worth = voices.worth(_even(voices, tried))
        if worth <= found + LEAST_GAIN:
            break
        weights, found = tried, worth
    return weights, found


def _lists(scores: Floats, eligible: Bools) -> Ints:
    """(p, K) best places, best first, -1 where a person has fewer; ties keep the lower place first.

    One pass a place is several times quicker than partitioning, for so few places of so few columns.
    """
    usable = np.where(eligible & ~np.isnan(scores), scores, np.float32(-np.inf))
    people, found = np.arange(usable.shape[0]), np.full((usable.shape[0], K), metrics.NO_ROW, dtype=np.int64)
    for place in range(min(K, usable.shape[1])):
        best = usable.argmax(axis=1)
        found[:, place] = np.where(usable[people, best] > -np.inf, best, metrics.NO_ROW)
        usable[people, best] = -np.inf
    return found


def _under_each_other(blocks: list[Floats], width: int) -> Floats:
    padded = [np.pad(one, ((0, 0), (0, width - one.shape[1])), constant_values=np.nan) for one in blocks]
    return np.concatenate(padded)


def _even(voices: Voices, weights: Mapping[str, float]) -> dict[str, float]:
    """Of every member, summing to 1."""
    whole = sum(weights.values())
    return {name: weights.get(name, 0.0) / whole for name in voices.parts}
