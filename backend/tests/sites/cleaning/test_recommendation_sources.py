"""What the marketplace declares: two catalogues with their columns, exported together, and people who are never mixed up."""

import io
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommendation_service.datasets.reader import Dataset
from sites.cleaning.models import Cleaner, Client
from sites.cleaning.recommendation_sources import KNOWN_DAYS, Cleaners, Jobs
from sites.cleaning.scoring.pair_features import cleaner_side, job_side
from sites.cleaning.scoring.service import ScoringService
from sites.cleaning.user_ids import of_cleaner, of_client
from tandem import identity
from tandem.checks import problems_of
from tandem.event_sync.sync import sync_interactions
from tandem.models import UserInteraction, UserKey
from tandem.selectors.history import history_of
from tandem.services.erase_user import erase_user
from tests.sites.cleaning.marketplace import NOW, bid, busy_market, done, make_cleaner, make_client, make_job, make_place

pytestmark = pytest.mark.django_db


def run(folder: Path, *catalogues: str) -> list[str]:
    """The lines of an export of these catalogues."""
    out = io.StringIO()
    call_command("generate_all_datasets", output=folder, catalogue=list(catalogues), stdout=out)
    return out.getvalue().splitlines()


@pytest.fixture(autouse=True)
def _that_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is NOW of the marketplace, whatever day these tests run on."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def now_job() -> int:
    """An open job."""
    return int(make_job().pk)


def test_both_declarations_are_right() -> None:
    assert [*problems_of(Cleaners), *problems_of(Jobs)] == []


def test_both_catalogues_are_exported_with_their_columns(tmp_path: Path) -> None:
    people = busy_market(seed=3)
    ScoringService().update_all_cleaner_scores()
    job = now_job()
    lines = run(tmp_path, "cleaning")
    assert [line for line in lines if line in ("cleaners:", "jobs:")] == ["cleaners:", "jobs:"]
    cleaners, jobs = (Dataset.open(tmp_path, name).catalogue() for name in ("cleaners", "jobs"))
    assert cleaners.side is not None
    assert jobs.side is not None
    live = cleaner_side(people)
    rows = cleaners.ids.rows(list(live.ids))
    for name, column in live.numbers.items():
        np.testing.assert_array_equal(cleaners.side.numbers[name][rows], column, err_msg=name)
    assert (
        cleaners.side.text_columns["primary_property_type"][rows].tolist()
        == live.text_columns["primary_property_type"].tolist()
    )
    row = jobs.ids.row(str(job))
    assert row is not None
    assert jobs.side.text_columns["client_id"][row] != ""
    assert jobs.side.numbers["budget"][row] == 80


def test_the_table_of_pairs_is_in_the_export_of_cleaners_only(tmp_path: Path, cleaner: Cleaner) -> None:
    done(cleaner)
    now_job()
    run(tmp_path, "cleaners", "jobs")
    found = Dataset.open(tmp_path, "cleaners").matches()
    assert found is not None
    assert len(found) == 1
    assert Dataset.open(tmp_path, "jobs").matches() is None


def test_without_a_single_bid_both_are_exported(tmp_path: Path, cleaner: Cleaner) -> None:
    now_job()
    run(tmp_path, "cleaning")
    found = Dataset.open(tmp_path, "cleaners").matches()
    assert found is not None
    assert len(found) == 0
    assert len(Dataset.open(tmp_path, "jobs").catalogue()) == 1


def test_without_cleaners_that_is_said_jobs_are_exported_and_the_last_export_of_cleaners_stays(
    tmp_path: Path, cleaner: Cleaner
) -> None:
    now_job()
    run(tmp_path, "cleaning")
    cleaner.delete()
    with pytest.raises(CommandError, match="cleaners: no items; add some"):
        run(tmp_path, "cleaning")
    assert Dataset.open(tmp_path, "jobs").version == "export_v2"
    assert Dataset.open(tmp_path, "cleaners").version == "export_v1"
    assert "cleaners: no items yet, skipped" in run(tmp_path)
    assert Dataset.open(tmp_path, "jobs").version == "export_v3"


def test_somebody_nobody_scored_yet_is_exported_as_a_newcomer(tmp_path: Path, cleaner: Cleaner) -> None:
    done(cleaner)
    ScoringService().update_all_cleaner_scores()
    newcomer = make_cleaner("Eleni")
    run(tmp_path, "cleaners")
    catalogue = Dataset.open(tmp_path, "cleaners").catalogue()
    row = catalogue.ids.row(str(newcomer.pk))
    assert row is not None
    assert catalogue.side is not None
    assert catalogue.side.numbers["total_jobs"][row] == 0
    assert np.isnan(catalogue.side.numbers["average_rating"][row])
    assert catalogue.facets["category"].of(row) == ()


