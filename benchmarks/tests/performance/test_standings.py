"""The benchmark of standings: a marketplace made by the database itself, scored both ways."""

from pathlib import Path

import pytest

from benchmarks.performance import databases, standings


def test_a_small_marketplace_is_made_and_scored_in_bulk_and_one_by_one(tmp_path: Path) -> None:
    told = databases.figures(f"sqlite:///{tmp_path / 'bench.sqlite3'}", standings.INSIDE, ("100", "400"))
    ended = 400 - 40
    done = len([job for job in range(1, 401) if job % 10 and job % 17])
    reviewed = len([job for job in range(1, 401) if job % 10 and job % 17 and job % 5])
    assert ended > done > reviewed
    assert told.pop("rows") == 400 + 800 + reviewed + done
    assert set(told) == {"bulk", "again", "one_by_one", "as_of", "as_of_one_by_one"}
    assert all(seconds > 0 for seconds in told.values())


def test_rows_tell_seconds_rates_and_ratios() -> None:
    told = {"rows": 1000.0, "bulk": 4.0, "again": 2.0, "one_by_one": 30.0, "as_of": 5.0, "as_of_one_by_one": 100.0}
    rows = dict(standings._table("SQLite", told))
    assert rows["SQLite: first update"] == "4.0 s, 250 rows/s"
    assert rows["SQLite: a cleaner at a time"].startswith("15.0 x as long")
    assert rows["SQLite: one of the past at a time"].startswith("20.0 x as long")


def test_a_program_that_fails_is_told_in_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ValueError: of what size"):
        databases.figures(f"sqlite:///{tmp_path / 'bench.sqlite3'}", "raise ValueError('of what size')", ())
