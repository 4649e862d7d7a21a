"""Search an ensemble's weights: greedy forward selection on draws of validation users (Caruana et al., 2004), averaged.

The scores of each member are scaled per user to [0, 1] over unseen items, exactly as the ensemble engine does. Seen items
are masked first, because the history would otherwise set the scale. Only each member's best rows are ranked (see
`member_scores`): in practice they contain the first ten rows of every blend.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints, blend
from recommendation_service.training.ensemble.member_scores import renumber_columns, shortlist, stack_rows, values_at
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import EvaluationUsers

STEPS = (0.1, 0.3, 1.0)
ROUNDS = 12
LEAST_GAIN = 1e-6
RESAMPLES = 6  # draws of people over which weights are averaged
MOST_DRAWN = 400  # people of a draw, which bounds the time of the search
LEAST_LOSS = 1e-3  # share of NDCG; a member that adds less is left out
K = 10
AT_ONCE = 2_000_000  # scores of one member that are scaled together


def scaled(scores: Floats, eligible: Bools) -> Floats:
    """Min-max scale (p, n_items) scores per user over eligible known rows; NaN elsewhere, 0.5 where all are equal."""
    known = eligible & ~np.isnan(scores)
    low = np.where(known, scores, np.inf).min(axis=1, keepdims=True)
    high = np.where(known, scores, -np.inf).max(axis=1, keepdims=True)
    spread = high - low
    with np.errstate(invalid="ignore", divide="ignore"):
        result = np.where(spread > 0, (scores - low) / spread, np.float32(0.5))
    return np.where(known, result, np.nan).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class MemberScores:
    """The members' scores of some users' shortlists, and the items that these users chose."""

    parts: Mapping[str, Floats]  # (p, c) each, scaled; NaN: no prediction
    eligible: Bools  # (p, c) what is ranked
    relevant: sparse.csr_array  # (p, c or more) of 1; columns beyond c: chosen, but never ranked

    @classmethod
    def of(cls, scores: Mapping[str, Floats], panel: EvaluationUsers, candidates: Bools | None = None) -> "MemberScores":
        """Build from raw (p, n_items) scores of a panel, reduced to each user's `shortlist`.

        With `candidates` (p, n_items), only these are ranked, as in an ensemble with candidate generators.
        """
        ranked = panel.eligible if candidates is None else panel.eligible & candidates
        people = max(1, AT_ONCE // max(1, ranked.shape[1]))
        blocks = [slice(start, start + people) for start in range(0, len(panel), people)]
        tables, block_scores = [], []
        for block in blocks:
            parts = {name: scaled(values[block], panel.eligible[block]) for name, values in scores.items()}
            tables.append(shortlist(parts, ranked[block]))
            block_scores.append({name: values_at(values, tables[-1]) for name, values in parts.items()})
        rows = stack_rows(tables)
        parts = {name: _stack_padded([block[name] for block in block_scores], rows.shape[1]) for name in scores}
        return cls(parts, rows >= 0, renumber_columns(panel.relevant, rows))

    def only(self, people: Ints) -> "MemberScores":
        """The scores of the users at these indices."""
        parts = {name: values[people] for name, values in self.parts.items()}
        return MemberScores(parts, self.eligible[people], sparse.csr_array(self.relevant[people]))

    def figures(self, weights: Mapping[str, float]) -> AnyArray:
        """(p,) NDCG@10 of each user's list under these weights."""
        return self._measured(blend([self.parts[name] for name in weights], list(weights.values())))

    def alone(self, name: str) -> float:
        """The mean of `figures` of one member."""
        return self.mean_ndcg({name: 1.0})

    def mean_ndcg(self, weights: Mapping[str, float]) -> float:
        """The mean of `figures`."""
        return float(self.figures(weights).mean())

    def steps(self, weights: Mapping[str, float]) -> list[tuple[float, str, float]]:
        """(mean NDCG, member, step) for every member and step that can be added to these weights, up to rounding."""
        total, weight_sums = np.zeros((2, *self.eligible.shape), dtype=np.float32)
        known = {name: ~np.isnan(values) for name, values in self.parts.items()}
        complete = all(bool(mask[self.eligible].all()) for mask in known.values())
        for name, weight in weights.items():
            total += np.float32(weight) * np.nan_to_num(self.parts[name])
            weight_sums += np.float32(weight) * known[name]
        result = []
        for name, values in self.parts.items():
            filled = np.nan_to_num(values)
            for step in STEPS:
                scores = total + np.float32(step) * filled
                if not complete:  # a member without a score leaves its weight to the others
                    with np.errstate(invalid="ignore"):
                        scores /= weight_sums + np.float32(step) * known[name]  # 0 / 0 is NaN: no member has a score
                result.append((float(self._measured(scores).mean()), name, step))
        return result

    def _measured(self, scores: Floats) -> AnyArray:
        return metrics.measure(_lists(scores, self.eligible), self.relevant).ndcg


