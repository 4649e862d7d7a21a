"""How cleaners stand: what an update writes, and what is said of it. Of each part by itself: test_scoring_parts."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from sites.cleaning.models import Cleaner, CleanerScore, CleaningJob, JobBid, Payment, Review
from sites.cleaning.scoring import service
from sites.cleaning.scoring.service import PRIOR_KEY, WEIGHTS, ScoringService
from tandem import cache as lists
from tandem.cache import put
from tests.sites.cleaning.marketplace import NOW, bid, busy_market, done, end, hire, make_cleaner, make_job
from tests.support.caching import cache

# what an update writes


@pytest.mark.django_db
def test_a_row_tells_what_happened(cleaner: Cleaner) -> None:
    for days, kind, mark in ((20, "villa", 10), (50, "villa", 8), (100, "office", 9)):
        done(cleaner, posted=days, kind=kind, mark=mark, amount=60, eco_friendly=kind == "office")
    end(hire(lost := make_job(posted=70), bid(lost, cleaner, 80)), "cancelled", cancelled_by_cleaner=True)
    bid(make_job(posted=3), cleaner, 100)
    hire(ahead := make_job(posted=2), bid(ahead, cleaner, 60))
    assert ScoringService().update_all_cleaner_scores(now=NOW) == {"updated": 1, "errors": 0, "error_cleaners": []}
    row = CleanerScore.objects.get()
    assert (row.review_count, row.average_rating) == (3, 9)
    assert row.quality_score == pytest.approx(10 * (27 + 5 * (27 + 20 * 7.5) / 23) / 8)  # drawn, and its market too
    assert (row.completion_rate, row.cancellation_rate) == (0.75, 0.25)
    assert (row.on_time_rate, row.photo_rate) == (1, 1)
    assert (row.bid_count, row.win_rate, row.average_bid) == (6, 1, 70)
    assert row.usual_rate == pytest.approx(420 / 24)
    assert (row.total_jobs, row.total_earnings) == (3, 162)
    assert (row.primary_property_type, row.eco_percentage) == ("villa", pytest.approx(100 / 3))
    assert (row.jobs_30_days, row.jobs_90_days, row.jobs_ahead, row.is_active) == (1, 2, 1, True)
    assert row.overall_score == pytest.approx(sum(weight * getattr(row, name) for name, weight in WEIGHTS.items()))


@pytest.mark.django_db
def test_on_the_first_day_everybody_gets_a_score_and_the_unknown_stays_null(cleaner: Cleaner) -> None:
    ScoringService().update_all_cleaner_scores(now=NOW)
    row = CleanerScore.objects.get()
    assert 40 < row.overall_score < 60
    unknown = ("quality_score", "average_rating", "completion_rate", "on_time_rate", "win_rate", "usual_rate", "eco_percentage")
    assert [getattr(row, name) for name in unknown] == [None] * len(unknown)
    assert (row.primary_property_type, row.total_earnings, row.is_active) == ("", 0, False)


@pytest.mark.django_db
def test_somebody_new_stands_below_the_good_and_above_the_bad() -> None:
    good, bad, new = make_cleaner(), make_cleaner(), make_cleaner(joined_days_ago=1)
    for days in range(5, 45, 4):
        done(good, posted=days, mark=10)
        job = done(bad, posted=days, mark=2)
        end(job, "failed", after=5)
    ScoringService().update_all_cleaner_scores(now=NOW)
    order = CleanerScore.objects.order_by("-overall_score").values_list("cleaner", flat=True)
    assert list(order) == [good.pk, new.pk, bad.pk]


@pytest.mark.django_db
def test_a_client_who_cancels_takes_nothing_from_the_cleaner(cleaner: Cleaner) -> None:
    job = make_job(posted=20)
    end(hire(job, bid(job, cleaner)), "cancelled")
    ScoringService().update_all_cleaner_scores(now=NOW)
    assert CleanerScore.objects.get().completion_rate is None


@pytest.mark.django_db
@pytest.mark.parametrize(("days", "active"), [(89, True), (91, False)])
def test_who_neither_did_nor_bid_in_90_days_is_not_active(cleaner: Cleaner, days: float, active: bool) -> None:
    bid(make_job(posted=days), cleaner, after=0)
    ScoringService().update_all_cleaner_scores(now=NOW)
    assert CleanerScore.objects.get().is_active is active


def without_asking_django(statement: str, who: Cleaner) -> None:
    """As a careless import would write."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [who.pk])


