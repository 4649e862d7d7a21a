"""Working copies: what a server maps stays whole, whatever happens to the published folder."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing import private_copies
from recommendation_service.publishing.store import ArtifactStore, read_folder

FACTS = {"catalogue": "c", "parameters": {}, "dataset": {}, "metrics": {}}


def published(store: ArtifactStore, value: float = 1.0) -> Path:
    array = np.full((4096, 8), value, dtype=np.float32)
    array[0] += 1
    return store.root / store.publish("thing", {"array": array}, **FACTS).version


def test_a_served_array_survives_the_truncation_of_its_file(tmp_path: Path) -> None:
    folder = published(ArtifactStore(tmp_path))
    code = (
        "import sys, os; from pathlib import Path\n"
        "from recommendation_service.publishing.store import read_folder\n"
        "folder = Path(sys.argv[1]); found = read_folder(folder, 'thing', serving=True)\n"
        "os.truncate(folder / 'array.npy', 100); print(float(found.arrays['array'].sum()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, str(4096 * 8 + 8.0))


def test_all_readers_share_one_copy(tmp_path: Path) -> None:
    folder = published(ArtifactStore(tmp_path))
    for _ in range(2):
        read_folder(folder, "thing", serving=True)
    assert len(list((tmp_path / private_copies.FOLDER).iterdir())) == 1


def test_a_damaged_copy_is_made_again(tmp_path: Path) -> None:
    folder = published(ArtifactStore(tmp_path))
    before = read_folder(folder, "thing", serving=True).arrays["array"].copy()
    (copy,) = (tmp_path / private_copies.FOLDER).iterdir()
    copy.chmod(0o644)
    content = bytearray(copy.read_bytes())
    content[-1] ^= 1
    copy.write_bytes(content)
    assert np.array_equal(read_folder(folder, "thing", serving=True).arrays["array"], before)


def test_a_whole_copy_does_not_hide_a_damaged_original(tmp_path: Path) -> None:
    folder = published(ArtifactStore(tmp_path))
    read_folder(folder, "thing", serving=True)
    content = bytearray((folder / "array.npy").read_bytes())
    content[-1] ^= 1
    (folder / "array.npy").write_bytes(content)
    with pytest.raises(ArtifactRefused, match=r"array\.npy was damaged"):
        read_folder(folder, "thing", serving=True)


def test_publishing_removes_copies_that_no_version_needs(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    for value in range(1, 9):
        read_folder(published(store, float(value)), "thing", serving=True)
    kept = {path.stem for path in (tmp_path / private_copies.FOLDER).iterdir()}
    needed = {seal.sha256 for path in tmp_path.glob("thing_v*") for seal in read_folder(path, "thing").manifest.files.values()}
    assert kept <= needed
    assert len(kept) == len(needed) == 5


def test_where_no_copy_can_be_written_the_published_file_serves(tmp_path: Path) -> None:
    folder = published(ArtifactStore(tmp_path))
    (tmp_path / private_copies.FOLDER).write_text("a file where the folder should be")
    found = read_folder(folder, "thing", serving=True).arrays["array"]
    assert os.fspath(folder / "array.npy") == os.fspath(found.filename)  # type: ignore[attr-defined]  # a memmap knows its file