def choose(
    member_scores: MemberScores, initial: Mapping[str, float], ranks: Mapping[str, int] | None = None, *, seed: int = 0
) -> tuple[dict[str, float], float]:
    """Return the best weights by member (their sum is 1) and their mean NDCG, never below the best single member.

    One search on one set of people follows their noise: members that say the same get weights at random. So the search
    runs on RESAMPLES draws of people with replacement, from the initial weights and from the best single member in turn, and
    the weights are averaged. Then members without which nothing
    is lost (LEAST_LOSS) are left out, the most expensive first by `ranks` (the cost of each member; the higher, the more
    expensive). Initial weights that nothing beats are returned.
    """
    alone = {name: member_scores.mean_ndcg({name: 1.0}) for name in member_scores.parts}
    best = max(alone, key=lambda name: alone[name])
    people = member_scores.relevant.shape[0]
    if not people:
        return _normalised(member_scores, initial), float("nan")
    rng, total = np.random.default_rng(seed), dict.fromkeys(member_scores.parts, 0.0)
    for draw in range(RESAMPLES):
        drawn = member_scores.only(np.sort(rng.integers(people, size=min(people, MOST_DRAWN))))
        start = {max(drawn.parts, key=drawn.alone): 1.0} if draw % 2 else dict(initial)
        weights, _ = _climb(drawn, start, drawn.mean_ndcg(start))
        for name, weight in _normalised(drawn, weights).items():
            total[name] += weight
    weights = _pruned(member_scores, total, ranks or {})
    score = member_scores.mean_ndcg(weights)
    for other, other_score in (({best: 1.0}, alone[best]), (dict(initial), member_scores.mean_ndcg(initial))):
        if other_score > score or (other_score == score and same_weights(other, initial)):
            weights, score = other, other_score
    return _normalised(member_scores, weights), score


def _pruned(member_scores: MemberScores, weights: Mapping[str, float], ranks: Mapping[str, int]) -> dict[str, float]:
    """The weights without the members that add nothing, the most expensive first, and among equals the lightest first."""
    kept = {name: weight for name, weight in weights.items() if weight > 0}
    score = member_scores.mean_ndcg(_normalised(member_scores, kept))
    for name in sorted(kept, key=lambda name: (-ranks.get(name, 0), kept[name])):
        rest = {other: weight for other, weight in kept.items() if other != name}
        if not rest:
            break
        if (without := member_scores.mean_ndcg(_normalised(member_scores, rest))) >= score * (1 - LEAST_LOSS):
            kept, score = rest, max(score, without)
    return _normalised(member_scores, kept)


def same_weights(first: Mapping[str, float], second: Mapping[str, float]) -> bool:
    """True if two sets of weights are equal up to rounding."""
    return all(np.isclose(first.get(name, 0.0), second.get(name, 0.0)) for name in {*first, *second})


def _climb(member_scores: MemberScores, weights: dict[str, float], score: float) -> tuple[dict[str, float], float]:
    for _round in range(ROUNDS):
        _, name, step = max(member_scores.steps(weights), key=lambda candidate: candidate[0])
        tried = {**weights, name: weights.get(name, 0.0) + step}
        new_score = member_scores.mean_ndcg(_normalised(member_scores, tried))
        if new_score <= score + LEAST_GAIN:
            break
        weights, score = tried, new_score
    return weights, score


def _lists(scores: Floats, eligible: Bools) -> Ints:
    """(p, K) best columns, best first, -1 where a user has fewer; ties keep the lower column first.

    One pass per position is several times faster than a partition for this few positions and columns.
    """
    usable = np.where(eligible & ~np.isnan(scores), scores, np.float32(-np.inf))
    people, rows = np.arange(usable.shape[0]), np.full((usable.shape[0], K), metrics.NO_ROW, dtype=np.int64)
    for position in range(min(K, usable.shape[1])):
        best = usable.argmax(axis=1)
        rows[:, position] = np.where(usable[people, best] > -np.inf, best, metrics.NO_ROW)
        usable[people, best] = -np.inf
    return rows


def _stack_padded(blocks: list[Floats], width: int) -> Floats:
    padded = [np.pad(block, ((0, 0), (0, width - block.shape[1])), constant_values=np.nan) for block in blocks]
    return np.concatenate(padded)


def _normalised(member_scores: MemberScores, weights: Mapping[str, float]) -> dict[str, float]:
    """Weights of every member, with a sum of 1."""
    total = sum(weights.values())
    return {name: weights.get(name, 0.0) / total for name in member_scores.parts}
