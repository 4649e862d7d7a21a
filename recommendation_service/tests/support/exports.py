"""Exports of made-up sites for tests of training: written by the real writer, without a database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recommendation_service.datasets import export
from recommendation_service.datasets.event_table import Keys
from recommendation_service.datasets.export_content import Source
from recommendation_service.datasets.impressions import ShownFeed
from recommendation_service.datasets.pair_outcomes import Matches
from recommendation_service.datasets.reader import Dataset
from recommendation_service.datasets.records import EventBatch, ItemRecord
from recommendation_service.datasets.weighting import DAY_S
from recommendation_service.domain.idmap import IdMap
from recommendation_service.use_cases.schema import UseCase

NOW = 1_700_000_000.0
Profiles = Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a made-up site."""

    user_id: str
    item_id: str
    event: str
    time: float
    value: float = float("nan")


def write_export(
    data_dir: Path,
    use_case: UseCase,
    items: Sequence[ItemRecord],
    happenings: Sequence[Happening],
    profiles: Profiles | None = None,
    *,
    now: float = NOW,
    catalogue: str = "",
    matches: Matches | None = None,
    shown: ShownFeed | None = None,
) -> Dataset:
    """Publish an export of that catalogue, or the use case's first, and open it; database keys are the ids' rows."""
    catalogue, names = catalogue or use_case.catalogues[0], list(use_case.events)
    item_ids, user_ids = IdMap.of(one.item_id for one in items), IdMap.of(one.user_id for one in happenings)
    batch = EventBatch(
        user_ids.rows([one.user_id for one in happenings]),
        item_ids.rows([one.item_id for one in happenings]),
        np.array([names.index(one.event) for one in happenings], dtype=np.int64),
        np.array([one.value for one in happenings], dtype=np.float32),
        np.array([one.time for one in happenings], dtype=np.float64),
    )
    source = Source(
        items=lambda: items,
        people=lambda: ((user_id, dict(profile)) for user_id, profile in (profiles or {}).items()),
        item_keys=lambda: _keys(item_ids),
        user_keys=lambda: _keys(user_ids),
        event_names=names,
        events=lambda: [batch],
        shown=shown,
        matches=None if matches is None else lambda: matches,
    )
    export.write_export(data_dir, use_case, catalogue, source, now=now)
    return Dataset.open(data_dir, catalogue)


def _keys(ids: IdMap) -> Keys:
    return Keys(np.arange(len(ids), dtype=np.int64), ids.array)


def clubs(
    *, people: int = 40, items: int = 24, events_each: int = 8, clubs_count: int = 2, seed: int = 0
) -> tuple[list[ItemRecord], list[Happening], dict[str, dict[str, tuple[str, ...]]]]:
    """A site whose right answer is known: person p likes only items of club p % clubs_count."""
    rng = np.random.default_rng(seed)
    records = [
        ItemRecord(
            f"i{row:03d}", f"Item {row}", f"word{row % clubs_count} common", f"c{row % clubs_count}", (f"t{row % clubs_count}",)
        )
        for row in range(items)
    ]
    happenings = []
    for person in range(people):
        own = np.arange(person % clubs_count, items, clubs_count)
        for step, row in enumerate(rng.choice(own, size=min(events_each, own.size), replace=False)):
            happenings.append(Happening(f"u{person:03d}", f"i{row:03d}", "like", NOW - (events_each - step) * DAY_S - person))
    profiles = {f"u{person:03d}": {"skills": (f"t{person % clubs_count}",)} for person in range(people)}
    return records, happenings, profiles