BROKEN = {
    "a mark of 11": lambda who: Review.objects.filter(cleaner=who).update(professionalism=11),
    "a mark of 0": lambda who: Review.objects.filter(cleaner=who).update(overall=0),
    "a bid of NaN": lambda who: without_asking_django("UPDATE cleaning_jobbid SET amount = 'NaN' WHERE cleaner_id = %s", who),
    "a job of no hours": lambda who: CleaningJob.objects.filter(cleaner=who).update(hours=0),
    "a bid of less than nothing": lambda who: JobBid.objects.filter(cleaner=who).update(amount=-5),
    "a payment below nothing": lambda who: Payment.objects.filter(job__cleaner=who).update(
        payout=-1, amount=-1, platform_fee=0
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("damage", BROKEN)
def test_one_cleaners_damage_is_named_and_changes_nobody_else(damage: str, caplog: pytest.LogCaptureFixture) -> None:
    service, first, other = ScoringService(), make_cleaner(), make_cleaner()
    service.update_all_cleaner_scores(now=NOW)
    kept = CleanerScore.objects.get(cleaner=first).overall_score
    done(other)
    done(first)
    BROKEN[damage](first)
    assert service.update_all_cleaner_scores(now=NOW) == {"updated": 1, "errors": 1, "error_cleaners": [first.pk]}
    assert f"cleaner {first.pk} was not scored: impossible" in caplog.text
    assert CleanerScore.objects.get(cleaner=first).overall_score == kept
    others = CleanerScore.objects.get(cleaner=other)
    assert (others.review_count, others.usual_rate) == (1, 15)
    assert np.isfinite(others.overall_score)


@pytest.mark.django_db
def test_a_row_that_the_database_refuses_is_named_and_its_chunk_is_written(caplog: pytest.LogCaptureFixture) -> None:
    people = [make_cleaner() for _ in range(3)]
    parts = dict.fromkeys(("overall_score", *WEIGHTS), 50.0)
    rows = [CleanerScore(cleaner=who, **parts) for who in people]
    rows[1].overall_score = None  # type: ignore[assignment]  # what the table forbids
    assert service._written(rows) == [people[1].pk]
    assert set(CleanerScore.objects.values_list("cleaner", flat=True)) == {people[0].pk, people[2].pk}
    assert "could not be written together" in caplog.text


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="the trigger is written in SQLite's words")
def test_whom_the_database_refuses_is_an_error_of_the_update_and_the_others_are_scored() -> None:
    people = [make_cleaner() for _ in range(3)]
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON cleaning_cleanerscore "
            f"WHEN NEW.cleaner_id = {people[2].pk} BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        )
    done_so_far = ScoringService().update_all_cleaner_scores(now=NOW)
    assert done_so_far == {"updated": 2, "errors": 1, "error_cleaners": [people[2].pk]}
    assert CleanerScore.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 12])
def test_the_number_of_queries_does_not_grow_with_the_cleaners(count: int, django_assert_num_queries: Any) -> None:
    for _ in range(count):
        done(make_cleaner())
    with django_assert_num_queries(14):  # cleaners, six sources, four looks for damage, one write in its savepoint
        ScoringService().update_all_cleaner_scores(now=NOW)


@pytest.mark.django_db
def test_equal_tables_give_equal_scores() -> None:
    busy_market(seed=5)
    told = []
    for _ in range(2):
        ScoringService().update_all_cleaner_scores(now=NOW)
        told.append(list(CleanerScore.objects.order_by("pk").values()))
    assert told[0] == told[1]


