"""The shown lists and their outcomes: gathers them for an export, writes and reads them.

An export has at most the newest NEWEST_LISTS, so that it does not grow with the age of a site. A partial export reads
all of them again, so that erased users are removed at once.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bytes, Floats, Ints
from recommendation_service.datasets.event_table import Keys, Lookup
from recommendation_service.datasets.weighting import event_weights
from recommendation_service.domain.idmap import IdMap
from recommendation_service.use_cases.schema import UseCase

SHOWN = "shown.npz"
NEWEST_LISTS = 20_000
NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class ListBatch:
    """Lists as columns of one length; `numbers` count all lists of the feed from 0, oldest first."""

    numbers: Ints
    users: Ints  # database keys, NOBODY: anonymous
    times: AnyArray  # float64 seconds since 1970-01-01 UTC
    surfaces: Sequence[str]
    methods: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class ShownBatch:
    """Shown items, in any order."""

    numbers: Ints  # of their lists
    items: Ints  # database keys
    positions: Ints
    scores: AnyArray
    parts: Sequence[str]  # a JSON object each


@dataclass(frozen=True, slots=True, eq=False)
class AnswerBatch:
    """Events that answer a list."""

    numbers: Ints
    items: Ints  # database keys
    events: Ints  # indices into the exporter's event names
    values: AnyArray  # float32, NaN where the event carries none


@dataclass(frozen=True, slots=True)
class ShownFeed:
    """The input of shown lists. Each stream receives the maximum number of lists and is read once, in this order."""

    lists: Callable[[int], Iterable[ListBatch]]
    items: Callable[[int], Iterable[ShownBatch]]
    answers: Callable[[int], Iterable[AnswerBatch]]


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Lists, oldest first; the items of list l are at indptr[l] to indptr[l + 1], in the order in which they were shown."""

    list_users: AnyArray  # (n_lists,) user rows, NOBODY: anonymous, or not in this export
    list_times: AnyArray  # (n_lists,) float64 seconds
    list_surfaces: AnyArray  # (n_lists,) indices into surface_names
    list_methods: AnyArray  # (n_lists,) indices into method_names
    surface_names: Bytes
    method_names: Bytes
    indptr: AnyArray  # (n_lists + 1,)
    items: AnyArray  # (n,) item rows; items that left the catalogue are left out
    positions: AnyArray  # (n,) from 1
    scores: Floats  # (n,)
    labels: Floats  # (n,) weight of the best event that answers the list with this item; 0: nothing happened
    parts_end: AnyArray  # (n,) where each item's JSON ends in `parts`
    parts: AnyArray  # uint8

    def __len__(self) -> int:
        return int(self.list_times.size)

    def counts(self) -> dict[str, int]:
        """Numbers of lists, shown items, and lists with a positive answer, for the summary of the export."""
        return {"lists": len(self), "items": int(self.items.size), "answered": int(self.answered().sum())}

    def answered(self) -> AnyArray:
        """(n_lists,) True where at least one item has a label above 0."""
        good = np.concatenate([[0], np.cumsum(self.labels > 0)])
        return np.asarray(good[self.indptr[1:]] > good[self.indptr[:-1]])

    def surfaces(self) -> list[str]:
        """Names of the surfaces, by the index in `list_surfaces`."""
        return [name.decode() for name in self.surface_names.tolist()]

    def parts_of(self, start: int, stop: int) -> list[Mapping[str, float]]:
        """The recorded parts of the scores of the items from `start` to `stop`."""
        ends = [int(self.parts_end[start - 1]) if start else 0, *self.parts_end[start:stop].tolist()]
        raw = self.parts[ends[0] : ends[-1]].tobytes()
        return [json.loads(raw[begin - ends[0] : end - ends[0]] or b"{}") for begin, end in pairwise(ends)]


