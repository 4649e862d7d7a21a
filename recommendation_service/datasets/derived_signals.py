"""From the table of events to what models and routing read: weights of user and item, popularity, histories."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.datasets.event_table import EventTable
from recommendation_service.datasets.weighting import capped, decay, event_weights, first_of_day
from recommendation_service.domain.history import SEEN_LIMIT
from recommendation_service.errors import DatasetError
from recommendation_service.use_cases.schema import UseCase

MAX_NAMES = 256  # a history keeps the place of an event's name in one byte


@dataclass(frozen=True, slots=True, eq=False)
class Histories:
    """Every user's newest events, at most SEEN_LIMIT each, newest first; events of row u: indptr[u] to indptr[u+1]."""

    indptr: AnyArray  # (n_users + 1,) int64
    items: AnyArray  # int32
    events: AnyArray  # uint8 places in the event names
    times: AnyArray  # float64 seconds
    values: AnyArray  # float32, NaN where there is none


def with_names_in_use(table: EventTable, names: Sequence[str], use_case: UseCase) -> tuple[EventTable, tuple[str, ...]]:
    """The table in places of the use case's events and of the other names that do occur. Raises DatasetError past 256."""
    used = np.zeros(len(names), dtype=np.bool_)
    used[table.events] = True
    selected = [index for index, name in enumerate(names) if used[index] or name in use_case.events]
    if len(selected) > MAX_NAMES:
        raise DatasetError(f"{len(selected)} different events were recorded; at most {MAX_NAMES} can be exported: merge some")
    new_index = np.zeros(len(names), dtype=np.int16)
    new_index[selected] = np.arange(len(selected), dtype=np.int16)
    return replace(table, events=new_index[table.events]), tuple(names[index] for index in selected)


def weights_of(table: EventTable, use_case: UseCase, names: Sequence[str]) -> Floats:
    """(k,) weight of each event before decay; 0 for events that the use case does not name."""
    return event_weights(use_case, table.events.astype(np.int64), table.values, names)


def interaction_matrix(table: EventTable, weights: Floats, use_case: UseCase, shape: tuple[int, int]) -> sparse.csr_array:
    """(n_users, n_items) float32 sums: repeats of a day once, decay relative to the newest event, capped; no zeros."""
    once = first_of_day(table.users, table.items, table.events, table.times)
    newest = float(table.times[-1]) if len(table) else 0.0
    faded = weights * decay(table.times, newest, use_case.weighting.halving_days)
    rows, columns = table.users[once], table.items[once]
    matrix = csr_of(faded[once], rows, columns, shape)
    matrix.data = capped(matrix.data, use_case.weighting.cap)
    matrix.eliminate_zeros()
    return matrix


def csr_of(weights: Floats, rows: AnyArray, columns: AnyArray, shape: tuple[int, int]) -> sparse.csr_array:
    """Weights by row and column, those of one place summed."""
    cells = (rows.astype(np.int32), columns.astype(np.int32))
    matrix: sparse.csr_array = sparse.coo_array((weights, cells), shape=shape).tocsr()
    matrix.sum_duplicates()
    return matrix


def popularity(matrix: sparse.csr_array) -> Floats:
    """(n_items,) sum over users of their positive weight with the item, after decay and cap."""
    positive = np.maximum(matrix.data, 0)
    return np.bincount(matrix.indices, weights=positive, minlength=matrix.shape[1]).astype(np.float32)


def histories(table: EventTable, n_users: int) -> Histories:
    """The newest events of every user, from a table ascending in time."""
    backwards = np.arange(len(table) - 1, -1, -1)
    order = backwards[np.argsort(table.users[backwards], kind="stable")]
    counts = np.bincount(table.users, minlength=n_users)
    starts = np.concatenate([[0], np.cumsum(counts)])
    rank = np.arange(len(table)) - np.repeat(starts[:-1], counts)
    selected = order[rank < SEEN_LIMIT]
    indptr = np.concatenate([[0], np.cumsum(np.minimum(counts, SEEN_LIMIT))]).astype(np.int64)
    events = table.events[selected].astype(np.uint8)
    return Histories(indptr, table.items[selected], events, table.times[selected], table.values[selected])
