"""Exports of catalogues that are paired: the columns of their items, and the table that pairs are learned from."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommendation_service.datasets.event_table import Keys
from recommendation_service.datasets.export import write_export
from recommendation_service.datasets.export_content import Source
from recommendation_service.datasets.pair_outcomes import MATCHES, Matches
from recommendation_service.datasets.reader import Dataset, open_for_serving
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.errors import DatasetError
from recommendation_service.tests.datasets.test_reader_for_serving import _open_resealed
from recommendation_service.tests.support.exports import NOW, clubs
from recommendation_service.tests.support.exports import write_export as write_clubs
from recommendation_service.tests.support.pairs import CLEANING, table
from recommendation_service.use_cases.loader import load

ALL = ("catalogue", "als", "two_tower")
RECORDS = (
    ItemRecord("10", "Ten", numbers={"hourly_rate": 15.5}, text_columns={"primary_property_type": "villa"}),
    ItemRecord("9", "Nine", numbers={"hourly_rate": 20.0, "reach_km": 25.0}),
    ItemRecord("8", "Eight"),
)
Given = Callable[[], Matches | None]


def source_of(records: tuple[ItemRecord, ...] = RECORDS, matches: Given | None = None) -> Source:
    """Items of which nobody did anything."""
    nothing = Keys(np.empty(0, dtype=np.int64), np.empty(0, dtype="S1"))
    return Source(
        items=lambda: records,
        people=lambda: [],
        item_keys=lambda: nothing,
        user_keys=lambda: nothing,
        event_names=tuple(CLEANING.events),
        events=lambda: [],
        matches=matches,
    )


def export(folder: Path, matches: Given | None = None, *, fresh: tuple[str, ...] = ALL, **changes: Any) -> Dataset:
    """Write the cleaners of a marketplace and open them."""
    write_export(folder, CLEANING, "cleaners", source_of(matches=matches, **changes), now=NOW, fresh=fresh)
    return Dataset.open(folder, "cleaners")


def test_columns_come_back_in_the_rows_of_the_catalogue(tmp_path: Path) -> None:
    catalogue = export(tmp_path).catalogue()
    assert catalogue.side is not None
    assert list(catalogue.side.ids) == catalogue.ids.ids() == ["10", "8", "9"]
    np.testing.assert_array_equal(catalogue.side.numbers["hourly_rate"], np.array([15.5, np.nan, 20], dtype=np.float32))
    np.testing.assert_array_equal(catalogue.side.numbers["reach_km"], np.array([np.nan, np.nan, 25], dtype=np.float32))
    assert catalogue.side.text_columns["primary_property_type"].tolist() == ["villa", "", ""]


def test_records_come_back_with_what_was_known_of_them(tmp_path: Path) -> None:
    found = {record.item_id: record for record in export(tmp_path).records()}
    assert found == {record.item_id: record for record in RECORDS}


def test_an_item_without_columns_is_written_as_before_there_were_any(tmp_path: Path) -> None:
    lines = (export(tmp_path).folder / "catalogue.jsonl").read_text().splitlines()
    eight = next(line for line in lines if '"8"' in line)
    assert eight == (
        '{"item_id":"8","title":"Eight","text":"","category":null,"tags":[],"created_at":null,"attributes":{},'
        '"available":true,"popularity":0.0}'
    )


def test_a_site_without_pairs_has_neither_side_nor_table(tmp_path: Path) -> None:
    dataset = write_clubs(tmp_path, load("startups"), *clubs(people=6, items=6, events_each=2))
    assert dataset.catalogue().side is None
    assert dataset.matches() is None
    assert "matches" not in dataset.summary


def test_the_table_comes_back_and_is_counted(tmp_path: Path) -> None:
    dataset = export(tmp_path, lambda: table(4))
    found = dataset.matches()
    assert found is not None
    np.testing.assert_array_equal(found.numbers, table(4).numbers)
    assert found.text_columns["property_type"].tolist() == ["apartment", "villa"] * 2
    assert dataset.summary["matches"] == {"matches": 4, "decisions": 4, "chosen": 4, "rated": 4, "verdicts": 0}


def test_a_table_is_oldest_first_however_it_was_given(tmp_path: Path) -> None:
    found = export(tmp_path, lambda: table(4).take(np.array([2, 0, 3, 1]))).matches()
    assert found is not None
    assert found.times.tolist() == [0, 1, 2, 3]


def test_a_marketplace_without_a_past_has_an_empty_table_and_one_that_keeps_none_has_no_file(tmp_path: Path) -> None:
    empty = export(tmp_path, lambda: table(0)).matches()
    assert empty is not None
    assert len(empty) == 0
    assert export(tmp_path, lambda: None).matches() is None
    assert export(tmp_path).matches() is None


def test_the_table_counts_in_the_fingerprint(tmp_path: Path) -> None:
    before = export(tmp_path, lambda: table(4)).fingerprint
    assert export(tmp_path, lambda: table(4)).fingerprint == before
    verdicts = np.ones(4, dtype=np.float32)
    assert export(tmp_path, lambda: replace(table(4), verdicts=verdicts)).fingerprint != before


@pytest.mark.parametrize("part", ALL)
def test_an_export_of_one_part_makes_the_table_anew(tmp_path: Path, part: str) -> None:
    export(tmp_path, lambda: table(4))
    found = export(tmp_path, lambda: table(2), fresh=(part,)).matches()
    assert found is not None
    assert len(found) == 2


@pytest.mark.parametrize("part", ["als", "two_tower"])
def test_an_export_that_takes_the_catalogue_over_keeps_its_columns(tmp_path: Path, part: str) -> None:
    before = export(tmp_path)
    after = export(tmp_path, fresh=(part,), records=())
    assert list(after.records()) == list(before.records())
    assert after.fingerprint == before.fingerprint


def test_a_table_that_lacks_a_column_publishes_nothing_and_keeps_the_last(tmp_path: Path) -> None:
    export(tmp_path, lambda: table(4))
    lacking = replace(table(3), names=tuple(name if name != "bid" else "offer" for name in table(3).names))
    with pytest.raises(DatasetError, match=r"\[pairs\] reads 'bid'"):
        export(tmp_path, lambda: lacking)
    found = Dataset.open(tmp_path, "cleaners")
    assert (found.version, len(found.matches() or ())) == ("export_v1", 4)


def test_a_flipped_bit_in_the_table_is_noticed(tmp_path: Path) -> None:
    path = export(tmp_path, lambda: table(4)).folder / MATCHES
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(DatasetError, match=f"{MATCHES} was damaged after it was written"):
        Dataset.open(tmp_path, "cleaners")


def test_a_column_that_cannot_be_compared_is_refused_before_it_serves(tmp_path: Path) -> None:
    folder = shutil.copytree(export(tmp_path / "data").folder, tmp_path / "cleaners" / "export_v1")
    _, catalogue = open_for_serving(folder, seal=None)
    assert catalogue.side is not None
    lines = [json.loads(line) for line in (folder / "catalogue.jsonl").read_text().splitlines()]
    lines[0]["numbers"]["hourly_rate"] = float("inf")
    (folder / "catalogue.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    with pytest.raises(DatasetError, match="item '10': 'hourly_rate' is inf, which cannot be compared"):
        _open_resealed(folder)
