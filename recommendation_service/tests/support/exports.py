"""Writes a small export in the documented format, so that tests of training need no database."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
from scipy import sparse

from recommendation_service.datasets.files import SUMMARY, Dataset, export_folder
from recommendation_service.datasets.records import FORMAT, ItemRecord
from recommendation_service.datasets.weighting import DAY_S, capped, decay, event_weights, first_of_day
from recommendation_service.domain.history import HISTORY_LIMIT
from recommendation_service.domain.idmap import IdMap
from recommendation_service.numeric import AnyArray
from recommendation_service.use_cases.schema import UseCase
from recommendation_service.versioned import file_seal

NOW = 1_700_000_000.0


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
    profiles: Mapping[str, Mapping[str, tuple[str, ...]]] | None = None,
    *,
    now: float = NOW,
) -> Dataset:
    """Publish an export of `use_case.catalogues[0]` and open it."""
    catalogue, people = use_case.catalogues[0], dict(profiles or {})
    item_ids, user_ids = IdMap.of(one.item_id for one in items), IdMap.of([*people, *(one.user_id for one in happenings)])
    names = list(use_case.events)
    ordered = sorted(happenings, key=lambda one: one.time)
    users, rows = user_ids.rows([one.user_id for one in ordered]), item_ids.rows([one.item_id for one in ordered])
    events = np.array([names.index(one.event) for one in ordered], dtype=np.int64)
    times = np.array([one.time for one in ordered], dtype=np.float64)
    values = np.array([one.value for one in ordered], dtype=np.float32)
    weights = event_weights(use_case, events, values, names)
    once = first_of_day(users, rows, events, times)
    place = export_folder(data_dir, catalogue)
    with place.draft() as draft:
        np.save(draft / "item_ids.npy", item_ids.array)
        np.save(draft / "user_ids.npy", user_ids.array)
        shape = (len(user_ids), len(item_ids))
        faded = np.where(once, weights * decay(times, now, use_case.weighting.half_life_days), 0)
        matrix = sparse.csr_array((faded, (users, rows)), shape=shape, dtype=np.float32)
        matrix.sum_duplicates()
        matrix.data = capped(matrix.data, use_case.weighting.cap)
        sparse.save_npz(draft / "als_interactions.npz", sparse.csr_matrix(matrix))
        popularity = np.bincount(rows, weights=np.where(once & (weights > 0), weights, 0), minlength=len(item_ids))
        _write_items(draft, items, item_ids, popularity)
        _write_profiles(draft, people, user_ids)
        _write_events(draft, names, users, rows, events, weights, times)
        _write_histories(draft, len(user_ids), users, rows, events, times, values)
        summary = _summary(draft, catalogue, names, shape, times)
        (draft / SUMMARY).write_text(json.dumps(summary), encoding="ascii")
        seal = file_seal(draft / SUMMARY)
        version = place.claim(draft)
    place.point_to(version, seal)
    return Dataset.open(data_dir, catalogue)


def _write_items(draft: Path, items: Sequence[ItemRecord], item_ids: IdMap, popularity: AnyArray) -> None:
    by_id = {one.item_id: one for one in items}
    lines = [{**asdict(by_id[name]), "popularity": float(popularity[row])} for row, name in enumerate(item_ids.ids())]
    (draft / "catalogue.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def _write_profiles(draft: Path, people: Mapping[str, Any], user_ids: IdMap) -> None:
    lines = [(json.dumps(people.get(name, {})) + "\n").encode() for name in user_ids.ids()]
    (draft / "profiles.jsonl").write_bytes(b"".join(lines))
    np.save(draft / "profile_offsets.npy", np.cumsum([0, *map(len, lines)], dtype=np.int64))


def _write_events(
    draft: Path, names: list[str], users: AnyArray, rows: AnyArray, events: AnyArray, weights: AnyArray, times: AnyArray
) -> None:
    columns = {
        "user_index": users.astype(np.int32),
        "item_index": rows.astype(np.int32),
        "event": np.array(names)[events] if len(events) else np.array([], dtype=str),
        "weight": weights,
        "timestamp": times,
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), draft / "two_tower_train.parquet")


def _write_histories(
    draft: Path, n_users: int, users: AnyArray, rows: AnyArray, events: AnyArray, times: AnyArray, values: AnyArray
) -> None:
    order = np.lexsort((-times, users))
    place = np.arange(order.size) - np.searchsorted(users[order], users[order])
    kept = order[place < HISTORY_LIMIT]
    np.save(draft / "history_indptr.npy", np.searchsorted(users[kept], np.arange(n_users + 1)).astype(np.int64))
    np.save(draft / "history_items.npy", rows[kept].astype(np.int32))
    np.save(draft / "history_events.npy", events[kept].astype(np.uint8))
    np.save(draft / "history_times.npy", times[kept])
    np.save(draft / "history_values.npy", values[kept])


def _summary(draft: Path, catalogue: str, names: list[str], shape: tuple[int, int], times: AnyArray) -> dict[str, Any]:
    files = {path.name: file_seal(path) for path in sorted(draft.iterdir())}
    return {
        "format": FORMAT,
        "catalogue": catalogue,
        "event_names": names,
        "counts": {"users": shape[0], "items": shape[1], "events": int(times.size)},
        "newest_event": float(times.max()) if times.size else None,
        "fingerprint": sha256("".join(files.values()).encode()).hexdigest(),
        "files": files,
    }


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
