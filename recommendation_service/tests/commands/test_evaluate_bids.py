"""The command that says how often the winning bid lay within the advice."""

import json
from pathlib import Path

import numpy as np
import pytest

from recommendation_service.cli import script
from recommendation_service.commands import evaluate_bids
from recommendation_service.datasets import export
from recommendation_service.datasets.event_table import Keys
from recommendation_service.datasets.export_content import Source
from recommendation_service.datasets.pair_outcomes import Matches
from recommendation_service.datasets.records import EventBatch, ItemRecord
from recommendation_service.errors import DatasetError
from recommendation_service.tests.support.bidding import auctions, pair_config
from recommendation_service.tests.support.exports import NOW
from recommendation_service.training.pairs.bid_data import read_bids
from recommendation_service.training.parameters import bid_parameters
from recommendation_service.use_cases.loader import load

evaluate_bids_command = script("evaluate", "bids")


def export_with(data_dir: Path, matches: Matches | None) -> None:
    """An export of two cleaners with these matches and one event."""
    cleaning = load("cleaning")
    keys = Keys(np.arange(1, dtype=np.int64), np.array([b"1"], dtype=np.bytes_))
    batch = EventBatch(*(np.zeros(1, dtype=np.int64) for _ in range(3)), np.full(1, np.nan, np.float32), np.full(1, NOW))
    source = Source(
        items=lambda: [ItemRecord("1", "Maria", "", "", ())],
        people=lambda: [],
        item_keys=lambda: keys,
        user_keys=lambda: keys,
        event_names=list(cleaning.events),
        events=lambda: [batch],
        matches=lambda: matches,
    )
    export.write_export(data_dir, cleaning, "cleaners", source, now=NOW)


def test_the_tables_say_how_many_newer_bids_lay_within_and_how_all_of_them_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export_with(tmp_path, auctions(1000))
    wanted = tmp_path / "figures.json"
    argv = ["--use-case", "cleaning", "--data-dir", str(tmp_path), "--held-out", "0.3", "--json", str(wanted)]
    assert evaluate_bids_command(argv) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("export_v1: learned from 700 winning bids in ")
    assert told[0].endswith("held out are 300 newer ones, and all 1,200 bids of their jobs")
    assert told[1] == "wanted between minimum and maximum: 80%"
    assert any(line.startswith("| all | 300 |") for line in told)
    assert any(line.startswith("| property_type villa |") for line in told)
    assert sum(line.startswith(("| below", "| minimum to", "| optimal to", "| above")) for line in told) == 4
    assert any(line.startswith("each of the newest 5 tenths of time") and "of 500 (" in line for line in told)
    assert told[-1] == "next: tandem train all --use-case cleaning"
    figures = json.loads(wanted.read_text())
    low, high = figures["coverage_interval"]
    assert figures["n"] == 300
    assert low < 0.8 < high


def test_held_out_jobs_are_newer_than_all_that_was_learned_from_and_none_is_in_both() -> None:
    bids = read_bids(auctions(50), pair_config(), bid_parameters(load("cleaning")))
    older, newer = evaluate_bids.cut(bids, 0.2)
    assert older.times.max() < newer.times.min()
    assert (len(older.won()), len(newer.won()), len(newer)) == (40, 10, 40)


def test_jobs_posted_at_one_moment_stay_on_one_side() -> None:
    bids = read_bids(auctions(50), pair_config(), bid_parameters(load("cleaning")))
    bids.times[:] = np.floor(bids.times / 1e6)
    older, newer = evaluate_bids.cut(bids, 0.2)
    assert not set(older.times.tolist()) & set(newer.times.tolist())


def test_nothing_decided_is_said() -> None:
    matches = auctions(5)
    nothing = read_bids(matches.take(np.zeros(0, dtype=np.int64)), pair_config(), bid_parameters(load("cleaning")))
    with pytest.raises(DatasetError, match="no job was decided yet"):
        evaluate_bids.cut(nothing, 0.2)


@pytest.mark.parametrize(
    ("jobs", "told"), [(None, "has no matches; export again"), (50, "bid needs 200 winning bids; this export has 40")]
)
def test_an_export_that_does_not_do_says_why_in_one_line(
    jobs: int | None, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export_with(tmp_path, None if jobs is None else auctions(jobs))
    assert evaluate_bids_command(["--use-case", "cleaning", "--data-dir", str(tmp_path)]) == 1
    assert told in capsys.readouterr().err


def test_a_use_case_without_bids_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate_bids_command(["--use-case", "startups", "--data-dir", str(tmp_path)]) == 1
    assert "startups has no estimator of kind bid" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [[], ["--use-case", "cleaning", "--held-out", "1"]])
def test_wrong_usage_ends_with_2(argv: list[str]) -> None:
    assert evaluate_bids_command(argv) == 2
