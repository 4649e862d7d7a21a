"""Reduce the members' scores to each user's shortlist: every member's best rows instead of the whole catalogue.

A row outside the best DEPTH of every member does not reach the first ten of a blend, except in constructed cases. So the
weights are searched over the shortlist, with a tenth of the work and memory of whole catalogues. A single member is
measured exactly: all of its best rows are in the shortlist, with ties in the order of the engines.
"""

from collections.abc import Mapping

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints

DEPTH = 100  # rows of each member
NO_ROW = -1


def shortlist(parts: Mapping[str, Floats], eligible: Bools, depth: int = DEPTH) -> Ints:
    """(p, c) rows in ascending order, -1 after a user's last: the rows among the `depth` best of any member.

    `parts` are (p, n_items), NaN for no prediction; `eligible` marks what is ranked. Rows without a score of some member
    are scored by the others alone, so each member's best rows among these are included, too.
    """
    usable = {
        name: np.where(eligible & ~np.isnan(scores), scores, -np.inf).astype(np.float32) for name, scores in parts.items()
    }
    n_scored = np.zeros(eligible.shape, dtype=np.int16)
    for scores in usable.values():
        n_scored += scores > -np.inf
    partly_scored = (n_scored > 0) & (n_scored < n_scored.max(axis=1, keepdims=True, initial=0))
    selected = np.zeros(eligible.shape, dtype=np.bool_)
    for scores in usable.values():
        selected |= best(scores, depth)
        if partly_scored.any():
            selected |= best(np.where(partly_scored, scores, -np.inf), depth)
    return _packed(selected)


def best(scores: Floats, count: int) -> Bools:
    """(p, n) True for each person's `count` best of (p, n) scores, never for -inf; ties keep the lower row first."""
    finite: Bools = scores > -np.inf
    if scores.shape[1] <= count:
        return finite
    position = scores.shape[1] - count
    cut = np.partition(scores, position, axis=1)[:, position : position + 1]
    named: Bools = (scores >= cut) & finite
    crowded = np.flatnonzero(named.sum(axis=1) > count)  # more rows at the cut than `count`
    if crowded.size:
        above, level = scores[crowded] > cut[crowded], scores[crowded] == cut[crowded]
        free = count - above.sum(axis=1, keepdims=True)
        named[crowded] = above | (level & (np.cumsum(level, axis=1, dtype=np.int32) <= free))
    return named


def values_at(values: Floats, rows: Ints) -> Floats:
    """(p, c) of (p, n) values at (p, c) rows, NaN at -1."""
    return np.where(rows >= 0, np.take_along_axis(values, np.maximum(rows, 0), axis=1), np.float32(np.nan))


def stack_rows(blocks: list[Ints]) -> Ints:
    """Stack tables of different users, padded with NO_ROW to the widest."""
    width = max((block.shape[1] for block in blocks), default=0)
    return np.concatenate([np.pad(block, ((0, 0), (0, width - block.shape[1])), constant_values=NO_ROW) for block in blocks])


def renumber_columns(relevant: sparse.csr_array, rows: Ints) -> sparse.csr_array:
    """Re-index a 0/1 (p, n_items) matrix by position in (p, c) rows; items outside the rows get columns beyond c.

    So every chosen item is still counted, and those beyond c are never a hit.
    """
    n_items, width = relevant.shape[1], rows.shape[1]
    people = np.repeat(np.arange(rows.shape[0]), np.diff(relevant.indptr))
    wanted = people * n_items + relevant.indices
    who, positions = np.nonzero(rows >= 0)
    known = who * n_items + rows[who, positions]
    indices = np.searchsorted(known, wanted)
    matched = np.zeros(wanted.size, dtype=np.bool_)
    matched[indices < known.size] = known[indices[indices < known.size]] == wanted[indices < known.size]
    columns = np.empty(wanted.size, dtype=np.int64)
    columns[matched] = positions[indices[matched]]
    columns[~matched] = width + _numbers(people[~matched])
    shape = (rows.shape[0], int(columns.max(initial=width - 1)) + 1)
    return sparse.csr_array((np.ones(wanted.size, dtype=np.float32), (people, columns)), shape=shape)


def _packed(selected: Bools) -> Ints:
    people, rows = np.nonzero(selected)
    table = np.full((selected.shape[0], int(selected.sum(axis=1).max(initial=0))), NO_ROW, dtype=np.int64)
    table[people, _numbers(people)] = rows
    return table


def _numbers(groups: AnyArray) -> Ints:
    """0, 1, 2, ... within each run of the same group; `groups` is ascending."""
    return np.arange(groups.size) - np.searchsorted(groups, groups)
