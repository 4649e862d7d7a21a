"""Learn ensemble weights per segment of users (few or many interactions), where that is proven to help.

Weights chosen on few users fit their noise and look better on exactly these users. So a segment gets weights of its own
only if weights chosen on one half of its users do better on the other half.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.training.ensemble.search import MemberScores, blended, choose, same_weights
from recommendation_service.training.evaluation.evaluator import SEGMENTS
from recommendation_service.training.evaluation.paired_bootstrap import Gain, gain_of

LEAST_PEOPLE = 100  # of a segment; with fewer users the choice would be random
BOUNDS = {name: low for name, (low, _high) in SEGMENTS.items() if name != "all"}  # the first count of each


@dataclass(frozen=True, slots=True)
class Segment:
    """The weights that are served to one segment: its own, or the common ones."""

    name: str
    first: int  # from this count on
    people: int  # of the validation part
    weights: Mapping[str, float]
    has_own_weights: bool
    gain: Gain | None = None  # of own over common weights, on users they were not chosen on; None: not tried


def learn_segments(
    member_scores: MemberScores, counts: Ints, common: Mapping[str, float], *, seed: int = 0
) -> tuple[Segment, ...]:
    """Every segment with its weights. `counts` (p,) are the interactions that routing counts; `seed` draws the halves."""
    segment_of = segment_indices(counts)
    segments = []
    for index, (name, first) in enumerate(BOUNDS.items()):
        people = np.flatnonzero(segment_of == index)
        # a segment of all users would choose the common weights again
        if LEAST_PEOPLE <= people.size < counts.size:
            segments.append(
                _with_own_weights(
                    Segment(name, first, people.size, common, has_own_weights=False), member_scores.only(people), seed
                )
            )
        else:
            segments.append(Segment(name, first, people.size, common, has_own_weights=False))
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
            scores[people] = blended({name: values[people] for name, values in parts.items()}, segment.weights)
    return scores


def _with_own_weights(segment: Segment, member_scores: MemberScores, seed: int) -> Segment:
    gain = _cross_fitted(member_scores, segment.weights, seed)
    if not gain.sure:
        return replace(segment, gain=gain)
    weights, _ = choose(member_scores, segment.weights)
    return replace(segment, gain=gain, weights=weights, has_own_weights=not same_weights(weights, segment.weights))


def _cross_fitted(member_scores: MemberScores, common: Mapping[str, float], seed: int) -> Gain:
    """Gain of weights chosen on one half of the users and measured on the other; the common weights have seen both."""
    people = member_scores.relevant.shape[0]
    halves = np.array_split(np.random.default_rng(seed).permutation(people), 2)
    figures = np.zeros(people)
    for chosen_on, measured_on in (halves, halves[::-1]):
        weights, _ = choose(member_scores.only(chosen_on), common)
        figures[measured_on] = member_scores.only(measured_on).figures(weights)
    return gain_of(figures, member_scores.figures(common))