def test_who_takes_no_jobs_and_what_is_over_are_known_and_not_recommended(cleaner: Cleaner) -> None:
    away = make_cleaner(is_available=False)
    given = done(cleaner)
    open_job = now_job()
    assert {record.item_id: record.available for record in Cleaners.records()} == {
        str(cleaner.pk): True,
        str(away.pk): False,
    }
    assert {record.item_id: record.available for record in Jobs.records()} == {str(given.pk): False, str(open_job): True}


def test_jobs_over_long_ago_are_forgotten_and_open_ones_never(cleaner: Cleaner) -> None:
    old_open = make_job(posted=KNOWN_DAYS + 800)
    done(cleaner, posted=KNOWN_DAYS + 800)
    assert [record.item_id for record in Jobs.records()] == [str(old_open.pk)]


def test_more_items_take_no_more_queries() -> None:
    counts = []
    for jobs in (8, 40):
        for _ in range(jobs):
            bid(make_job(), make_cleaner())
        ScoringService().update_all_cleaner_scores()
        list(Cleaners.records())  # what is kept for a while is kept now
        with CaptureQueriesContext(connection) as queries:
            assert len(list(Jobs.records())) + len(list(Cleaners.records())) >= 2 * jobs
        counts.append(len(queries))
    assert counts[1] <= counts[0] <= 12


def test_the_columns_are_those_of_a_live_list() -> None:
    job = make_job()
    bid(job, make_cleaner())
    (record,) = Jobs.records()
    live = job_side([job])
    known = {name: float(column[0]) for name, column in live.numbers.items() if not np.isnan(column[0])}
    assert record.numbers == pytest.approx(known)
    assert record.text_columns == {name: str(column[0]) for name, column in live.text_columns.items()}


def test_a_client_and_a_cleaner_of_one_number_are_two_people(cleaner: Cleaner) -> None:
    client = make_client(pk=cleaner.pk)
    assert Cleaners.user_id(client) == of_client(cleaner.pk) != Jobs.user_id(cleaner) == of_cleaner(cleaner.pk)
    assert Cleaners.person(of_client(client.pk)) == client
    assert Jobs.person(of_cleaner(cleaner.pk)) == cleaner


@pytest.mark.parametrize("wanted", ["1", "cleaner-1", "client-", "client-01", "client-1 ", "client-x", "client--1", "CLIENT-1"])
def test_no_other_word_names_a_client(wanted: str) -> None:
    make_client(pk=1)
    make_cleaner(pk=1)
    assert Cleaners.person(wanted) is None


def test_bids_and_reviews_are_mirrored_for_the_right_people(cleaner: Cleaner) -> None:
    client = make_client(pk=cleaner.pk)
    job = done(cleaner, place=make_place(client), mark=8)
    found = {
        (one.catalogue.name, one.user.user_id, one.item.item_id, one.kind.name, one.value)
        for one in UserInteraction.objects.select_related("catalogue", "user", "item", "kind")
    }
    assert found == {
        ("jobs", of_cleaner(cleaner.pk), str(job.pk), "bid", None),
        ("cleaners", of_client(client.pk), str(cleaner.pk), "review", 8.0),
    }
    UserInteraction.objects.all().delete()
    assert sync_interactions()["jobs.bid"] == 1
    assert history_of(user_id=of_cleaner(cleaner.pk), catalogue="jobs")[0][0].item_id == str(job.pk)


def test_who_is_erased_takes_nobody_of_the_same_number_along(cleaner: Cleaner) -> None:
    client = make_client(pk=cleaner.pk)
    done(cleaner, place=make_place(client))
    erase_user(user_id=of_client(client.pk))
    assert list(UserKey.objects.values_list("user_id", flat=True)) == [of_cleaner(cleaner.pk)]
    assert UserInteraction.objects.get().catalogue.name == "jobs"


def test_an_account_is_its_client_for_cleaners_and_its_cleaner_for_jobs() -> None:
    account = User.objects.create_user("maria")
    client = Client.objects.create(name="Maria", account=account)
    own = make_cleaner("Maria", account=account, pk=client.pk)
    make_cleaner("Somebody else")
    assert identity.user_ids_of(account, catalogue="cleaners") == (of_client(client.pk),)
    assert identity.user_ids_of(account, catalogue="jobs") == (of_cleaner(own.pk),)


def test_no_list_of_either_catalogue_is_about_a_person(cleaner: Cleaner, client_of_jobs: Client) -> None:
    assert Cleaners.surface_for(client_of_jobs) == Jobs.surface_for(cleaner) == ""


def test_cards_say_what_one_chooses_by(cleaner: Cleaner) -> None:
    job = make_job()
    assert Cleaners.card(cleaner)["facts"] == ("€15 an hour", "up to 25 km")
    assert Jobs.card(job)["title"] == "Apartment, 80 m², Kypseli"
    assert Jobs.card(job)["facts"][1:] == ("4 hours", "up to €80")
    assert Jobs.describe(cleaner) == "€15 an hour, up to 25 km"
