"""An export whose parts do not fit is refused before a request can trip over it, however well it is sealed."""

import json
import re
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from recommendation_service.datasets.reader import SUMMARY, open_for_serving
from recommendation_service.errors import DatasetError
from recommendation_service.publishing.versions import sha256_of
from recommendation_service.tests.support.exports import clubs, write_export
from recommendation_service.use_cases.loader import load


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("written")
    return write_export(root, load("startups"), *clubs(people=6, items=6, events_each=2)).folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "startups" / "export_v1"))


def _open_resealed(folder: Path) -> None:
    """Open it after sealing whatever is there now, as a writer with a bug would have."""
    summary = json.loads((folder / SUMMARY).read_bytes())
    summary["files"] = {name: sha256_of(folder / name) for name in summary["files"]}
    raw = json.dumps(summary).encode()
    (folder / SUMMARY).write_bytes(raw)
    open_for_serving(folder, seal=sha256(raw).hexdigest())


def _shorten(name: str) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        path = folder / name
        if path.suffix == ".npy":
            np.save(path, np.load(path)[:-1])
        else:
            path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))

    return act


def _put(name: str, place: int, value: float) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        array = np.load(folder / name)
        array[place] = value
        np.save(folder / name, array)

    return act


def _replace(name: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        path = folder / name
        path.write_bytes(re.sub(old, new, path.read_bytes(), count=1))

    return act


FAULTS = {
    "an item without a line": (_shorten("catalogue.jsonl"), "catalogue.jsonl lines has 5, item_ids 6"),
    "an item without an id": (_shorten("item_ids.npy"), "has 6, item_ids 5"),
    "a user without an id": (_shorten("user_ids.npy"), "history_indptr has 7, user_ids"),
    "a user without a profile": (_shorten("profiles.jsonl"), "profile_offsets end has"),
    "offsets that are too few": (_shorten("profile_offsets.npy"), "profile_offsets has 6"),
    "an event without a time": (_shorten("history_times.npy"), "history_times has 11"),
    "an event without a value": (_shorten("history_values.npy"), "history_values has 11"),
    "an event with a negative item": (_put("history_items.npy", 2, -1), "history_items reaches"),
    "an event with an item beyond the last": (_put("history_items.npy", 2, 6), "history_items reaches 6, there are 6"),
    "an event without a name": (_put("history_events.npy", 0, 200), "history_events reaches 200"),
    "offsets that go back": (_put("history_indptr.npy", 2, 9), "must ascend"),
    "a popularity that is no number": (
        _replace("catalogue.jsonl", rb'"popularity": ?[0-9.]+', b'"popularity": NaN'),
        "a popularity that is no number",
    ),
    "a line that is no JSON": (_replace("catalogue.jsonl", rb"\{", b"("), "cannot be served"),
    "ids out of order": (_put("item_ids.npy", 0, b"zzzz"), "unique and ascending"),  # type: ignore[arg-type]  # ids are bytes
}


def test_a_whole_export_opens(folder: Path) -> None:
    _open_resealed(folder)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_writer_is_refused_with_the_numbers(folder: Path, fault: str) -> None:
    damage, told = FAULTS[fault]
    damage(folder)
    with pytest.raises(DatasetError) as refused:
        _open_resealed(folder)
    assert told in refused.value.message
