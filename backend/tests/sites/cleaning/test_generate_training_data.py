"""`manage.py generate_training_data`, as somebody who tries the marketplace runs it."""

import json
from datetime import UTC, datetime
from io import StringIO

import numpy as np
import pytest
from django.apps import apps
from django.core import serializers
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from demo.synthetic.cleaning import writer
from recommendation_service.domain.side import PairSide
from sites.cleaning.models import Cleaner, CleanerScore, CleaningJob, Client, JobBid
from sites.cleaning.scoring.pair_features import cleaner_side, job_side
from sites.cleaning.scoring.service import ScoringService
from sites.cleaning.training_data import matches
from tandem.models import UserInteraction

pytestmark = pytest.mark.django_db
SMALL = ("--jobs", "60", "--cleaners", "24", "--clients", "15", "--until", "2026-11-01")


def run(*more: str, sizes: tuple[str, ...] = SMALL) -> list[str]:
    said = StringIO()
    call_command("generate_training_data", *sizes, *more, stdout=said)
    return said.getvalue().splitlines()


def dump() -> dict[str, str]:
    """Every table of the marketplace as JSON, and its past in outside words."""
    tables = {
        model._meta.label: serializers.serialize("json", model._default_manager.order_by("pk"))
        for model in apps.get_app_config("cleaning").get_models()
    }
    words = ("event_id", "user__user_id", "item__item_id", "catalogue__name", "kind__name", "value", "time", "request_id")
    past = UserInteraction.objects.order_by("event_id").values_list(*words)
    return {**tables, "past": json.dumps(list(past), default=str)}


def _columns(side: PairSide) -> list[str]:
    return [f"{name}: {column.tolist()}" for name, column in (*side.numbers.items(), *side.text_columns.items())]


def test_it_writes_what_it_says_prints_the_balance_and_names_the_next_command() -> None:
    lines = run()
    events = UserInteraction.objects.count()
    assert f"24 cleaners, 15 clients, {writer.models.Property.objects.count():,} properties, 60 cleaning jobs" in lines[-3]
    assert lines[-3].endswith(f"{events:,} events")
    assert any(line.startswith("cleaners by tier: premium") for line in lines)
    assert lines[-1] == "next: manage.py generate_all_datasets --catalogue cleaning"
    assert (Cleaner.objects.count(), Client.objects.count(), CleaningJob.objects.count()) == (24, 15, 60)


def test_the_same_seed_and_end_give_the_same_tables_to_the_byte() -> None:
    run("--seed", "5")
    first = dump()
    run("--seed", "5", "--reset")
    assert dump() == first
    assert len(first["cleaning.CleanerScore"]) > 1000


def test_without_a_seed_it_is_42() -> None:
    run()
    first = dump()
    run("--seed", "42", "--reset")
    assert dump() == first


def test_another_seed_gives_other_people_jobs_and_bids() -> None:
    run("--seed", "5")
    first = dump()
    run("--seed", "6", "--reset")
    second = dump()
    assert all(first[name] != second[name] for name in first if len(first[name]) > 2)


def test_another_end_moves_the_past_and_keeps_the_people() -> None:
    run("--seed", "5")
    names = list(Cleaner.objects.order_by("pk").values_list("name", "hourly_rate"))
    newest = CleaningJob.objects.latest("posted_at").posted_at
    run("--seed", "5", "--reset", "--until", "2026-11-11T12:00:00+00:00")
    assert list(Cleaner.objects.order_by("pk").values_list("name", "hourly_rate")) == names
    assert CleaningJob.objects.latest("posted_at").posted_at > newest


def test_every_cleaner_is_scored_as_of_the_end() -> None:
    lines = run()
    assert lines[-2].startswith("24 cleaners scored, 0 errors; ")
    assert CleanerScore.objects.count() == 24
    assert {f"{one:%Y-%m-%d}" for one in CleanerScore.objects.values_list("updated_at", flat=True)} == {"2026-11-01"}


def test_a_marketplace_that_is_there_is_not_touched_unless_told() -> None:
    run()
    before = dump()
    with pytest.raises(CommandError, match="--reset"):
        run("--seed", "9")
    assert dump() == before


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--jobs", "0", "--jobs must be at least 20, not 0"),
        ("--jobs", "-5", "--jobs must be at least 20, not -5"),
        ("--jobs", "many", "invalid int value"),
        ("--cleaners", "3", "--cleaners must be at least 20, not 3"),
        ("--clients", "1", "--clients must be at least 10, not 1"),
        ("--seed", "-1", "--seed must not be negative, and is -1"),
        ("--until", "soon", "ISO 8601"),
    ],
)
def test_wrong_sizes_are_refused_with_what_is_right(option: str, value: str, told: str) -> None:
    with pytest.raises(CommandError, match=told):
        run(f"{option}={value}")
    assert not Cleaner.objects.exists()


def test_the_smallest_marketplace_works() -> None:
    run(sizes=("--jobs", "20", "--cleaners", "20", "--clients", "10"))
    assert CleaningJob.objects.count() == 20
    assert CleanerScore.objects.count() == 20


def test_a_failure_half_way_leaves_what_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    before = dump()

    def full(**_: object) -> int:
        raise OSError("disk full")

    monkeypatch.setattr(writer, "write_past", full)
    with pytest.raises(OSError, match="disk full"):
        run("--seed", "9", "--reset")
    assert dump() == before


def test_more_jobs_need_hardly_more_statements_than_batches() -> None:
    with CaptureQueriesContext(connection) as few:
        run()
    with CaptureQueriesContext(connection) as many:
        run("--reset", "--jobs", "600")
    rows = JobBid.objects.count() + UserInteraction.objects.count()
    assert rows > 5000
    assert len(many) - len(few) < rows / 50


def test_nothing_that_is_scored_or_learned_from_knows_the_tier_of_a_cleaner_or_what_a_client_weighs() -> None:
    run()
    before, standings = matches().arrays(), dump()["cleaning.CleanerScore"]
    sides = [*_columns(cleaner_side(Cleaner.objects.all())), *_columns(job_side(CleaningJob.objects.all()))]
    Cleaner.objects.update(tier="")
    Client.objects.update(budget=Client.Budget.LOW)
    ScoringService().update_all_cleaner_scores(now=datetime(2026, 11, 1, tzinfo=UTC))
    after = matches().arrays()
    assert all(np.array_equal(before[name], after[name], equal_nan=before[name].dtype.kind == "f") for name in before)
    assert [*_columns(cleaner_side(Cleaner.objects.all())), *_columns(job_side(CleaningJob.objects.all()))] == sides
    assert dump()["cleaning.CleanerScore"] == standings


def test_new_rows_can_be_added_right_after_it() -> None:
    """On PostgreSQL this needs the sequences; on SQLite keys go on by themselves."""
    run()
    new = Cleaner.objects.create(name="Maria", latitude=37.9, longitude=23.7, hourly_rate=15)
    assert new.pk == 25
    wanted_for = CleaningJob.objects.latest("pk").wanted_for
    job = CleaningJob.objects.create(client_id=1, place_id=1, hours=2, budget=40, wanted_for=wanted_for)
    assert job.pk == 61
    bid = JobBid.objects.create(job=job, cleaner=new, amount=30)
    assert bid.pk == JobBid.objects.count()
