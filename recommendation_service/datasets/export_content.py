"""The content of one export in memory: read from a Source, or partly taken over from the version before."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import pairwise

import numpy as np
import pyarrow
import pyarrow.parquet
from scipy import sparse

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.datasets.event_table import (
    EventTable,
    Histories,
    Keys,
    csr_of,
    gather,
    histories,
    interaction_matrix,
    popularity,
    weights_of,
    with_names_in_use,
)
from recommendation_service.datasets.impressions import Shown, ShownFeed, gather_shown
from recommendation_service.datasets.pair_outcomes import Matches, ordered
from recommendation_service.datasets.reader import Dataset
from recommendation_service.datasets.records import EventBatch, ItemRecord
from recommendation_service.datasets.weighting import newest_time
from recommendation_service.datasets.writer import TRAIN, TRAIN_SCHEMA, train_table
from recommendation_service.domain.history import UNKNOWN_TIME
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.ids import clean_id
from recommendation_service.domain.query import Profile
from recommendation_service.errors import DatasetError, InvalidInput
from recommendation_service.use_cases.schema import UseCase

Say = Callable[[str, int, float], None]  # stage, rows, seconds


@dataclass(frozen=True, slots=True)
class Source:
    """The input of an export; each stream is read once, in the order of these fields."""

    items: Callable[[], Iterable[ItemRecord]]
    people: Callable[[], Iterable[tuple[str, Profile]]]
    item_keys: Callable[[], Keys]
    user_keys: Callable[[], Keys]
    event_names: Sequence[str]  # of the use case, then any others that were recorded
    events: Callable[[], Iterable[EventBatch]]
    shown: ShownFeed | None = None  # the lists that were shown, where they are recorded
    matches: Callable[[], Matches | None] | None = None  # pairs to learn from, in a use case with pairs


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """Everything that is written, with rows that agree with each other."""

    item_ids: IdMap
    records: Sequence[ItemRecord]  # in row order
    user_ids: IdMap
    profiles: Mapping[str, Profile]
    matrix: sparse.csr_array
    popularity: Floats
    histories: Histories
    event_names: Sequence[str]  # of the histories
    train: pyarrow.Table
    counts: Mapping[str, int]
    left_out: Mapping[str, int]
    newest_event: float | None  # seconds
    shown: Shown | None = None  # None: lists are not recorded
    matches: Matches | None = None  # None: a use case without pairs


def read(source: Source, use_case: UseCase, catalogue: str, *, now: float, say: Say, more_users: Sequence[str] = ()) -> Content:
    """Read all parts. `more_users` get a row, with or without events. Raises DatasetError with the fix."""
    with timed(say, "items") as count:
        every_item = list(source.items())
        records = sorted((record for record in every_item if _is_clean(record.item_id)), key=lambda record: record.item_id)
        refused_items = len(every_item) - len(records)
        item_ids = _item_ids(records, refused_items, catalogue)
        count(len(records))
    with timed(say, "people") as count:
        everyone = dict(source.people())
        profiles = {user_id: profile for user_id, profile in everyone.items() if _is_clean(user_id)}
        refused_users = len(everyone) - len(profiles)
        count(len(profiles))
    with timed(say, "interactions") as count:
        items, users, names = source.item_keys(), source.user_keys(), source.event_names
        more_users = [*profiles, *more_users]
        user_ids, table, left = gather(
            source.events(), items=items, item_ids=item_ids, users=users, more_users=more_users, now=now
        )
        count(len(table))
    with timed(say, "weights") as count:
        table, names = with_names_in_use(table, names, use_case)
        weights = weights_of(table, use_case, names)
        matrix = interaction_matrix(table, weights, use_case, (len(user_ids), len(item_ids)))
        count(matrix.nnz)
    shown = _shown(source, use_case, items, users, item_ids, user_ids, say)
    matches = _matches(source, use_case, say)
    return Content(
        item_ids=item_ids,
        records=records,
        user_ids=user_ids,
        profiles=profiles,
        matrix=matrix,
        popularity=popularity(matrix),
        histories=histories(table, len(user_ids)),
        event_names=names,
        train=train_table(table, weights, names),
        counts=_counts(table, weights, matrix),
        left_out={
            **asdict(left),
            "refused_ids": refused_items + refused_users,
            "unknown_events": _unknown(table, names, use_case),
        },
        newest_event=newest_time(table.times) or None,
        shown=shown,
        matches=matches,
    )


def _shown(
    source: Source, use_case: UseCase, items: Keys, users: Keys, item_ids: IdMap, user_ids: IdMap, say: Say
) -> Shown | None:
    """Return the shown lists, or None if the source does not record them."""
    if source.shown is None:
        return None
    with timed(say, "shown lists") as count:
        shown = gather_shown(
            source.shown, use_case, source.event_names, items=items, item_ids=item_ids, users=users, user_ids=user_ids
        )
        count(len(shown))
    return shown


def _matches(source: Source, use_case: UseCase, say: Say) -> Matches | None:
    """Return the matches of pairs, or None for a use case without pairs."""
    if source.matches is None:
        return None
    with timed(say, "matches") as count:
        matches = ordered(source.matches(), use_case)
        count(0 if matches is None else len(matches))
    return matches


def _is_clean(outside_id: str) -> bool:
    try:
        return clean_id(outside_id) == outside_id
    except InvalidInput:
        return False


def _item_ids(records: Sequence[ItemRecord], refused: int, catalogue: str) -> IdMap:
    ids = [record.item_id for record in records]
    if not ids:
        note = f" ({refused} have ids that are not allowed)" if refused else ""
        raise DatasetError(f"{catalogue}: no items{note}; add some, or widen the queryset of its ItemSource")
    twice = next((item_id for item_id, following in pairwise(ids) if item_id == following), None)
    if twice is not None:
        raise DatasetError(f"{catalogue}: item '{twice}' comes twice; add .distinct() to the queryset of its ItemSource")
    return IdMap.of(ids)


def _counts(table: EventTable, weights: Floats, matrix: sparse.csr_array) -> dict[str, int]:
    return {
        "interactions": len(table),
        "positive_interactions": int(np.count_nonzero(weights > 0)),
        "pairs": int(matrix.nnz),
        "positive_pairs": int(np.count_nonzero(matrix.data > 0)),
        "users_with_events": int(np.unique(table.users).size),
        "items_with_events": int(np.unique(table.items).size),
        "unknown_times": int(np.count_nonzero(table.times == UNKNOWN_TIME)),
    }


def _unknown(table: EventTable, names: Sequence[str], use_case: UseCase) -> int:
    unknown = np.array([name not in use_case.events for name in names], dtype=np.bool_)
    return int(np.count_nonzero(unknown[table.events])) if len(table) else 0


@contextmanager
def timed(say: Say, stage: str) -> Iterator[Callable[[int], None]]:
    """Report to `say` the seconds of a stage and the rows that the body counted."""
    started, rows = time.perf_counter(), [0]
    yield lambda count: rows.__setitem__(0, count)
    say(stage, rows[0], time.perf_counter() - started)


def read_partly(
    source: Source, use_case: UseCase, catalogue: str, before: Dataset, fresh: Collection[str], *, now: float, say: Say
) -> Content:
    """Read the parts in `fresh` from `source` and the others from `before`, whose users all get a row again."""
    if "catalogue" not in fresh:
        source = replace(
            source, items=before.records, people=lambda: zip(before.user_ids.ids(), before.profiles(), strict=True)
        )
    if set(fresh) == {"catalogue"}:
        source = replace(source, events=lambda: ())
    content = read(source, use_case, catalogue, now=now, say=say, more_users=before.user_ids.ids())
    users = content.user_ids.rows_of_bytes(before.user_ids.array)
    items = content.item_ids.rows_of_bytes(before.item_ids.array)
    if "two_tower" not in fresh:
        content = replace(content, train=_train(before, users, items))
    if "als" not in fresh:
        content = _als(content, before, users, items)
    return content


def _train(before: Dataset, users: Ints, items: Ints) -> pyarrow.Table:
    table = pyarrow.parquet.read_table(before.folder / f"{TRAIN}.parquet", schema=TRAIN_SCHEMA)
    user_rows = users[table.column("user_index").to_numpy()].astype(np.int32)
    item_rows = items[table.column("item_index").to_numpy()].astype(np.int32)
    table = table.set_column(0, TRAIN_SCHEMA.field(0), pyarrow.array(user_rows))
    table = table.set_column(1, TRAIN_SCHEMA.field(1), pyarrow.array(item_rows))
    return table.filter(pyarrow.array(item_rows >= 0))


def _als(content: Content, before: Dataset, users: Ints, items: Ints) -> Content:
    old = before.interactions().tocoo()
    rows, columns = users[old.coords[0]], items[old.coords[1]]
    present = columns >= 0
    shape = (len(content.user_ids), len(content.item_ids))
    matrix = csr_of(old.data[present], rows[present], columns[present], shape)
    counts = {name: before.summary["counts"].get(name, 0) for name in content.counts}
    return replace(
        content,
        matrix=matrix,
        popularity=popularity(matrix),
        histories=_histories(before, users, items, content.user_ids),
        event_names=tuple(before.summary["event_names"]),
        counts=counts,
        newest_event=before.summary["newest_event"],
    )


def _histories(before: Dataset, users: Ints, items: Ints, user_ids: IdMap) -> Histories:
    """The histories of `before` in new rows. Ids are sorted in both versions, so users stay in the same order."""
    indptr = before.array("history_indptr")
    rows = items[before.array("history_items")]
    owners = np.repeat(users, np.diff(indptr))
    present = rows >= 0
    counts = np.bincount(owners[present], minlength=len(user_ids))
    events, times, values = (before.array(f"history_{name}")[present] for name in ("events", "times", "values"))
    return Histories(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), rows[present].astype(np.int32), events, times, values
    )
