"""Recorded lists as a learner reads them: the features of every shown item as of the moment it was shown.

Nothing of later days is in them: a history ends before the list, and popularity is that of the last of CHECKPOINTS
moments before it, as a served catalogue's is that of the last export.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import AnyArray, Floats, Ints
from recommendation_service.datasets.impressions import NOBODY, Shown
from recommendation_service.datasets.reader import Events
from recommendation_service.datasets.weighting import history_of_rows
from recommendation_service.domain.features import SCORE, STANDING, Features, names_for
from recommendation_service.domain.history import SEEN_LIMIT, History
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates
from recommendation_service.training.data import Material
from recommendation_service.training.evaluation.splits import take
from recommendation_service.use_cases.schema import UseCase, Weighting

RESCORE = "rescore"
CHECKPOINTS = 12
MOST_GRADES = 30  # LightGBM's labels end there


@dataclass(frozen=True, slots=True, eq=False)
class ShownLists:
    """Lists with something good done with them, oldest first; list l owns rows indptr[l] to indptr[l + 1]."""

    names: tuple[str, ...]  # of the columns
    features: Floats  # (n, len(names))
    weights: Floats  # (n,) weight of the best event, 0 where nothing good happened
    positions: Ints  # (n,) from 1: for correcting what the position did to the clicks, never a feature
    indptr: Ints  # (n_lists + 1,)
    people: Ints  # (n_lists,) user rows, -1: unknown
    times: AnyArray  # (n_lists,) seconds

    def __len__(self) -> int:
        return int(self.times.size)

    def part(self, start: int, stop: int) -> "ShownLists":
        """The lists from `start` to `stop`."""
        rows = slice(int(self.indptr[start]), int(self.indptr[stop]))
        indptr = self.indptr[start : stop + 1] - self.indptr[start]
        columns = self.features[rows], self.weights[rows], self.positions[rows]
        return ShownLists(self.names, *columns, indptr, self.people[start:stop], self.times[start:stop])


def surfaces_of(use_case: UseCase, ranker: str) -> frozenset[str]:
    """The surfaces whose lists this ranker orders: only of these are the parts recorded."""
    found = set()
    for name, surface in use_case.surfaces.items():
        stages = [part for part in surface.rerank if part.kind == RESCORE]
        if any(ranker in stage.options.get("by", ()) for stage in stages):
            found.add(name)
    return frozenset(found)


def answered_lists(shown: Shown, surfaces: frozenset[str]) -> Ints:
    """Numbers of the lists on these surfaces with two items or more and something good done with at least one."""
    wanted = np.array([name in surfaces for name in shown.surfaces()], dtype=np.bool_)
    long = np.diff(shown.indptr) > 1
    return np.flatnonzero(wanted[shown.list_surfaces] & long & shown.answered()) if len(shown) else np.empty(0, dtype=np.int64)


def read_lists(shown: Shown, numbers: Ints, material: Material, events: Events, use_case: UseCase) -> ShownLists:
    """The features of these lists. `material` is of the whole export, `events` all of it, ascending in time."""
    found = [_candidates(shown, int(number)) for number in numbers]
    parts = sorted({name for one, _ in found for name in one.parts if name in use_case.engines})
    names = names_for(material.catalogue, parts)
    pasts = _Pasts(events, use_case.weighting, len(material.user_ids))
    tables = []
    for features, places in _by_checkpoint(material, events, shown.list_times[numbers], names, use_case.weighting):
        for place in places.tolist():
            user, time = int(shown.list_users[numbers[place]]), float(shown.list_times[numbers[place]])
            tables.append(features.of(_query(features, pasts.before(user, time), time), found[place][0]))
    rows = np.concatenate([own for _, own in found]) if found else np.empty(0, dtype=np.int64)
    return ShownLists(
        names=names,
        features=np.concatenate(tables) if tables else np.empty((0, len(names)), dtype=np.float32),
        weights=np.maximum(shown.labels[rows], 0),
        positions=shown.positions[rows].astype(np.int64),
        indptr=np.concatenate([[0], np.cumsum([own.size for _, own in found], dtype=np.int64)]),
        people=shown.list_users[numbers].astype(np.int64),
        times=shown.list_times[numbers],
    )


def grades_of(weights: Floats, levels: Floats) -> Ints:
    """(n,) whole numbers for LightGBM: 0 for nothing, then the place of the weight among `levels`, from 1."""
    return np.where(weights > 0, np.searchsorted(levels, weights - 1e-6) + 1, 0).astype(np.int64)


def levels_of(weights: Floats) -> Floats:
    """The distinct weights above 0, ascending; where there are too many, an even choice of them that ends at the largest."""
    levels = np.unique(weights[weights > 0])
    if levels.size > MOST_GRADES:
        levels = levels[np.linspace(0, levels.size - 1, MOST_GRADES).astype(np.int64)]
    return levels


def _candidates(shown: Shown, number: int) -> tuple[Candidates, Ints]:
    """One list as the ranker was given it, in the order it was shown in, and its places in `shown`.

    Items below the ranker's reach have no standing, unlike their fellows, and are left out.
    """
    start, stop = int(shown.indptr[number]), int(shown.indptr[number + 1])
    told = shown.parts_of(start, stop)
    own = np.arange(start, stop)
    reached = np.array([STANDING in one for one in told])
    if reached.any():
        own, told = own[reached], [one for one, there in zip(told, reached, strict=True) if there]
    names = {name for one in told for name in one}
    parts = {name: np.array([one.get(name, np.nan) for one in told], dtype=np.float32) for name in sorted(names)}
    return Candidates(shown.items[own].astype(np.int64), parts.get(SCORE, shown.scores[own]), parts), own


def _query(features: Features, history: History, time: float) -> Query:
    catalogue = features.catalogue
    return Query(catalogue, history, 1, time, np.ones(0, dtype=np.bool_))


def _by_checkpoint(
    material: Material, events: Events, times: AnyArray, names: Sequence[str], weighting: Weighting
) -> Iterator[tuple[Features, Ints]]:
    """Features of the catalogue as it was, and the places in `times`, ascending, that they are for."""
    for places in np.array_split(np.arange(times.size), min(CHECKPOINTS, times.size)) if times.size else ():
        moment = float(times[places[0]])
        early = take(events, events.times < moment)
        yield Features(material.as_of(early, weighting, moment).catalogue, names), places


class _Pasts:
    """Everybody's events, ready to be cut at any moment."""

    def __init__(self, events: Events, weighting: Weighting, n_users: int) -> None:
        order = np.argsort(events.users, kind="stable")
        self._rows, self._weights, self._times = events.items[order], events.weights[order], events.times[order]
        kinds = events.kinds if events.kinds.size else np.zeros(events.users.size, dtype=np.int64)
        self._kinds = kinds[order]
        self._starts = np.searchsorted(events.users[order], np.arange(n_users + 1))
        self._weighting = weighting

    def before(self, user: int, time: float) -> History:
        """What the user had done before `time`, bounded like a request's; empty for nobody in particular."""
        if user == NOBODY:
            return History.empty()
        start, end = (int(place) for place in self._starts[user : user + 2])
        stop = start + int(np.searchsorted(self._times[start:end], time))
        if start == stop:
            return History.empty()
        own = slice(max(start, stop - SEEN_LIMIT), stop)
        return history_of_rows(self._rows[own], self._kinds[own], self._weights[own], self._times[own], time, self._weighting)
