"""Which rows a blend can come down to: every member's best few, instead of the whole catalogue.

A row that no member puts among its best DEPTH does not reach a blend's first ten, but for cases made up for the purpose
(ten rows that every member ranks a little below its best hundred, while no row of any hundred pleases two members). So
weights are searched over those rows alone, with a tenth of the work and the memory of whole catalogues. A member alone is
measured exactly: its own best rows are all there, ties as engines break them.
"""

from collections.abc import Mapping

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints

DEPTH = 100  # rows of each member
NO_ROW = -1


def shortlist(parts: Mapping[str, Floats], eligible: Bools, depth: int = DEPTH) -> Ints:
    """(p, c) rows in ascending order, -1 beyond a person's last: those among any member's `depth` best, as engines rank.

    `parts` are (p, n_items), NaN where a member cannot say; `eligible` is what is ranked. Rows that one member says
    nothing of are scored by the others alone, so each member's best of those are among them too.
    """
    usable = {name: np.where(eligible & ~np.isnan(own), own, -np.inf).astype(np.float32) for name, own in parts.items()}
    heard = np.zeros(eligible.shape, dtype=np.int16)
    for own in usable.values():
        heard += own > -np.inf
    some = (heard > 0) & (heard < heard.max(axis=1, keepdims=True, initial=0))
    keep = np.zeros(eligible.shape, dtype=np.bool_)
    for own in usable.values():
        keep |= best(own, depth)
        if some.any():
            keep |= best(np.where(some, own, -np.inf), depth)
    return _packed(keep)


def best(scores: Floats, count: int) -> Bools:
    """(p, n) True for each person's `count` best of (p, n) scores, never for -inf; ties keep the lower row first."""
    finite: Bools = scores > -np.inf
    if scores.shape[1] <= count:
        return finite
    place = scores.shape[1] - count
    cut = np.partition(scores, place, axis=1)[:, place : place + 1]
    named: Bools = (scores >= cut) & finite
    crowded = np.flatnonzero(named.sum(axis=1) > count)  # more at the cut than there is room for
    if crowded.size:
        above, level = scores[crowded] > cut[crowded], scores[crowded] == cut[crowded]
        free = count - above.sum(axis=1, keepdims=True)
        named[crowded] = above | (level & (np.cumsum(level, axis=1, dtype=np.int32) <= free))
    return named


def taken(values: Floats, rows: Ints) -> Floats:
    """(p, c) of (p, n) values at (p, c) rows, NaN at -1."""
    return np.where(rows >= 0, np.take_along_axis(values, np.maximum(rows, 0), axis=1), np.float32(np.nan))


def stacked(blocks: list[Ints]) -> Ints:
    """Tables of different people under each other, as wide as the widest."""
    width = max((one.shape[1] for one in blocks), default=0)
    return np.concatenate([np.pad(one, ((0, 0), (0, width - one.shape[1])), constant_values=NO_ROW) for one in blocks])


def renumbered(relevant: sparse.csr_array, rows: Ints) -> sparse.csr_array:
    """A 0/1 (p, n_items) matrix by place in (p, c) rows; what is in no place gets a column of its own beyond c.

    So everything a person went for is still counted, and what is beyond c is never a hit.
    """
    n_items, width = relevant.shape[1], rows.shape[1]
    people = np.repeat(np.arange(rows.shape[0]), np.diff(relevant.indptr))
    wanted = people * n_items + relevant.indices
    who, places = np.nonzero(rows >= 0)
    known = who * n_items + rows[who, places]
    found = np.searchsorted(known, wanted)
    there = np.zeros(wanted.size, dtype=np.bool_)
    there[found < known.size] = known[found[found < known.size]] == wanted[found < known.size]
    columns = np.empty(wanted.size, dtype=np.int64)
    columns[there] = places[found[there]]
    columns[~there] = width + _numbers(people[~there])
    shape = (rows.shape[0], int(columns.max(initial=width - 1)) + 1)
    return sparse.csr_array((np.ones(wanted.size, dtype=np.float32), (people, columns)), shape=shape)


def _packed(keep: Bools) -> Ints:
    people, rows = np.nonzero(keep)
    table = np.full((keep.shape[0], int(keep.sum(axis=1).max(initial=0))), NO_ROW, dtype=np.int64)
    table[people, _numbers(people)] = rows
    return table


def _numbers(groups: AnyArray) -> Ints:
    """0, 1, 2, ... within each run of the same group; `groups` is ascending."""
    return np.arange(groups.size) - np.searchsorted(groups, groups)
