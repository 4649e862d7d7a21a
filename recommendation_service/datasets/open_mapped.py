"""Opens an export for serving: whatever a request may touch is read or measured once, before it is served."""

from pathlib import Path

import numpy as np

from recommendation_service.datasets.reader import RUN_AGAIN, Dataset
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.errors import DatasetError


def open_for_serving(folder: Path, *, seal: str | None) -> tuple[Dataset, Catalogue]:
    """A verified export and its items. Raises DatasetError, with the numbers that disagree, when they do not fit."""
    dataset = Dataset.read(folder, seal=seal)
    try:
        catalogue = dataset.catalogue()
        _check_items(folder.name, catalogue)
        _check_pasts(folder.name, dataset, len(catalogue))
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DatasetError(f"{folder.name}: cannot be served ({error!r}); {RUN_AGAIN}") from error
    return dataset, catalogue


def _check_items(place: str, catalogue: Catalogue) -> None:
    _equal(place, "catalogue.jsonl lines", len(catalogue.titles), "item_ids", len(catalogue))
    if not np.isfinite(catalogue.popularity).all():
        raise DatasetError(f"{place}: catalogue.jsonl holds a popularity that is no number; {RUN_AGAIN}")


def _check_pasts(place: str, dataset: Dataset, n_items: int) -> None:
    n_users, indptr = len(dataset.user_ids), dataset.array("history_indptr")
    _equal(place, "history_indptr", indptr.size, "user_ids + 1", n_users + 1)
    offsets = dataset.array("profile_offsets")
    _equal(place, "profile_offsets", offsets.size, "user_ids + 1", n_users + 1)
    _equal(place, "profile_offsets end", int(offsets[-1]), "bytes of profiles.jsonl", _bytes(dataset, "profiles.jsonl"))
    for starts in (indptr, offsets):
        if starts[0] != 0 or (np.diff(starts) < 0).any():
            raise DatasetError(f"{place}: offsets of users must ascend from 0; {RUN_AGAIN}")
    limits = {"items": n_items, "events": len(dataset.summary["event_names"]), "times": None, "values": None}
    for name, limit in limits.items():
        part = dataset.array(f"history_{name}")
        _equal(place, f"history_{name}", part.size, "events of history_indptr", int(indptr[-1]))
        if limit is not None and part.size and not 0 <= int(part.min()) <= int(part.max()) < limit:
            raise DatasetError(f"{place}: history_{name} reaches {part.max()}, there are {limit}; {RUN_AGAIN}")


def _bytes(dataset: Dataset, name: str) -> int:
    return (dataset.folder / name).stat().st_size


def _equal(place: str, one: str, size: int, other: str, wanted: int) -> None:
    if size != wanted:
        raise DatasetError(f"{place}: {one} has {size}, {other} {wanted}; {RUN_AGAIN}")
