"""Turns a stream of events with database keys into one table in time order, and computes weights and histories from it.

Arrays only: there is no object per event.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Bytes, Floats, Ints
from recommendation_service.datasets.records import EventBatch
from recommendation_service.datasets.weighting import capped, decay, event_weights, first_of_day, newest_time, voices
from recommendation_service.domain.history import SEEN_LIMIT, UNKNOWN_TIME
from recommendation_service.domain.idmap import IdMap
from recommendation_service.errors import DatasetError
from recommendation_service.use_cases.schema import UseCase

MAX_NAMES = 256  # a history stores the index of an event's name in one byte
COLUMN_TYPES = {"users": np.int32, "items": np.int32, "events": np.int16, "values": np.float32, "times": np.float64}
DENSE_SPARE = 1_000_000  # a key table with fewer gaps than this is looked up directly instead of searched


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """Outside ids by integer keys of the database."""

    keys: Ints  # (n,) unique, in any order
    ids: Bytes  # (n,)


@dataclass(frozen=True, slots=True, eq=False)
class EventTable:
    """Events as arrays of one length, ascending in time, unknown times first; equal times in the order of arrival."""

    users: AnyArray  # int32 rows
    items: AnyArray  # int32 rows
    events: AnyArray  # int16 indices into the event names
    values: AnyArray  # float32, NaN where there is none
    times: AnyArray  # float64 seconds since 1970-01-01 UTC, UNKNOWN_TIME where it is unknown

    def __len__(self) -> int:
        return int(self.users.size)

    def take(self, rows: AnyArray) -> "EventTable":
        """The events of these rows or of this mask."""
        return EventTable(*(getattr(self, name)[rows] for name in COLUMN_TYPES))


@dataclass(slots=True)
class Left:
    """Numbers of events that were left out or changed."""

    gone_items: int = 0  # events with items that the catalogue does not hold now
    gone_users: int = 0  # events of users without an id
    future: int = 0  # events dated after now, moved to the newest time before it


class Lookup:
    """Integer key -> row, -1 for an unknown key."""

    def __init__(self, keys: Ints, rows: Ints) -> None:
        """(n,) unique keys in any order, and the row of each."""
        order = np.argsort(keys, kind="stable")
        self._keys, self._rows = keys[order], rows[order].astype(np.int32)
        self._dense: AnyArray | None = None
        if keys.size and self._keys[0] >= 0 and self._keys[-1] < 4 * keys.size + DENSE_SPARE:
            self._dense = np.full(int(self._keys[-1]) + 2, -1, dtype=np.int32)  # the last entry stays -1
            self._dense[self._keys] = self._rows

    def rows(self, keys: AnyArray) -> AnyArray:
        """(k,) int32 rows of the keys."""
        if not self._keys.size:
            return np.full(keys.size, -1, dtype=np.int32)
        if self._dense is not None:
            last = self._dense.size - 1
            indices = np.where((keys >= 0) & (keys < last), keys, last)
            return np.asarray(self._dense[indices])
        indices = np.minimum(np.searchsorted(self._keys, keys), self._keys.size - 1)
        return np.where(self._keys[indices] == keys, self._rows[indices], np.int32(-1)).astype(np.int32)


def gather(
    batches: Iterable[EventBatch],
    *,
    items: Keys,
    item_ids: IdMap,
    users: Keys,
    more_users: Sequence[str],
    now: float,
) -> tuple[IdMap, EventTable, Left]:
    """All events in rows of `item_ids` and of the user ids that come back: users with an event, and `more_users`.

    An event dated after `now` counts as of the newest time that is not after it, so that an export of the same events
    is the same on every day. The batches are in the order of arrival, which equal times keep.
    """
    left = Left()
    item_rows = Lookup(items.keys, item_ids.rows_of_bytes(items.ids))
    user_indices = Lookup(users.keys, np.arange(users.keys.size, dtype=np.int64))
    tables: list[EventTable] = [_known_rows(batch, item_rows, user_indices, left) for batch in batches]
    table = _joined(tables)
    tables.clear()
    present = np.zeros(users.keys.size, dtype=np.bool_)
    present[table.users] = True
    user_ids = IdMap.of([*more_users, *(user_id.decode() for user_id in users.ids[present].tolist())])
    row_of = np.full(users.keys.size, -1, dtype=np.int32)
    row_of[present] = user_ids.rows_of_bytes(users.ids[present])
    times = _without_future(table.times, now, left)
    table = EventTable(row_of[table.users], table.items, table.events, table.values, times)
    return user_ids, _ordered(table), left


def _known_rows(batch: EventBatch, item_rows: Lookup, user_indices: Lookup, left: Left) -> EventTable:
    items, users = item_rows.rows(batch.items), user_indices.rows(batch.users)
    no_item, no_user = items < 0, users < 0
    left.gone_items += int(np.count_nonzero(no_item))
    left.gone_users += int(np.count_nonzero(no_user & ~no_item))
    events, values = batch.events.astype(np.int16), batch.values.astype(np.float32, copy=False)
    table = EventTable(users, items, events, values, batch.times)
    return table.take(~(no_item | no_user)) if no_item.any() or no_user.any() else table


def _joined(tables: Sequence[EventTable]) -> EventTable:
    columns = ([np.empty(0, dtype), *(getattr(table, name) for table in tables)] for name, dtype in COLUMN_TYPES.items())
    return EventTable(*(np.concatenate(parts) for parts in columns))


def _without_future(times: AnyArray, now: float, left: Left) -> AnyArray:
    future = times > now
    left.future = int(np.count_nonzero(future))
    if not left.future:
        return times
    earlier = times[~future & (times != UNKNOWN_TIME)]
    return np.where(future, earlier.max() if earlier.size else now, times)


def _ordered(table: EventTable) -> EventTable:
    """Sort as `EventTable` requires, from the order of arrival."""
    return table.take(np.argsort(table.times, kind="stable"))


@dataclass(frozen=True, slots=True, eq=False)
class Histories:
    """Every user's newest events, at most SEEN_LIMIT each, newest first; events of row u: indptr[u] to indptr[u+1]."""

    indptr: AnyArray  # (n_users + 1,) int64
    items: AnyArray  # int32
    events: AnyArray  # uint8 indices into the event names
    times: AnyArray  # float64 seconds, UNKNOWN_TIME where it is unknown
    values: AnyArray  # float32, NaN where there is none


def with_names_in_use(table: EventTable, names: Sequence[str], use_case: UseCase) -> tuple[EventTable, tuple[str, ...]]:
    """Reduce the names to those of the use case and those that occur. Raises DatasetError if there are more than 256."""
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
    faded = weights * decay(table.times, newest_time(table.times), use_case.weighting.halving_days)
    rows, columns = table.users[once], table.items[once]
    matrix = csr_of(faded[once], rows, columns, shape)
    matrix.data = capped(matrix.data, use_case.weighting.cap)
    matrix.eliminate_zeros()
    return matrix


def csr_of(weights: Floats, rows: AnyArray, columns: AnyArray, shape: tuple[int, int]) -> sparse.csr_array:
    """Weights by row and column; weights of the same cell are summed."""
    cells = (rows.astype(np.int32), columns.astype(np.int32))
    matrix: sparse.csr_array = sparse.coo_array((weights, cells), shape=shape).tocsr()
    matrix.sum_duplicates()
    return matrix


def popularity(matrix: sparse.csr_array) -> Floats:
    """(n_items,) number of users with a positive weight, as `voices` counts them."""
    positive = voices(matrix.data)
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
