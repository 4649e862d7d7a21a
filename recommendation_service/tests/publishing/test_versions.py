"""Versions and their pointer: a reader sees a whole version or the one before, whatever happens to the writer."""

import errno
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recommendation_service.publishing.versions import Pointer, VersionedFolder, sha256_of

ROOT = Path(__file__).parents[3]


@pytest.fixture
def place(tmp_path: Path) -> VersionedFolder:
    return VersionedFolder(tmp_path / "things", "thing")


def publish(place: VersionedFolder, text: str = "x") -> str:
    with place.draft() as draft:
        (draft / "file").write_text(text)
        seal = sha256_of(draft / "file")
        version = place.claim(draft)
    place.point_to(version, seal)
    return version


def test_versions_count_up_and_the_pointer_follows(place: VersionedFolder) -> None:
    assert [publish(place) for _ in range(3)] == ["thing_v1", "thing_v2", "thing_v3"]
    assert place.versions() == ["thing_v3", "thing_v2", "thing_v1"]
    pointer = place.pointer()
    assert pointer == Pointer("thing_v3", sha256_of(place.path("thing_v3") / "file"))


def test_versions_are_ordered_by_number_not_by_letter(place: VersionedFolder) -> None:
    for _ in range(11):
        publish(place)
    assert place.versions()[:2] == ["thing_v11", "thing_v10"]


def test_nothing_published_is_no_pointer_and_no_versions(place: VersionedFolder) -> None:
    assert place.pointer() is None
    assert place.versions() == []


@pytest.mark.parametrize(
    "name", ["thing_v0", "thing_v01", "thing_v-1", "thing_v1x", "xthing_v1", "thing_v\u0661", "other_v1", "thing_v", ""]
)
def test_only_real_version_names_have_a_number(place: VersionedFolder, name: str) -> None:
    assert place.number(name) is None


@pytest.mark.parametrize("text", ["", "\n", "thing_v1", "thing_v1 a b", "../x a", "thing_v1/.. a", "th\u00efng_v1 a"])
def test_a_line_that_is_no_pointer_is_none(place: VersionedFolder, text: str) -> None:
    publish(place)
    place.pointer_path.write_text(text, encoding="utf-8")
    assert place.pointer() is None


def test_files_and_drafts_beside_are_no_versions(place: VersionedFolder) -> None:
    publish(place)
    (place.root / "thing_v7").write_text("a file")
    (place.root / ".thing-abc.draft").mkdir()
    assert place.versions() == ["thing_v1"]


def test_an_abandoned_draft_disappears(place: VersionedFolder) -> None:
    def give_up() -> None:
        with place.draft() as draft:
            (draft / "file").write_text("x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        give_up()
    assert list(place.root.iterdir()) == []


def test_pruning_never_takes_the_published_version(place: VersionedFolder) -> None:
    for _ in range(5):
        publish(place)
    place.point_to("thing_v1", "seal")
    assert sorted(place.prune(2)) == ["thing_v2", "thing_v3"]
    assert place.versions() == ["thing_v5", "thing_v4", "thing_v1"]


def test_two_publishers_at_once_get_different_numbers(place: VersionedFolder) -> None:
    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(lambda text: publish(place, str(text)), range(40)))
    assert sorted(place.number(one) or 0 for one in versions) == list(range(1, 41))
    pointer = place.pointer()
    assert pointer is not None
    assert sha256_of(place.path(pointer.version) / "file") == pointer.seal


WRITER = """
import sys
from pathlib import Path
from recommendation_service.publishing.versions import VersionedFolder, sha256_of
place = VersionedFolder(Path(sys.argv[1]), "thing")
print("ready", flush=True)
while True:
    with place.draft() as draft:
        for number in range(4):
            (draft / str(number)).write_bytes(b"x" * 50_000)
        seal = sha256_of(draft / "3")
        version = place.claim(draft)
    place.point_to(version, seal)
    place.prune(3)
"""


def test_a_writer_killed_at_any_moment_leaves_a_whole_version(place: VersionedFolder) -> None:
    publish(place)
    for turn in range(12):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(place.root)], cwd=ROOT, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.004 + 0.003 * turn)
            writer.send_signal(signal.SIGKILL)
        pointer = place.pointer()
        assert pointer is not None
        folder = place.path(pointer.version)
        last = folder / ("3" if (folder / "3").exists() else "file")
        assert sha256_of(last) == pointer.seal


def test_a_full_disk_leaves_the_pointer_alone(place: VersionedFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(place)
    before = place.pointer()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        publish(place)
    with pytest.raises(OSError, match="No space left"):
        place.point_to("thing_v1", "other")
    monkeypatch.undo()
    assert place.pointer() == before
    assert [path.name for path in place.root.iterdir() if path.name.startswith(".")] == []


@pytest.fixture
def full_disk() -> OSError:
    """What a write to a full disk raises: an error without the name of the file."""
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_in_a_draft_names_the_folder_and_leaves_nothing(place: VersionedFolder, full_disk: OSError) -> None:
    with pytest.raises(OSError, match="No space left") as caught, place.draft():
        raise full_disk
    assert caught.value.filename == str(place.root / "thing")
    assert list(place.root.iterdir()) == []


def test_an_array_that_was_cut_by_a_full_disk_is_an_error_of_the_disk(place: VersionedFolder) -> None:
    with pytest.raises(OSError, match="No space left") as caught, place.draft():
        raise OSError("1000 requested and 30 written")  # what numpy raises
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(place.root / "thing"))


def test_a_pointer_that_cannot_be_written_keeps_the_old_version_and_removes_the_new_one(
    place: VersionedFolder, full_disk: OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(place)
    with place.draft() as draft:
        (draft / "file").write_text("new")
        version = place.claim(draft)

    def refuse(_handle: int) -> None:
        raise full_disk

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space left") as caught:
        place.publish(version, "seal")
    assert caught.value.filename == str(place.pointer_path)
    assert place.versions() == ["thing_v1"]
    assert place.pointer() == Pointer("thing_v1", sha256_of(place.path("thing_v1") / "file"))
    assert sorted(path.name for path in place.root.iterdir()) == ["thing.current", "thing_v1"]
