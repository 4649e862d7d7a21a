"""The exported past."""

from pathlib import Path

import pytest

from recommendation_service.histories.snapshot import SnapshotHistories
from recommendation_service.tests.support.exports import NOW, clubs, write_export
from recommendation_service.use_cases.loader import load


def test_a_known_user_has_events_newest_first_and_a_profile(tmp_path: Path) -> None:
    histories = SnapshotHistories(write_export(tmp_path, load("startups"), *clubs()))
    events = histories.history("u003")
    assert events is not None
    assert len(events) == 8
    assert [event.time for event in events] == sorted((event.time for event in events), reverse=True)
    assert {event.event for event in events} == {"like"}
    assert all(event.value is None and event.time < NOW for event in events)
    assert histories.profile("u003") == {"skills": ("t1",)}


def test_an_unknown_user_has_none(tmp_path: Path) -> None:
    histories = SnapshotHistories(write_export(tmp_path, load("startups"), *clubs()))
    assert histories.history("stranger") is None
    assert histories.profile("stranger") == {}


def test_one_mapping_serves_all_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = write_export(tmp_path, load("startups"), *clubs())
    opened: list[Path] = []
    plain = Path.open
    monkeypatch.setattr(Path, "open", lambda path, *given, **more: opened.append(path) or plain(path, *given, **more))
    profiles = [SnapshotHistories(dataset).profile(user_id) for user_id in dataset.user_ids.ids()]
    assert [path.name for path in opened] == ["profiles.jsonl"]
    assert profiles == list(dataset.profiles())


def test_an_export_without_people_has_no_profiles(tmp_path: Path) -> None:
    items, _ = clubs()[:2]
    dataset = write_export(tmp_path, load("startups"), items, [])
    assert (dataset.folder / "profiles.jsonl").read_bytes() == b""
    assert SnapshotHistories(dataset).profile("u003") == {}
