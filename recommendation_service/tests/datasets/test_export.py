"""The writer: what goes in comes out, in one order, and a crash never takes the last export away."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendation_service.datasets.event_table import Keys
from recommendation_service.datasets.export import KEEP_VERSIONS, STABLE_NAMES, write_export
from recommendation_service.datasets.export_content import Source
from recommendation_service.datasets.reader import Dataset, export_folder
from recommendation_service.datasets.records import EventBatch, ItemRecord
from recommendation_service.domain.history import SEEN_LIMIT
from recommendation_service.errors import DatasetError
from recommendation_service.use_cases.loader import load

USE_CASE = load("startups")
NAMES = (*USE_CASE.events, "poke")
DAY = 86_400.0
NOW = 1_700_000_000.0


@dataclass(frozen=True)
class Did:
    """One event in database keys: user key u is "u<u>", item key i is "i<i>"."""

    user: int
    item: int
    event: str = "like"
    days_ago: float = 1.0
    value: float = float("nan")


def source_of(
    events: Sequence[Did], *, items: int = 4, known: int = 5, profiles: dict[str, Any] | None = None, batch: int = 3
) -> Source:
    """Items i0.. of which `known` keys exist, and the events in batches."""

    def batches() -> Any:
        for start in range(0, len(events), batch):
            some = events[start : start + batch]
            yield EventBatch(
                users=np.array([one.user for one in some], dtype=np.int64),
                items=np.array([one.item for one in some], dtype=np.int64),
                events=np.array([NAMES.index(one.event) for one in some], dtype=np.int64),
                values=np.array([one.value for one in some], dtype=np.float32),
                times=np.array([NOW - one.days_ago * DAY for one in some], dtype=np.float64),
            )

    return Source(
        items=lambda: [ItemRecord(f"i{place}", f"Item {place}", tags=("a",)) for place in reversed(range(items))],
        people=lambda: list((profiles or {}).items()),
        item_keys=lambda: Keys(np.arange(known), np.array([f"i{key}".encode() for key in range(known)])),
        user_keys=lambda: Keys(np.arange(30), np.array([f"u{key}".encode() for key in range(30)])),
        event_names=NAMES,
        events=batches,
    )


def export(folder: Path, events: Sequence[Did], **options: Any) -> Dataset:
    """Write, and open what was written as its readers do."""
    now, fresh = options.pop("now", NOW), options.pop("fresh", ("catalogue", "als", "two_tower"))
    write_export(folder, USE_CASE, "startups", source_of(events, **options), now=now, fresh=fresh)
    return Dataset.open(folder, "startups")


def weights(dataset: Dataset) -> dict[tuple[str, str], float]:
    """The matrix in outside ids."""
    users, items = dataset.user_ids.ids(), dataset.catalogue().ids.ids()
    found = dataset.interactions().tocoo()
    return {(users[r], items[c]): float(w) for r, c, w in zip(*found.coords, found.data, strict=True)}


def test_a_written_export_reads_back(tmp_path: Path) -> None:
    events = [Did(2, 1, days_ago=3, value=4.5), Did(1, 0), Did(2, 3, "view", 2)]
    dataset = export(tmp_path, events, profiles={"u9": {"skills": ("go",)}})
    assert dataset.user_ids.ids() == ["u1", "u2", "u9"]
    assert [record.item_id for record in dataset.records()] == ["i0", "i1", "i2", "i3"]
    assert [(one.item_id, one.event, one.time, one.value) for one in dataset.past_events("u2")] == [
        ("i3", "view", NOW - 2 * DAY, None),
        ("i1", "like", NOW - 3 * DAY, 4.5),
    ]
    assert dataset.profile("u9") == {"skills": ("go",)}
    assert dataset.profile("u1") == {}
    table = dataset.events()
    assert table.times.tolist() == sorted(table.times.tolist())
    assert table.weights.tolist() == [3.0, 1.0, 3.0]


def test_weights_decay_from_the_newest_event_and_are_capped(tmp_path: Path) -> None:
    events = [Did(1, 0, days_ago=10), Did(1, 1, days_ago=10 + 180), *(Did(2, 2, "apply", 10 + n) for n in range(9))]
    found = weights(export(tmp_path, events))
    assert found["u1", "i0"] == pytest.approx(3.0)
    assert found["u1", "i1"] == pytest.approx(1.5)
    assert found["u2", "i2"] == pytest.approx(12.0)


def test_repeats_of_a_day_count_once_and_dislikes_are_negative(tmp_path: Path) -> None:
    events = [Did(1, 0, days_ago=1.0), Did(1, 0, days_ago=1.0), Did(2, 0, "dismiss")]
    dataset = export(tmp_path, events)
    assert weights(dataset) == pytest.approx({("u1", "i0"): 3.0, ("u2", "i0"): -3.0})
    assert len(dataset.past_events("u1")) == 2


def test_popularity_counts_people_whatever_their_events_weigh(tmp_path: Path) -> None:
    events = [Did(1, 0), Did(2, 0), Did(3, 0, "dismiss"), Did(1, 2, "view")]
    assert export(tmp_path, events).catalogue().popularity.tolist() == [2.0, 0.0, 1.0, 0.0]


def test_one_account_with_many_events_is_at_most_one_voice(tmp_path: Path) -> None:
    one = [Did(1, 0, days_ago=float(day)) for day in range(200)]
    several = [Did(user, 1) for user in (2, 3)]
    assert export(tmp_path, [*one, *several]).catalogue().popularity.tolist() == [1.0, 2.0, 0.0, 0.0]


def test_what_is_gone_unknown_or_in_the_future_is_counted(tmp_path: Path) -> None:
    events = [Did(1, 4), Did(1, 0, "poke"), Did(99, 0), Did(1, 1, days_ago=5), Did(2, 1, days_ago=-4000)]
    dataset = export(tmp_path, events)
    assert dataset.summary["left_out"] == {
        "gone_items": 1,
        "gone_users": 1,
        "future": 1,
        "refused_ids": 0,
        "unknown_events": 1,
    }
    assert dataset.events().times.max() == NOW - 1 * DAY
    assert weights(dataset).get(("u1", "i0")) is None
    assert [one.event for one in dataset.past_events("u1")] == ["poke", "like"]


def test_only_names_that_occur_are_added_to_those_of_the_use_case(tmp_path: Path) -> None:
    assert export(tmp_path, [Did(1, 0)]).summary["event_names"] == list(USE_CASE.events)


def test_an_item_with_an_id_that_no_door_accepts_is_left_out(tmp_path: Path) -> None:
    source = source_of([Did(1, 0)])
    plain = source.items
    source = replace(source, items=lambda: [*plain(), ItemRecord("=cmd()", "Formula")])
    write_export(tmp_path, USE_CASE, "startups", source, now=NOW)
    dataset = Dataset.open(tmp_path, "startups")
    assert len(dataset.catalogue()) == 4
    assert dataset.summary["left_out"]["refused_ids"] == 1


@pytest.mark.parametrize(
    ("items", "told"),
    [([], "no items"), ([ItemRecord("a", "A"), ItemRecord("a", "A")], "comes twice")],
    ids=["none", "twice"],
)
def test_a_wrong_catalogue_is_refused_with_the_fix(tmp_path: Path, items: list[ItemRecord], told: str) -> None:
    source = replace(source_of([]), items=lambda: items)
    with pytest.raises(DatasetError, match=told):
        write_export(tmp_path, USE_CASE, "startups", source, now=NOW)
    assert export_folder(tmp_path, "startups").pointer() is None


def test_no_interactions_at_all_is_an_export(tmp_path: Path) -> None:
    dataset = export(tmp_path, [])
    assert dataset.interactions().shape == (0, 4)
    assert dataset.summary["newest_event"] is None


def test_a_history_ends_at_the_newest_5000_events(tmp_path: Path) -> None:
    dataset = export(tmp_path, [Did(1, n % 4, days_ago=n + 1) for n in range(SEEN_LIMIT + 100)])
    past = dataset.past_events("u1")
    assert len(past) == SEEN_LIMIT
    assert past[0].time == NOW - DAY


DIDS = st.builds(
    Did,
    user=st.integers(0, 6),
    item=st.integers(0, 4),
    event=st.sampled_from(NAMES),
    days_ago=st.integers(1, 400).map(lambda n: n / 4),
    value=st.sampled_from([float("nan"), 1.0, 5.0]),
)


@settings(max_examples=25, deadline=None)
@given(events=st.lists(DIDS, max_size=25, unique_by=lambda did: did.days_ago), seed=st.randoms(use_true_random=False))
def test_equal_data_has_an_equal_fingerprint_in_any_order_and_on_any_day(
    tmp_path_factory: pytest.TempPathFactory, events: list[Did], seed: Any
) -> None:
    shuffled = list(events)
    seed.shuffle(shuffled)
    first = export(tmp_path_factory.mktemp("a"), events)
    second = export(tmp_path_factory.mktemp("b"), shuffled, batch=7, now=NOW + 30 * DAY)
    assert first.fingerprint == second.fingerprint


@given(arrived=st.permutations(range(4)), batch=st.integers(1, 9))
@settings(max_examples=15, deadline=None)
def test_events_of_one_time_stay_in_the_order_of_arrival(
    tmp_path_factory: pytest.TempPathFactory, arrived: list[int], batch: int
) -> None:
    dataset = export(tmp_path_factory.mktemp("ties"), [Did(1, item) for item in arrived], batch=batch)
    assert dataset.events().items.tolist() == arrived
    assert [event.item_id for event in dataset.past_events("u1")] == [f"i{item}" for item in reversed(arrived)]


def test_other_data_has_another_fingerprint(tmp_path: Path) -> None:
    prints = [
        export(tmp_path / str(place), events).fingerprint
        for place, events in enumerate([[Did(1, 0)], [Did(1, 1)], [Did(1, 0, "view")], [Did(1, 0, days_ago=2)]])
    ]
    assert len(set(prints)) == 4


def test_stable_names_are_the_newest_version_and_old_versions_go(tmp_path: Path) -> None:
    for count in range(1, 6):
        dataset = export(tmp_path, [Did(user, 0) for user in range(count)])
    place = export_folder(tmp_path, "startups")
    assert len(place.versions()) == KEEP_VERSIONS
    for name in STABLE_NAMES:
        assert (place.root / name).read_bytes() == (dataset.folder / name).read_bytes()
    lines = (place.root / "two_tower_train.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 6
    assert lines[1].startswith("u0,i0,like,3,")


def test_files_are_copied_where_links_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_paths: Any) -> None:
        raise OSError("no links here")

    monkeypatch.setattr("os.link", refuse)
    dataset = export(tmp_path, [Did(1, 0)])
    mapping = json.loads((tmp_path / "startups" / "als_user_mapping.json").read_text(encoding="utf-8"))
    assert mapping == {"id_to_index": {"u1": 0}, "index_to_id": ["u1"]}
    assert dataset.version == "export_v1"


def test_a_part_alone_is_fresh_and_the_others_are_taken_over_in_the_new_rows(tmp_path: Path) -> None:
    before = [Did(5, 1), Did(7, 3, "view", 2)]
    export(tmp_path, before)
    after = [*before, Did(1, 0)]
    als = export(tmp_path, after, fresh=("als",))
    assert set(weights(als)) == {("u5", "i1"), ("u7", "i3"), ("u1", "i0")}
    assert len(als.events().users) == 2
    rows = [als.user_ids.id(int(row)) for row in als.events().users]
    assert rows == ["u7", "u5"]
    tower = export(tmp_path, [Did(1, 0)], fresh=("two_tower",))
    assert set(weights(tower)) == set(weights(als))
    assert len(tower.events().users) == 1
    assert tower.past_events("u7") == als.past_events("u7")
    assert tower.summary["fresh_parts"] == ["two_tower"]


def test_a_fresh_catalogue_drops_what_is_gone_from_the_parts_taken_over(tmp_path: Path) -> None:
    export(tmp_path, [Did(5, 1), Did(7, 3), Did(7, 0, "view", 2)])
    smaller = export(tmp_path, [], items=3, fresh=("catalogue",), profiles={"u6": {"skills": ("go",)}})
    assert set(weights(smaller)) == {("u5", "i1"), ("u7", "i0")}
    assert smaller.user_ids.ids() == ["u5", "u6", "u7"]
    assert [one.item_id for one in smaller.past_events("u7")] == ["i0"]
    assert smaller.catalogue().popularity.tolist() == pytest.approx(
        [2 ** (-1 / 180), 1.0, 0.0],
    )
    assert smaller.events().items.tolist() == [0, 1]


def test_parts_taken_over_unchanged_make_the_same_export(tmp_path: Path) -> None:
    events = [Did(user, user % 4, NAMES[user % 5], 1 + user / 3) for user in range(20)]
    whole = export(tmp_path, events)
    for part in ("als", "two_tower"):
        assert export(tmp_path, events, fresh=(part,)).fingerprint == whole.fingerprint


KILLED = """
import sys
from pathlib import Path
from recommendation_service.tests.datasets.test_export import Did, export
folder = Path(sys.argv[1])
round_ = 0
while True:
    round_ += 1
    export(folder, [Did(user % 30, user % 4, days_ago=user) for user in range(200 + round_)])
    print(round_, flush=True)
"""


def test_kill_9_at_any_moment_leaves_an_export_that_reads(tmp_path: Path) -> None:
    export(tmp_path, [Did(1, 0)])
    for attempt in range(6):
        child = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()  # imports are done and the first export is out
        time.sleep(0.011 * attempt)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        dataset = Dataset.open(tmp_path, "startups")
        assert dataset.events().users.size >= 200
    assert export(tmp_path, [Did(1, 0)]).events().users.size == 1


def test_what_a_killed_run_left_behind_is_swept_when_it_is_old(tmp_path: Path) -> None:
    root = tmp_path / "startups"
    (root / ".export-old.draft").mkdir(parents=True)
    (root / ".export-new.draft").mkdir()
    (root / ".export-1-als.npz").write_bytes(b"")
    for name in (".export-old.draft", ".export-1-als.npz"):
        os.utime(root / name, (1, 1))
    export(tmp_path, [Did(1, 0)])
    assert sorted(path.name for path in root.glob(".export-*")) == [".export-new.draft"]
