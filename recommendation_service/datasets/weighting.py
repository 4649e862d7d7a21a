"""Turns events into weights.

Exports and single requests use the same functions, so that a model is queried with weights like those of its training.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.event_verbs import verb_of
from recommendation_service.domain.history import HISTORY_LIMIT, UNKNOWN_TIME, History, PastEvent
from recommendation_service.use_cases.schema import UseCase, Weighting

DAY_S = 86_400.0
NO_DAY = np.iinfo(np.int64).min  # the day of events whose time is unknown
UNKNOWN_AGE = 1.0  # in half-lives: an event whose time is unknown never counts as a new one


def event_weights(use_case: UseCase, events: Ints, values: AnyArray, names: Sequence[str]) -> Floats:
    """Weight of each event before decay, (k,): `events` are indices into `names`; `values` are NaN where an event has none.

    A value outside the event's bounds counts as the nearer bound. An event that the use case does not name has weight 0:
    it only marks the item as seen.
    """
    unknown = (0.0, np.nan, np.nan, np.nan)
    rules = [use_case.events.get(name) for name in names]
    by_name = [
        unknown if rule is None else (rule.weight, np.nan if rule.neutral is None else rule.neutral, *rule.bounds)
        for rule in rules
    ]
    weight: Floats
    weight, neutral, least, most = np.array([*by_name, unknown], dtype=np.float32).T
    graded = ~np.isnan(neutral[events])
    if not graded.any():
        return weight[events]
    limited = np.clip(values, least[events], most[events])
    factor = np.where(graded, np.nan_to_num(limited - neutral[events]), 1.0)
    return (weight[events] * factor).astype(np.float32)


def first_of_day(users: Ints, items: Ints, events: Ints, times: AnyArray) -> Bools:
    """(k,), False where the same user, item and event already happened on that UTC day: repeats count once.

    Events whose time is unknown count as of one day. Of equal times the first in the arrays counts.
    """
    known = times != UNKNOWN_TIME
    days = np.where(known, np.floor(np.where(known, times, 0.0) / DAY_S).astype(np.int64), NO_DAY)
    order = np.lexsort((times, days, events, items, users))
    mask = np.ones(users.size, dtype=np.bool_)
    keys = [side[order] for side in (users, items, events, days)]
    repeats = np.ones(max(users.size - 1, 0), dtype=np.bool_)
    for key in keys:
        repeats &= key[1:] == key[:-1]
    mask[order[1:][repeats]] = False
    return mask


def decay(times: AnyArray, now: float, half_life_days: float | None) -> Floats:
    """Factor per event, 1 today, 0.5 after a half-life; an event dated in the future counts as today's.

    An event whose time is unknown counts as one half-life old, whatever `now` is.
    """
    if half_life_days is None:
        return np.ones(times.size, dtype=np.float32)
    known = times != UNKNOWN_TIME
    age_days = np.maximum(now - np.where(known, times, now), 0.0) / DAY_S
    return np.exp2(-np.where(known, age_days / half_life_days, UNKNOWN_AGE)).astype(np.float32)


def newest_time(times: AnyArray) -> float:
    """The newest known time in seconds; 0 if there is none."""
    return max(float(times.max()), 0.0) if times.size else 0.0


def capped(weights: Floats, cap: float | None) -> Floats:
    """Sums of one user and item, limited to +-cap so that repeated clicks do not dominate."""
    return weights if cap is None else np.clip(weights, -cap, cap)


def voices(weights: Floats) -> Floats:
    """(k,) share, 0 to 1, with which one user and item count in the item's popularity.

    A user has at most one voice per item, whatever their events weigh; a voice fades below 1 as the weight decays.
    """
    return np.clip(weights, 0, 1)


def history_of(use_case: UseCase, catalogue: Catalogue, events: Sequence[PastEvent], now: float) -> History:
    """One user's History from recorded events, newest first or in any order: of equal times the earlier one is the newer.

    Items outside the catalogue are left out.
    """
    events = events[::-1]
    rows = catalogue.ids.rows([event.item_id for event in events])
    known = rows >= 0
    if not known.any():
        return History.empty()
    names = sorted({event.event for event in events})
    code = {name: index for index, name in enumerate(names)}
    codes = np.array([code[event.event] for event in events], dtype=np.int64)[known]
    values = np.array([np.nan if event.value is None else event.value for event in events], dtype=np.float32)[known]
    times = np.array([event.time for event in events], dtype=np.float64)[known]
    weights = event_weights(use_case, codes, values, names)
    history = history_of_rows(rows[known], codes, weights, times, now, use_case.weighting)
    rules = [use_case.events.get(name) for name in names]
    verbs = tuple(verb_of(name, rule.verb if rule else None) for name, rule in zip(names, rules, strict=True))
    return replace(history, verbs=verbs)


def history_of_rows(rows: Ints, kinds: Ints, weights: Floats, times: AnyArray, now: float, weighting: Weighting) -> History:
    """One user's History from events in rows, in any order: of equal times the later one is the newer.

    `weights` are before decay; events of one kind can be repeats.
    """
    once = first_of_day(np.zeros_like(rows), rows, kinds, times)
    count = int(np.count_nonzero(once & (weights > 0)))
    faded = np.where(once, weights * decay(times, now, weighting.halving_days), 0).astype(np.float32)
    return _newest_first(rows, kinds, faded, times, count, weighting.cap)


def newest_places(groups: Ints, n_groups: int, times: AnyArray) -> Ints:
    """(n_groups,) place in time of each group's newest event, different for every group; equal times keep their order."""
    place = np.empty(times.size, dtype=np.int64)
    place[np.argsort(times, kind="stable")] = np.arange(times.size)
    newest = np.full(n_groups, -1, dtype=np.int64)
    np.maximum.at(newest, groups, place)
    return newest


def _newest_first(rows: Ints, kinds: Ints, weights: Floats, times: AnyArray, count: int, cap: float | None) -> History:
    items, index = np.unique(rows, return_inverse=True)
    newest = newest_places(index, items.size, times)
    total = np.bincount(index, weights=weights, minlength=items.size).astype(np.float32)
    order = np.argsort(-newest)
    recent, older = order[:HISTORY_LIMIT], order[HISTORY_LIMIT:]
    by_weight = np.lexsort((times, weights, index))  # the last of each item: its strongest event, of equal ones the newest
    strongest = by_weight[np.searchsorted(index[by_weight], np.arange(items.size), side="right") - 1]
    disliked = items[older[total[older] < 0]]
    return History(items[recent], capped(total[recent], cap), count, items[older], disliked, kinds[strongest[recent]])
