"""What a demo shows first: a list about somebody, or something, worth looking at."""

from dataclasses import replace
from pathlib import Path

import pytest

from demo.output import busiest_user, newest_item, shown_id
from demo.plan import SEEDED
from demo.processes import StageFailed
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.tests.support.exports import NOW, Happening, clubs, write_export
from recommendation_service.use_cases.loader import load

BUSIEST = "u007"
STARTUPS, CLEANING = replace(SEEDED["startups"], known=""), SEEDED["cleaning"]


@pytest.fixture
def startups(tmp_path: Path) -> Path:
    """Two clubs of people, one of whom did more than all others."""
    items, happenings, profiles = clubs(people=12)
    more = [Happening(BUSIEST, one.item_id, "like", NOW - 60) for one in items]
    write_export(tmp_path, load("startups"), items, [*happenings, *more], profiles)
    return tmp_path


def export_jobs(data_dir: Path, *jobs: ItemRecord) -> Path:
    done = [Happening("cleaner-1", jobs[0].item_id, "bid", NOW - 60)]
    write_export(data_dir, load("cleaning"), jobs, done, catalogue="jobs")
    return data_dir


def test_a_list_of_a_person_is_the_busiest_persons(startups: Path) -> None:
    assert busiest_user(startups, STARTUPS) == shown_id(startups, STARTUPS) == BUSIEST


def test_only_people_are_shown_whom_the_surface_is_for(startups: Path) -> None:
    with pytest.raises(StopIteration):
        busiest_user(startups, replace(STARTUPS, known="sectors"))  # nobody's profile has that word


def test_cleaners_are_shown_for_the_newest_job_that_takes_bids(tmp_path: Path) -> None:
    jobs = (
        ItemRecord("5", "House", created_at=NOW - 10, available=False),
        ItemRecord("12", "Flat", created_at=NOW - 20),
        ItemRecord("9", "Office", created_at=NOW - 30),
    )
    assert shown_id(export_jobs(tmp_path, *jobs), CLEANING) == "12"


def test_without_a_job_that_takes_bids_the_demo_says_what_is_missing(tmp_path: Path) -> None:
    export_jobs(tmp_path, ItemRecord("5", "House", created_at=NOW, available=False))
    with pytest.raises(StageFailed, match="the export of jobs has no available item"):
        newest_item(tmp_path, "jobs")
