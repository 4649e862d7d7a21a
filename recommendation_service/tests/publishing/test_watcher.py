"""One published thing under every fault: it is exchanged whole, or not at all."""

import os
import shutil
from pathlib import Path

import pytest

from recommendation_service.errors import TandemError
from recommendation_service.publishing.versions import VersionedFolder, sha256_of
from recommendation_service.publishing.watcher import FIRST_RETRY_S, Watched


class Thing:
    """A versioned word, the seal of its file, and a count of how often it was read."""

    def __init__(self, root: Path) -> None:
        self.place = VersionedFolder(root, "word")
        self.reads = 0
        self.refused: list[str] = []
        self.now = 0.0

    def publish(self, word: str) -> str:
        with self.place.draft() as draft:
            (draft / "word.txt").write_text(word)
            seal = sha256_of(draft / "word.txt")
            version = self.place.claim(draft)
        self.place.point_to(version, seal)
        return version

    def file(self, version: str) -> Path:
        return self.place.path(version) / "word.txt"

    def read(self, folder: Path, seal: str | None) -> str:
        self.reads += 1
        try:
            text = (folder / "word.txt").read_text()
        except OSError as error:
            raise TandemError(f"{folder.name} is missing") from error
        if (seal is not None and sha256_of(folder / "word.txt") != seal) or "bad" in text:
            raise TandemError(f"{folder.name} is damaged")
        return text

    def watched(self) -> Watched[str]:
        return Watched(self.place, self.read, refused=self.refused.append, clock=lambda: self.now)


@pytest.fixture
def thing(tmp_path: Path) -> Thing:
    return Thing(tmp_path)


def test_nothing_published_is_no_problem(thing: Thing) -> None:
    watched = thing.watched()
    assert not watched.look()
    assert (watched.value, watched.version, watched.problem) == (None, None, None)


def test_what_is_published_is_taken_once(thing: Thing) -> None:
    thing.publish("one")
    watched = thing.watched()
    assert watched.look()
    assert (watched.value, watched.version) == ("one", "word_v1")
    assert not watched.look()
    assert thing.reads == 1


def test_a_newer_version_replaces_the_older(thing: Thing) -> None:
    thing.publish("one")
    watched = thing.watched()
    watched.look()
    thing.publish("two")
    assert watched.look()
    assert watched.value == "two"


def test_a_refused_version_leaves_the_last_good_one(thing: Thing) -> None:
    thing.publish("one")
    watched = thing.watched()
    watched.look()
    thing.publish("bad")
    assert not watched.look()
    assert (watched.value, watched.version, watched.problem) == ("one", "word_v1", "word_v2 is damaged")
    assert thing.refused == ["word"]


def test_the_same_refused_version_is_not_verified_at_every_look(thing: Thing) -> None:
    thing.publish("bad")
    watched = thing.watched()
    for _ in range(50):
        watched.look()
    assert thing.reads == 1
    thing.now += FIRST_RETRY_S
    watched.look()
    assert thing.reads == 2
    thing.now += FIRST_RETRY_S  # the delay has doubled
    watched.look()
    assert thing.reads == 2
    thing.now += FIRST_RETRY_S
    watched.look()
    assert thing.reads == 3


def test_a_refused_version_that_is_repaired_is_taken_up(thing: Thing) -> None:
    version = thing.publish("good")
    thing.file(version).write_text("goof")
    watched = thing.watched()
    watched.look()
    assert watched.value is None
    thing.file(version).write_text("good")
    os.utime(thing.file(version), ns=(1, 1))
    assert watched.look()
    assert (watched.value, watched.problem) == ("good", None)


def test_a_fresh_start_falls_back_to_the_newest_older_version_that_is_whole(thing: Thing) -> None:
    thing.publish("one")
    thing.publish("two")
    thing.publish("bad three")
    thing.publish("bad four")
    watched = thing.watched()
    assert watched.look()
    assert (watched.value, watched.version, watched.problem) == ("two", "word_v2", "word_v4 is damaged")


def test_a_fresh_start_with_a_pointer_that_is_no_pointer_takes_the_newest_whole_version(thing: Thing) -> None:
    thing.publish("one")
    thing.publish("two")
    thing.place.pointer_path.write_text("../../etc/passwd x\n")
    watched = thing.watched()
    assert watched.look()
    assert watched.value == "two"
    assert "not a pointer" in (watched.problem or "")


def test_a_version_above_the_pointer_is_never_a_fallback(thing: Thing) -> None:
    thing.publish("one")
    version = thing.publish("two")
    thing.publish("three")
    thing.place.point_to(version, "0" * 64)  # rolled back, then damaged
    watched = thing.watched()
    watched.look()
    assert watched.value == "one"


def test_deleting_pointer_and_folder_drops_the_value(thing: Thing) -> None:
    version = thing.publish("one")
    watched = thing.watched()
    watched.look()
    thing.place.pointer_path.unlink()
    shutil.rmtree(thing.place.path(version))
    assert watched.look()
    assert (watched.value, watched.version, watched.problem) == (None, None, None)


def test_deleting_only_the_folder_keeps_what_is_in_memory(thing: Thing) -> None:
    version = thing.publish("one")
    watched = thing.watched()
    watched.look()
    shutil.rmtree(thing.place.path(version))
    assert not watched.look()
    assert watched.value == "one"
    assert watched.problem == "word_v1 is missing"


def test_a_file_changed_in_place_is_verified_again_and_its_mapping_is_not_trusted(thing: Thing) -> None:
    thing.publish("one")
    version = thing.publish("two")
    watched = thing.watched()
    watched.look()
    thing.file(version).write_text("twO")
    os.utime(thing.file(version), ns=(1, 1))
    assert watched.look()
    assert (watched.value, watched.version) == ("one", "word_v1")
    assert watched.problem == "word_v2 is damaged"


def test_a_touched_file_that_is_still_whole_keeps_serving(thing: Thing) -> None:
    version = thing.publish("one")
    watched = thing.watched()
    watched.look()
    os.utime(thing.file(version), ns=(1, 1))
    watched.look()
    assert (watched.value, watched.problem) == ("one", None)


def test_a_file_replaced_by_another_leaves_the_mapped_one_alone(thing: Thing) -> None:
    version = thing.publish("one")
    watched = thing.watched()
    watched.look()
    other = thing.place.path(version) / "other"
    other.write_text("not one")
    other.replace(thing.file(version))
    assert not watched.look()
    assert (watched.value, watched.problem) == ("one", "word_v1 is damaged")
