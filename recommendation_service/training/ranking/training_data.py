"""Recorded lists as training data: the features of every shown item as of the time it was shown.

They contain nothing that happened later. A history ends before the list; popularity is taken at the last of CHECKPOINTS
times before the list, as a served catalogue uses the last export.
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
from recommendation_service.training.data import TrainingData
from recommendation_service.training.evaluation.splits import take
from recommendation_service.use_cases.schema import UseCase, Weighting

RESCORE = "rescore"
CHECKPOINTS = 12
MOST_GRADES = 30  # LightGBM's labels end there


@dataclass(frozen=True, slots=True, eq=False)
class ShownLists:
    """Lists with a positive event, oldest first; list l has the rows indptr[l] to indptr[l + 1]."""

    names: tuple[str, ...]  # of the columns
    features: Floats  # (n, len(names))
    weights: Floats  # (n,) weight of the best event, 0 without a positive event
    positions: Ints  # (n,) from 1: corrects the effect of the position on clicks, never a feature
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
    """The surfaces whose lists this ranker orders: parts are recorded only for these."""
    names = set()
    for name, surface in use_case.surfaces.items():
        stages = [part for part in surface.rerank if part.kind == RESCORE]
        if any(ranker in stage.options.get("by", ()) for stage in stages):
            names.add(name)
    return frozenset(names)


def answered_lists(shown: Shown, surfaces: frozenset[str]) -> Ints:
    """Indices of the lists on these surfaces with two or more items and a positive event."""
    wanted = np.array([name in surfaces for name in shown.surfaces()], dtype=np.bool_)
    long = np.diff(shown.indptr) > 1
    return np.flatnonzero(wanted[shown.list_surfaces] & long & shown.answered()) if len(shown) else np.empty(0, dtype=np.int64)


def read_lists(shown: Shown, numbers: Ints, material: TrainingData, events: Events, use_case: UseCase) -> ShownLists:
    """The features of these lists. `material` is of the whole export, `events` all of it, ascending in time."""
    lists = [_candidates(shown, int(number)) for number in numbers]
    parts = sorted({name for candidates, _ in lists for name in candidates.parts if name in use_case.engines})
    names = names_for(material.catalogue, parts)
    histories = _Histories(events, use_case.weighting, len(material.user_ids))
    tables = []
    for features, indices in _by_checkpoint(material, events, shown.list_times[numbers], names, use_case.weighting):
        for index in indices.tolist():
            user, time = int(shown.list_users[numbers[index]]), float(shown.list_times[numbers[index]])
            query = Query(features.catalogue, histories.before(user, time), 1, time, np.ones(0, dtype=np.bool_))
            tables.append(features.of(query, lists[index][0]))
    rows = np.concatenate([rows for _, rows in lists]) if lists else np.empty(0, dtype=np.int64)
    return ShownLists(
        names=names,
        features=np.concatenate(tables) if tables else np.empty((0, len(names)), dtype=np.float32),
        weights=np.maximum(shown.labels[rows], 0),
        positions=shown.positions[rows].astype(np.int64),
        indptr=np.concatenate([[0], np.cumsum([rows.size for _, rows in lists], dtype=np.int64)]),
        people=shown.list_users[numbers].astype(np.int64),
        times=shown.list_times[numbers],
    )


def grades_of(weights: Floats, levels: Floats) -> Ints:
    """(n,) labels for LightGBM: 0 without an event, else the rank of the weight among `levels`, from 1."""
    return np.where(weights > 0, np.searchsorted(levels, weights - 1e-6) + 1, 0).astype(np.int64)


def levels_of(weights: Floats) -> Floats:
    """The distinct weights above 0, ascending; at most MOST_GRADES of them, evenly chosen, the largest included."""
    levels = np.unique(weights[weights > 0])
    if levels.size > MOST_GRADES:
        levels = levels[np.linspace(0, levels.size - 1, MOST_GRADES).astype(np.int64)]
    return levels


def _candidates(shown: Shown, number: int) -> tuple[Candidates, Ints]:
    """One list as the ranker received it, in the order shown, with its rows in `shown`.

    Items that the ranker did not score have no engine score recorded and are omitted.
    """
    start, stop = int(shown.indptr[number]), int(shown.indptr[number + 1])
    recorded = shown.parts_of(start, stop)
    rows = np.arange(start, stop)
    reached = np.array([STANDING in parts for parts in recorded])
    if reached.any():
        rows, recorded = rows[reached], [parts for parts, has_score in zip(recorded, reached, strict=True) if has_score]
    names = {name for parts in recorded for name in parts}
    columns = {name: np.array([parts.get(name, np.nan) for parts in recorded], dtype=np.float32) for name in sorted(names)}
    return Candidates(shown.items[rows].astype(np.int64), columns.get(SCORE, shown.scores[rows]), columns), rows


def _by_checkpoint(
    material: TrainingData, events: Events, times: AnyArray, names: Sequence[str], weighting: Weighting
) -> Iterator[tuple[Features, Ints]]:
    """Features of the catalogue at each checkpoint, with the ascending indices in `times` that use them."""
    for indices in np.array_split(np.arange(times.size), min(CHECKPOINTS, times.size)) if times.size else ():
        timestamp = float(times[indices[0]])
        early = take(events, events.times < timestamp)
        yield Features(material.as_of(early, weighting, timestamp).catalogue, names), indices


class _Histories:
    """All users' events, to be cut at any time."""

    def __init__(self, events: Events, weighting: Weighting, n_users: int) -> None:
        order = np.argsort(events.users, kind="stable")
        self._rows, self._weights, self._times = events.items[order], events.weights[order], events.times[order]
        kinds = events.kinds if events.kinds.size else np.zeros(events.users.size, dtype=np.int64)
        self._kinds = kinds[order]
        self._starts = np.searchsorted(events.users[order], np.arange(n_users + 1))
        self._weighting = weighting

    def before(self, user: int, time: float) -> History:
        """The user's history before `time`, with the same limit as in a request; empty for no user."""
        if user == NOBODY:
            return History.empty()
        start, end = (int(index) for index in self._starts[user : user + 2])
        stop = start + int(np.searchsorted(self._times[start:end], time))
        if start == stop:
            return History.empty()
        rows = slice(max(start, stop - SEEN_LIMIT), stop)
        return history_of_rows(
            self._rows[rows], self._kinds[rows], self._weights[rows], self._times[rows], time, self._weighting
        )