def gather_shown(
    feed: ShownFeed,
    use_case: UseCase,
    event_names: Sequence[str],
    *,
    items: Keys,
    item_ids: IdMap,
    users: Keys,
    user_ids: IdMap,
    most: int = NEWEST_LISTS,
) -> Shown:
    """Gather the newest `most` lists of `feed` in rows, without lists whose items have all left the catalogue."""
    item_rows = Lookup(items.keys, item_ids.rows_of_bytes(items.ids))
    user_rows = Lookup(users.keys, user_ids.rows_of_bytes(users.ids))
    lists = _joined_lists(feed.lists(most), user_rows)
    numbers, rows, positions, scores, texts = _joined_items(feed.items(most), item_rows)
    labels = _labels(feed.answers(most), use_case, event_names, item_rows, len(item_ids), numbers * len(item_ids) + rows)
    present, sizes = np.unique(numbers, return_counts=True)
    surface_names, surfaces = np.unique(lists["surfaces"][present], return_inverse=True)
    method_names, methods = np.unique(lists["methods"][present], return_inverse=True)
    return Shown(
        list_users=lists["users"][present].astype(np.int32),
        list_times=lists["times"][present],
        list_surfaces=surfaces.astype(np.int16),
        list_methods=methods.astype(np.int16),
        surface_names=surface_names,
        method_names=method_names,
        indptr=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        items=rows.astype(np.int32),
        positions=positions.astype(np.int16),
        scores=scores.astype(np.float32),
        labels=labels,
        parts_end=np.cumsum([len(text) for text in texts], dtype=np.int64),
        parts=np.frombuffer(b"".join(texts), dtype=np.uint8),
    )


def write_shown(folder: Path, shown: Shown) -> None:
    """`shown.npz`: the same lists make the same bytes."""
    np.savez(folder / SHOWN, **{name: getattr(shown, name) for name in Shown.__slots__})


def read_shown(folder: Path) -> Shown:
    """What `write_shown` wrote."""
    with np.load(folder / SHOWN, allow_pickle=False) as arrays:
        return Shown(**{name: arrays[name] for name in Shown.__slots__})


def _joined_lists(batches: Iterable[ListBatch], user_rows: Lookup) -> dict[str, AnyArray]:
    """Columns by list number."""
    all_batches = list(batches)
    order = np.argsort(_joined([batch.numbers for batch in all_batches], np.int64), kind="stable")
    columns = {
        "users": _joined([user_rows.rows(batch.users) for batch in all_batches], np.int32),
        "times": _joined([batch.times for batch in all_batches], np.float64),
        "surfaces": _texts([name for batch in all_batches for name in batch.surfaces]),
        "methods": _texts([name for batch in all_batches for name in batch.methods]),
    }
    return {name: column[order] for name, column in columns.items()}


def _joined_items(batches: Iterable[ShownBatch], item_rows: Lookup) -> tuple[Ints, Ints, AnyArray, AnyArray, list[bytes]]:
    """List numbers, item rows, positions, scores and parts of the items that still exist, by list and position."""
    all_batches = [(batch, item_rows.rows(batch.items)) for batch in batches]
    numbers = _joined([batch.numbers for batch, _ in all_batches], np.int64)
    rows = _joined([rows for _, rows in all_batches], np.int64)
    positions, scores = (
        _joined([getattr(batch, side) for batch, _ in all_batches], np.float64) for side in ("positions", "scores")
    )
    texts = [text for batch, _ in all_batches for text in batch.parts]
    order = np.lexsort((positions, numbers))
    order = order[rows[order] >= 0]
    chosen = [texts[index].encode() for index in order.tolist()]
    return numbers[order], rows[order].astype(np.int64), positions[order], scores[order], chosen


def _labels(
    batches: Iterable[AnswerBatch],
    use_case: UseCase,
    event_names: Sequence[str],
    item_rows: Lookup,
    n_items: int,
    indices: Ints,
) -> Floats:
    """(n,) labels of the shown items. `indices` combine list and row in one number; a list shows an item once."""
    best = np.full(indices.size, -np.inf, dtype=np.float32)
    order = np.argsort(indices, kind="stable")
    for batch in batches:
        rows = item_rows.rows(batch.items).astype(np.int64)
        weights = event_weights(use_case, batch.events.astype(np.int64), batch.values, event_names)
        wanted = batch.numbers * n_items + rows
        positions = np.minimum(np.searchsorted(indices, wanted, sorter=order), max(indices.size - 1, 0))
        hit = (rows >= 0) & (indices[order][positions] == wanted) if indices.size else np.zeros(rows.size, dtype=np.bool_)
        np.maximum.at(best, order[positions[hit]], weights[hit])
    return np.where(np.isfinite(best), best, 0).astype(np.float32)


def _joined(parts: Sequence[AnyArray], dtype: type) -> AnyArray:
    return np.concatenate(parts) if parts else np.empty(0, dtype=dtype)


def _texts(texts: Sequence[str]) -> Bytes:
    return np.array([text.encode() for text in texts], dtype=np.bytes_) if texts else np.empty(0, dtype="S1")
