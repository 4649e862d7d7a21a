"""Shown lists go into an export and come out of it: in rows, labelled, bounded, and the same whatever the day."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommendation_service.datasets.event_table import Keys
from recommendation_service.datasets.export import write_export
from recommendation_service.datasets.impressions import (
    SHOWN,
    AnswerBatch,
    ListBatch,
    Shown,
    ShownBatch,
    ShownFeed,
    gather_shown,
)
from recommendation_service.datasets.reader import SUMMARY, Dataset, export_folder, open_for_serving
from recommendation_service.domain.idmap import IdMap
from recommendation_service.tests.datasets.test_export import DAY, NAMES, NOW, USE_CASE, Did, source_of

KEYS = Keys(np.arange(6), np.array([f"i{key}".encode() for key in range(6)]))
USERS = Keys(np.arange(6), np.array([f"u{key}".encode() for key in range(6)]))
ITEM_IDS, USER_IDS = IdMap.of([f"i{key}" for key in range(5)]), IdMap.of(["u1", "u3"])


@dataclass(frozen=True)
class List:
    """One list in database keys; `answers` are pairs of item key and event."""

    user: int
    items: tuple[int, ...]
    answers: tuple[tuple[int, str], ...] = ()
    surface: str = "home"
    parts: tuple[dict[str, float], ...] = ()
    days_ago: float = 1.0


def feed_of(lists: Sequence[List], *, shuffled: int | None = None) -> ShownFeed:
    """One batch of each kind; `shuffled`: a seed for the order the database gives rows in."""
    rng = np.random.default_rng(shuffled)

    def mixed(size: int) -> Any:
        return np.arange(size) if shuffled is None else rng.permutation(size)

    def headers(most: int) -> Any:
        last = lists[-most:]
        order = mixed(len(last))
        yield ListBatch(
            np.arange(len(last))[order],
            np.array([one.user for one in last], dtype=np.int64)[order],
            np.array([NOW - one.days_ago * DAY for one in last])[order],
            [last[place].surface for place in order],
            ["als"] * len(last),
        )

    def items(most: int) -> Any:
        rows = [
            (number, item, place + 1, 1.0 - place / 10, json.dumps(one.parts[place] if one.parts else {}))
            for number, one in enumerate(lists[-most:])
            for place, item in enumerate(one.items)
        ]
        rows = [rows[place] for place in mixed(len(rows))]
        numbers, keys, positions, scores, texts = zip(*rows, strict=True)
        yield ShownBatch(np.array(numbers), np.array(keys), np.array(positions), np.array(scores), texts)

    def answers(most: int) -> Any:
        for number, one in enumerate(lists[-most:]):
            for item, event in one.answers:
                nothing = np.array([np.nan], dtype=np.float32)
                yield AnswerBatch(np.array([number]), np.array([item]), np.array([NAMES.index(event)]), nothing)

    return ShownFeed(headers, items, answers)


def gathered(*lists: List, shuffled: int | None = None, most: int = 100) -> Shown:
    feed = feed_of(lists, shuffled=shuffled)
    keys = {"items": KEYS, "item_ids": ITEM_IDS, "users": USERS, "user_ids": USER_IDS}
    return gather_shown(feed, USE_CASE, NAMES, **keys, most=most)  # type: ignore[arg-type]  # each key has its own type


def test_lists_become_rows_in_the_order_they_were_shown_in() -> None:
    found = gathered(List(3, (4, 0, 2)), List(1, (1, 2), surface="cart"), shuffled=5)
    assert found.indptr.tolist() == [0, 3, 5]
    assert found.items.tolist() == [4, 0, 2, 1, 2]
    assert found.positions.tolist() == [1, 2, 3, 1, 2]
    assert found.scores.tolist() == pytest.approx([1.0, 0.9, 0.8, 1.0, 0.9])
    assert found.list_users.tolist() == [1, 0]
    assert [found.surfaces()[place] for place in found.list_surfaces] == ["home", "cart"]


def test_whoever_has_no_row_and_whoever_is_anonymous_are_nobody() -> None:
    assert gathered(List(-1, (0,)), List(2, (0,)), List(1, (0,))).list_users.tolist() == [-1, -1, 0]


def test_the_best_event_labels_an_item_and_only_its_own_list() -> None:
    found = gathered(
        List(1, (0, 1, 2), ((0, "view"), (0, "apply"), (0, "like"), (2, "dismiss"))),
        List(1, (0, 1, 2), ((1, "view"), (4, "apply"))),
        shuffled=1,
    )
    assert found.labels.tolist() == [5, 0, -3, 0, 1, 0]
    assert found.answered().tolist() == [True, True]
    assert gathered(List(1, (2, 3), ((2, "dismiss"),))).answered().tolist() == [False]


def test_an_event_that_the_use_case_does_not_name_is_nothing() -> None:
    assert gathered(List(1, (0, 1), ((0, "poke"),))).labels.tolist() == [0, 0]


def test_items_that_are_gone_leave_their_lists_and_lists_of_nothing_else_are_left_out() -> None:
    found = gathered(List(1, (5, 0, 5)), List(1, (5,)), List(3, (2,)), shuffled=2)
    assert found.indptr.tolist() == [0, 1, 2]
    assert found.items.tolist() == [0, 2]
    assert found.positions.tolist() == [2, 1]
    assert found.list_users.tolist() == [0, 1]


def test_parts_come_back_as_they_were_recorded() -> None:
    found = gathered(List(1, (0, 1), parts=({"als": 0.25, "popular": 0.1}, {})), List(1, (2,), parts=({"als": 1.0},)))
    assert found.parts_of(0, 2) == [{"als": 0.25, "popular": 0.1}, {}]
    assert found.parts_of(2, 3) == [{"als": 1.0}]
    assert found.parts_of(1, 1) == []


def test_no_more_than_the_newest_lists_are_taken() -> None:
    found = gathered(List(1, (0,)), List(1, (1,)), List(1, (2,), ((2, "like"),)), most=2)
    assert found.items.tolist() == [1, 2]
    assert found.labels.tolist() == [0, 3]


def export(folder: Path, lists: Sequence[List] | None, fresh: tuple[str, ...] = ("catalogue", "als", "two_tower")) -> Dataset:
    source = source_of([Did(1, 0), Did(2, 3, "view", 2)])
    if lists is not None:
        source = replace(source, shown=feed_of(lists))
    write_export(folder, USE_CASE, "startups", source, now=NOW, fresh=fresh)
    return Dataset.open(folder, "startups")


def test_an_export_holds_the_lists_and_tells_how_many(tmp_path: Path) -> None:
    dataset = export(tmp_path, [List(1, (0, 1), ((1, "like"),)), List(2, (3,))])
    found = dataset.shown()
    assert found is not None
    assert found.labels.tolist() == [0, 3, 0]
    assert [dataset.user_ids.id(int(row)) for row in found.list_users] == ["u1", "u2"]
    assert dataset.summary["shown"] == {"lists": 2, "items": 3, "answered": 1}


def test_the_same_lists_make_the_same_export_and_others_another(tmp_path: Path) -> None:
    lists = [List(1, (0, 1), ((1, "like"),))]
    first, again = (export(tmp_path, lists).fingerprint for _ in range(2))
    assert first == again
    assert export(tmp_path, [List(1, (0, 1), ((0, "like"),))]).fingerprint != first


def test_a_site_without_lists_and_an_export_of_an_older_program_have_none(tmp_path: Path) -> None:
    dataset = export(tmp_path, None)
    assert dataset.shown() is None
    assert SHOWN not in dataset.summary["files"]
    older = {name: value for name, value in dataset.summary.items() if name != "shown"}
    (dataset.folder / SUMMARY).write_text(json.dumps(older))
    assert Dataset.read(dataset.folder, seal=None).shown() is None
    open_for_serving(dataset.folder, seal=None)


def test_no_lists_at_all_are_lists_too(tmp_path: Path) -> None:
    source = replace(source_of([Did(1, 0)]), shown=ShownFeed(lambda _most: (), lambda _most: (), lambda _most: ()))
    write_export(tmp_path, USE_CASE, "startups", source, now=NOW)
    found = Dataset.open(tmp_path, "startups").shown()
    assert found is not None
    assert (len(found), found.answered().tolist(), found.surfaces()) == (0, [], [])


@pytest.mark.parametrize("fresh", [("als",), ("catalogue",), ("two_tower",)])
def test_a_partial_export_reads_the_lists_anew(tmp_path: Path, fresh: tuple[str, ...]) -> None:
    export(tmp_path, [List(1, (0, 1)), List(2, (0, 1))])
    dataset = export(tmp_path, [List(2, (3, 0), ((0, "like"),))], fresh)
    found = dataset.shown()
    assert found is not None
    assert [dataset.user_ids.id(int(row)) for row in found.list_users] == ["u2"]
    assert found.labels.tolist() == [0, 3]


def test_a_flipped_bit_in_the_lists_is_noticed(tmp_path: Path) -> None:
    dataset = export(tmp_path, [List(1, (0, 1))])
    path = dataset.folder / SHOWN
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    pointer = export_folder(tmp_path, "startups").pointer()
    assert pointer is not None
    with pytest.raises(Exception, match=f"{SHOWN} was damaged"):
        Dataset.read(dataset.folder, seal=pointer.seal)
