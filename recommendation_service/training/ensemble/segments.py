"""Whether people with few interactions and people with many want an ensemble's members weighed differently.

Weights that are chosen for fewer people fit their noise, and look better on those people whether or not they are. So a
segment gets weights of its own only if weights chosen on one half of its people do better on the other half.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.training.ensemble.search import Voices, alike, blended, choose
from recommendation_service.training.evaluation.evaluator import SEGMENTS
from recommendation_service.training.evaluation.paired_bootstrap import Gain, gain_of

LEAST_PEOPLE = 100  # of a segment; choosing among fewer is choosing by chance
BOUNDS = {name: low for name, (low, _high) in SEGMENTS.items() if name != "all"}  # the first count of each


@dataclass(frozen=True, slots=True)
class Segment:
    """The weights that serve one segment: its own, or the common ones."""

    name: str
    first: int  # from this count on
    people: int  # of the validation part
    weights: Mapping[str, float]
    own: bool
    gain: Gain | None = None  # of own weights over the common ones, on people they were not chosen on; None: not tried


def learn_segments(voices: Voices, counts: Ints, common: Mapping[str, float], *, seed: int = 0) -> tuple[Segment, ...]:
    """Every segment with its weights; `counts` are the (p,) interactions that routing counts, `seed` draws the halves."""
    places = segment_places(counts)
    found = []
    for place, (name, first) in enumerate(BOUNDS.items()):
        people = np.flatnonzero(places == place)
        # A segment that holds everybody has chosen the common weights already.
        if LEAST_PEOPLE <= people.size < counts.size:
            found.append(_judged(Segment(name, first, people.size, common, own=False), voices.only(people), seed))
        else:
            found.append(Segment(name, first, people.size, common, own=False))
    return tuple(found)


def segment_places(counts: Ints) -> Ints:
    """(p,) the place of each person's segment."""
    return np.searchsorted(list(BOUNDS.values()), counts, side="right") - 1


def served(parts: Mapping[str, Floats], segments: tuple[Segment, ...], counts: Ints) -> Floats:
    """(p, n_items) what each person gets: the blend by the weights of their segment, as the engine makes it."""
    places, found = segment_places(counts), np.full_like(next(iter(parts.values())), np.nan)
    for place, segment in enumerate(segments):
        people = np.flatnonzero(places == place)
        if people.size:
            found[people] = blended({name: own[people] for name, own in parts.items()}, segment.weights)
    return found


def _judged(segment: Segment, voices: Voices, seed: int) -> Segment:
    gain = _cross_fitted(voices, segment.weights, seed)
    if not gain.sure:
        return replace(segment, gain=gain)
    weights, _ = choose(voices, segment.weights)
    return replace(segment, gain=gain, weights=weights, own=not alike(weights, segment.weights))


def _cross_fitted(voices: Voices, common: Mapping[str, float], seed: int) -> Gain:
    """Of weights chosen on each half of the people and measured on the other; the common ones have seen both."""
    people = voices.relevant.shape[0]
    halves = np.array_split(np.random.default_rng(seed).permutation(people), 2)
    figures = np.zeros(people)
    for chosen_on, measured_on in (halves, halves[::-1]):
        weights, _ = choose(voices.only(chosen_on), common)
        figures[measured_on] = voices.only(measured_on).figures(weights)
    return gain_of(figures, voices.figures(common))