@pytest.mark.django_db
def test_what_lies_after_now_does_not_count(cleaner: Cleaner) -> None:
    done(cleaner, posted=-20)
    ScoringService().update_all_cleaner_scores(now=NOW)
    row = CleanerScore.objects.get()
    assert (row.review_count, row.bid_count, row.total_jobs, row.total_earnings) == (0, 0, 0, 0)


# why


@pytest.mark.django_db
def test_it_explains_each_part_with_weight_points_and_a_sentence(cleaner: Cleaner) -> None:
    done(cleaner, posted=10, mark=9)
    ScoringService().update_all_cleaner_scores(now=NOW)
    parts = ScoringService().explain(cleaner)
    assert [(part.name, part.weight) for part in parts] == list(WEIGHTS.items())
    assert sum(part.adds for part in parts) == pytest.approx(CleanerScore.objects.get().overall_score)
    assert [part.sentence for part in parts] == [
        "9.0 of 10 on average in 1 review.",
        "Completed 100% of their jobs, 100% on time, cancelled 0%, photos of 100%.",
        "1 job done, €54 earned.",
        "1 bid, 100% of those decided were won; €15.00 an hour on average.",
        "1 job in the last 30 days, 1 in 90.",
    ]


@pytest.mark.django_db
def test_it_explains_somebody_who_joined_a_minute_ago() -> None:
    new = make_cleaner()
    Cleaner.objects.filter(pk=new.pk).update(joined=timezone.localdate())
    new.refresh_from_db()
    parts = ScoringService().explain(new)
    assert sum(part.adds for part in parts) == pytest.approx(ScoringService().newcomer_score())
    assert "No reviews yet" in parts[0].sentence
    assert not CleanerScore.objects.exists()


@pytest.mark.django_db
def test_what_a_newcomer_scores_is_kept_until_the_next_update(django_assert_num_queries: Any) -> None:
    first = ScoringService().newcomer_score()
    with django_assert_num_queries(0):
        assert ScoringService().newcomer_score() == first
    done(make_cleaner(), mark=1)
    ScoringService().update_all_cleaner_scores()
    kept = ScoringService().newcomer_score()
    assert kept != first
    cache.clear()
    assert ScoringService().newcomer_score() == pytest.approx(kept)


@pytest.mark.django_db
@pytest.mark.parametrize("garbage", ["55", 400.0, -1.0, float("nan"), {"score": 5.0}])
def test_garbage_in_the_cache_is_not_believed(garbage: object) -> None:
    expected = ScoringService().newcomer_score()
    put(PRIOR_KEY, garbage, 60)
    assert ScoringService().newcomer_score() == expected


@pytest.mark.django_db
def test_without_a_cache_everything_is_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = ScoringService().newcomer_score()
    monkeypatch.setattr(lists, "_sick_until", float("inf"))
    assert ScoringService().newcomer_score() == expected
    assert ScoringService().update_all_cleaner_scores()["errors"] == 0


def test_it_imports_and_runs_where_nothing_that_learns_is_installed() -> None:
    program = """
import sys
class Absent:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in {"torch", "sklearn", "implicit", "lightgbm", "faiss", "sentence_transformers"}:
            raise ImportError(name + " is not installed here")
sys.meta_path.insert(0, Absent())
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from recommendations.services.scoring_service import ScoringService
from sites.cleaning.models import Cleaner
from tests.support.caching import cache
one = Cleaner.objects.create(name="Maria", latitude=38, longitude=23, hourly_rate=15)
print(ScoringService().update_all_cleaner_scores(), len(ScoringService().explain(one)))
"""
    folder = str(Path(django_settings.BASE_DIR) if hasattr(django_settings, "BASE_DIR") else Path(__file__).parents[4])
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"}
    environment.pop("DATABASE_URL", None)
    environment["PYTHONPATH"] = os.pathsep.join((folder, str(Path(folder).parent)))
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "{'updated': 1, 'errors': 0, 'error_cleaners': []} 5\n"
