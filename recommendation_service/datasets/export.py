"""Publishes the export of one catalogue: reads everything once, writes to a draft, then changes one pointer.

After a crash or kill -9 the last export stays readable; a later run removes the draft.
"""

import os
import shutil
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from json import dumps
from pathlib import Path
from typing import Any

from recommendation_service.datasets import writer
from recommendation_service.datasets.export_content import Content, Say, Source, read, read_partly, timed
from recommendation_service.datasets.impressions import write_shown
from recommendation_service.datasets.pair_outcomes import write_matches
from recommendation_service.datasets.reader import SUMMARY, Dataset, export_folder
from recommendation_service.datasets.records import FORMAT
from recommendation_service.errors import DatasetError
from recommendation_service.publishing.versions import VersionedFolder, sha256_of
from recommendation_service.use_cases.schema import UseCase

PARTS = ("catalogue", "als", "two_tower")
KEEP_VERSIONS = 3
ABANDONED_S = 6 * 3600.0
STABLE_NAMES = (
    "als_interactions.npz",
    "als_user_mapping.json",
    "als_item_mapping.json",
    f"{writer.TRAIN}.csv",
    f"{writer.TRAIN}.parquet",
)
NOT_COMPARED = f"{writer.TRAIN}.parquet"  # names the version of the library that wrote it; the .csv says the same


@dataclass(frozen=True, slots=True)
class Exported:
    """What was published."""

    folder: Path
    summary: Mapping[str, Any]


def _no_progress(_stage: str, _rows: int, _seconds: float) -> None:
    """Report nothing."""


def write_export(
    data_dir: Path,
    use_case: UseCase,
    catalogue: str,
    source: Source,
    *,
    now: float,
    fresh: Collection[str] = PARTS,
    say: Say = _no_progress,
) -> Exported:
    """Write a new version and publish it. `now` is seconds since 1970 UTC.

    Parts that are not in `fresh` are taken over from the version before, in the rows of the new one; with no readable
    version before, every part is fresh. Raises DatasetError, with the fix, and publishes nothing, when the catalogue
    has no items or two with one id.
    """
    folder = export_folder(data_dir, catalogue)
    before = None if set(fresh) >= set(PARTS) else _before(data_dir, catalogue)
    if before is None:
        content = read(source, use_case, catalogue, now=now, say=say)
    else:
        content = read_partly(source, use_case, catalogue, before, fresh, now=now, say=say)
    _sweep(folder)
    with folder.draft() as draft:
        with timed(say, "files") as count:
            count(_write(draft, content))
        with timed(say, "publish") as count:
            summary = _summary(draft, content, use_case, catalogue, PARTS if before is None else fresh)
            (draft / SUMMARY).write_text(dumps(summary, indent=1), encoding="ascii")
            seal = sha256_of(draft / SUMMARY)
            version = folder.claim(draft)
            folder.publish(version, seal)
            folder.prune(KEEP_VERSIONS)
            _link(folder, version)
            count(len(summary["files"]))
    return Exported(folder.path(version), summary)


def _before(data_dir: Path, catalogue: str) -> Dataset | None:
    try:
        return Dataset.open(data_dir, catalogue)
    except DatasetError:
        return None


def _write(draft: Path, content: Content) -> int:
    writer.write_items(draft, content.item_ids, content.records, content.popularity)
    writer.write_people(draft, content.user_ids, content.profiles)
    writer.write_matrix(draft, content.matrix, content.user_ids, content.item_ids)
    writer.write_histories(draft, content.histories)
    writer.write_train(draft, content.train, content.user_ids, content.item_ids)
    if content.shown is not None:
        write_shown(draft, content.shown)
    if content.matches is not None:
        write_matches(draft, content.matches)
    return int(content.train.num_rows)


def _summary(draft: Path, content: Content, use_case: UseCase, catalogue: str, fresh: Collection[str]) -> dict[str, Any]:
    files = {path.name: sha256_of(path) for path in sorted(draft.iterdir())}
    return {
        "format": FORMAT,
        "use_case": use_case.name,
        "catalogue": catalogue,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "fresh_parts": [part for part in PARTS if part in fresh],
        "fingerprint": _fingerprint(catalogue, files),
        "newest_event": content.newest_event,
        "counts": {"items": len(content.item_ids), "users": len(content.user_ids), **content.counts},
        "left_out": dict(content.left_out),
        "shown": None if content.shown is None else content.shown.counts(),
        **({} if content.matches is None else {"matches": content.matches.counts()}),
        "event_names": list(content.event_names),
        "weights": {
            "events": {name: rule.model_dump() for name, rule in use_case.events.items()},
            **use_case.weighting.model_dump(),
        },
        "files": files,
    }


def _fingerprint(catalogue: str, files: Mapping[str, str]) -> str:
    digest = sha256(catalogue.encode())
    for name, seal in files.items():
        if name != NOT_COMPARED:
            digest.update(f"\n{name} {seal}".encode())
    return digest.hexdigest()


def _link(folder: VersionedFolder, version: str) -> None:
    """Link the files for people and other programs under names without a version."""
    for name in STABLE_NAMES:
        aside = folder.root / f".{folder.name}-{os.getpid()}-{name}"
        aside.unlink(missing_ok=True)
        try:
            os.link(folder.path(version) / name, aside)
        except OSError:  # a file system without hard links
            shutil.copyfile(folder.path(version) / name, aside)
        aside.replace(folder.root / name)


def _sweep(folder: VersionedFolder) -> None:
    """Remove files of killed exports, if they are too old to belong to a running one."""
    for path in folder.root.glob(f".{folder.name}-*"):
        try:
            if time.time() - path.stat().st_mtime < ABANDONED_S:
                continue
        except OSError:
            continue  # removed by its owner in the meantime
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
