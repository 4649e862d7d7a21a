"""What one export will hold, in memory: read fresh from a Source, or taken over from the version before."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import pairwise

import numpy as np
import pyarrow
from scipy import sparse

from recommendation_service.core.numeric import Floats
from recommendation_service.datasets import derived_signals, writer
from recommendation_service.datasets.event_table import EventTable, Keys, gather
from recommendation_service.datasets.impressions import Shown, ShownFeed, gather_shown
from recommendation_service.datasets.pair_outcomes import Matches, ordered
from recommendation_service.datasets.records import EventBatch, ItemRecord
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.ids import clean_id
from recommendation_service.domain.query import Profile
from recommendation_service.errors import DatasetError, InvalidInput
from recommendation_service.use_cases.schema import UseCase

Say = Callable[[str, int, float], None]  # stage, rows, seconds


@dataclass(frozen=True, slots=True)
class Source:
    """Where an export comes from; each stream is asked for once, in the order of these fields."""

    items: Callable[[], Iterable[ItemRecord]]
    people: Callable[[], Iterable[tuple[str, Profile]]]
    item_keys: Callable[[], Keys]
    user_keys: Callable[[], Keys]
    event_names: Sequence[str]  # the use case's own, then whatever else was recorded
    events: Callable[[], Iterable[EventBatch]]
    shown: ShownFeed | None = None  # the lists that were shown, where they are recorded
    matches: Callable[[], Matches | None] | None = None  # what pairs are learned from, where there are pairs


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """Everything that is written, with rows that agree with each other."""

    item_ids: IdMap
    records: Sequence[ItemRecord]  # in row order
    user_ids: IdMap
    profiles: Mapping[str, Profile]
    matrix: sparse.csr_array
    popularity: Floats
    histories: derived_signals.Histories
    event_names: Sequence[str]  # of the histories
    train: pyarrow.Table
    counts: Mapping[str, int]
    left_out: Mapping[str, int]
    newest_event: float | None  # seconds
    shown: Shown | None = None  # None: nobody records what is shown
    matches: Matches | None = None  # None: nothing is paired


@dataclass(slots=True)
class _Clean:
    """Items and people with ids that every door accepts; the others are counted."""

    records: list[ItemRecord] = field(default_factory=list)
    profiles: dict[str, Profile] = field(default_factory=dict)
    refused: int = 0

    def accepts(self, one: str) -> bool:
        try:
            clean = clean_id(one) == one
        except InvalidInput:
            clean = False
        self.refused += not clean
        return clean


def read(source: Source, use_case: UseCase, catalogue: str, *, now: float, say: Say, more_users: Sequence[str] = ()) -> Content:
    """All parts fresh. `more_users` get a row whether or not they did anything. Raises DatasetError with the fix."""
    clean = _Clean()
    with timed(say, "items") as count:
        clean.records = sorted((one for one in source.items() if clean.accepts(one.item_id)), key=lambda one: one.item_id)
        item_ids = _item_ids(clean, catalogue)
        count(len(clean.records))
    with timed(say, "people") as count:
        clean.profiles = {user_id: profile for user_id, profile in source.people() if clean.accepts(user_id)}
        count(len(clean.profiles))
    with timed(say, "interactions") as count:
        items, users, names = source.item_keys(), source.user_keys(), source.event_names
        everyone = [*clean.profiles, *more_users]
        user_ids, table, left = gather(
            source.events(), items=items, item_ids=item_ids, users=users, more_users=everyone, now=now
        )
        count(len(table))
    with timed(say, "weights") as count:
        table, names = derived_signals.with_names_in_use(table, names, use_case)
        weights = derived_signals.weights_of(table, use_case, names)
        matrix = derived_signals.interaction_matrix(table, weights, use_case, (len(user_ids), len(item_ids)))
        count(matrix.nnz)
    shown = None
    if source.shown is not None:
        with timed(say, "shown lists") as count:
            shown = gather_shown(
                source.shown, use_case, source.event_names, items=items, item_ids=item_ids, users=users, user_ids=user_ids
            )
            count(len(shown))
    matches = None
    if source.matches is not None:
        with timed(say, "matches") as count:
            matches = ordered(source.matches(), use_case)
            count(0 if matches is None else len(matches))
    return Content(
        item_ids=item_ids,
        records=clean.records,
        user_ids=user_ids,
        profiles=clean.profiles,
        matrix=matrix,
        popularity=derived_signals.popularity(matrix),
        histories=derived_signals.histories(table, len(user_ids)),
        event_names=names,
        train=writer.train_table(table, weights, names),
        counts=_counts(table, weights, matrix),
        left_out={**asdict(left), "refused_ids": clean.refused, "unknown_events": _unknown(table, names, use_case)},
        newest_event=float(table.times[-1]) if len(table) else None,
        shown=shown,
        matches=matches,
    )


def _item_ids(clean: _Clean, catalogue: str) -> IdMap:
    ids = [record.item_id for record in clean.records]
    if not ids:
        told = f" ({clean.refused} have ids that are not allowed)" if clean.refused else ""
        raise DatasetError(f"{catalogue}: no items{told}; add some, or widen the queryset of its ItemSource")
    twice = next((one for one, other in pairwise(ids) if one == other), None)
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
    }


def _unknown(table: EventTable, names: Sequence[str], use_case: UseCase) -> int:
    unknown = np.array([name not in use_case.events for name in names], dtype=np.bool_)
    return int(np.count_nonzero(unknown[table.events])) if len(table) else 0


@contextmanager
def timed(say: Say, stage: str) -> Iterator[Callable[[int], None]]:
    """Tell `say` how long a stage took, and the rows that the body counted."""
    started, rows = time.perf_counter(), [0]
    yield lambda count: rows.__setitem__(0, count)
    say(stage, rows[0], time.perf_counter() - started)
