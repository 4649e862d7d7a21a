"""Jobs and cleaners as columns."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from recommendation_service.datasets.pair_features import features, join_pairs
from recommendation_service.use_cases.loader import load
from sites.cleaning.models import Cleaner, CleaningJob
from sites.cleaning.scoring.pair_features import cleaner_side, job_side
from sites.cleaning.scoring.service import ScoringService
from tests.sites.cleaning.marketplace import NOW, ago, bid, done, hire, make_cleaner, make_job

pytestmark = pytest.mark.django_db

JOB_NUMBERS = {
    *("latitude", "longitude", "size_m2", "hours", "eco_wanted", "budget", "hour_of_day", "day_of_week"),
    *("market_rate", "bid_count", "lowest_bid"),
}
CLEANER_NUMBERS = {
    *("base_latitude", "base_longitude", "hourly_rate", "jobs_a_week", "is_available", "eco_offered", "reach_km"),
    *("overall_score", "quality_score", "communication_score", "professionalism_score", "timeliness_score"),
    *("average_rating", "review_count", "completion_rate", "on_time_rate", "cancellation_rate", "photo_rate"),
    *("bid_count_all", "win_rate", "average_bid", "usual_rate", "total_jobs", "total_earnings", "eco_percentage"),
    *("jobs_30_days", "jobs_90_days", "jobs_ahead"),
}


def test_a_job_has_the_columns_of_the_pairing_and_no_others() -> None:
    side = job_side([make_job()])
    assert set(side.numbers) == JOB_NUMBERS
    assert set(side.text_columns) == {"property_type", "client_id"}


def test_a_cleaner_has_the_columns_of_the_pairing_and_no_others(cleaner: Cleaner) -> None:
    side = cleaner_side([cleaner])
    assert set(side.numbers) == CLEANER_NUMBERS
    assert set(side.text_columns) == {"primary_property_type"}


def test_the_two_sides_share_no_word_and_make_every_feature_known(cleaner: Cleaner) -> None:
    done(cleaner)
    ScoringService().update_all_cleaner_scores()
    jobs, cleaners = job_side([make_job()]), cleaner_side([cleaner])
    assert not (set(jobs.numbers) | set(jobs.text_columns)) & (set(cleaners.numbers) | set(cleaners.text_columns))
    pair_config = load("cleaning").pairs
    assert pair_config is not None
    assert np.isfinite(features(pair_config, join_pairs(pair_config, jobs, cleaners))).all()


def test_a_job_tells_what_its_property_and_its_client_are() -> None:
    wanted = datetime(2026, 11, 24, 15, 59, tzinfo=UTC)  # a Tuesday
    job = make_job(kind="villa", eco_friendly=True, wanted_for=wanted, posted=1)
    side = job_side([job])
    assert side.ids == (str(job.pk),)
    assert side.text_columns["property_type"].tolist() == ["villa"]
    assert side.text_columns["client_id"].tolist() == [str(job.client_id)]
    told = {name: float(column[0]) for name, column in side.numbers.items()}
    assert (told["size_m2"], told["hours"], told["budget"], told["eco_wanted"]) == (80, 4, 80, 1)
    assert (told["hour_of_day"], told["day_of_week"]) == (15, 1)
    assert told["latitude"] == pytest.approx(37.99)


def test_a_job_tells_who_bid_already(cleaner: Cleaner) -> None:
    job, quiet = make_job(), make_job()
    bid(job, cleaner, 70)
    bid(job, make_cleaner(), 55)
    bid(job, make_cleaner(), 20, status="withdrawn")
    side = job_side([quiet, job])
    assert side.numbers["bid_count"].tolist() == [0, 2]
    assert np.isnan(side.numbers["lowest_bid"][0])
    assert side.numbers["lowest_bid"][1] == 55


def test_a_cleaner_tells_what_they_declared() -> None:
    one = make_cleaner(hourly_rate="22.50", reach_km=12, jobs_a_week=4, eco_friendly=True, is_available=False)
    told = {name: float(column[0]) for name, column in cleaner_side([one]).numbers.items()}
    assert (told["hourly_rate"], told["reach_km"], told["jobs_a_week"]) == (22.5, 12, 4)
    assert (told["eco_offered"], told["is_available"]) == (1, 0)
    assert told["base_latitude"] == pytest.approx(37.9838)


def test_who_joined_a_minute_ago_has_a_newcomers_score_and_asks_what_they_declare(cleaner: Cleaner) -> None:
    done(cleaner)
    ScoringService().update_all_cleaner_scores()
    new = make_cleaner(joined_days_ago=0, hourly_rate=19)
    side = cleaner_side([new, cleaner])
    assert 0 < side.numbers["overall_score"][0] < side.numbers["overall_score"][1]
    assert side.numbers["usual_rate"].tolist() == [19, 15]
    assert side.numbers["review_count"].tolist() == [0, 1]
    assert np.isnan(side.numbers["average_rating"][0])
    assert side.text_columns["primary_property_type"].tolist() == ["", "apartment"]


def test_a_newcomer_has_the_same_score_before_and_after_the_update(cleaner: Cleaner) -> None:
    done(cleaner)
    new = make_cleaner(joined_days_ago=0)
    before = cleaner_side([new]).numbers["overall_score"]
    ScoringService().update_all_cleaner_scores()
    assert before.tolist() == pytest.approx(cleaner_side([new]).numbers["overall_score"].tolist(), rel=1e-6)


def test_a_job_accepted_a_minute_ago_is_ahead_at_once(cleaner: Cleaner) -> None:
    ScoringService().update_all_cleaner_scores()
    job = make_job()
    hire(job, bid(job, cleaner))
    assert cleaner_side([cleaner]).numbers["jobs_ahead"].tolist() == [1]


def test_as_of_a_moment_a_side_knows_nothing_later(cleaner: Cleaner) -> None:
    job = make_job(posted=10)
    bid(job, cleaner, 44, after=1)
    done(cleaner, posted=8)
    moment = np.array([ago(10).timestamp()])
    jobs, cleaners = job_side([job], moment), cleaner_side([cleaner], moment)
    assert jobs.numbers["bid_count"].tolist() == [0]
    assert cleaners.numbers["review_count"].tolist() == [0]
    assert cleaners.numbers["bid_count_all"].tolist() == [0]
    assert cleaners.numbers["usual_rate"].tolist() == [15]


def test_one_cleaner_may_be_asked_for_at_several_moments(cleaner: Cleaner) -> None:
    done(cleaner, posted=20)
    side = cleaner_side([cleaner, cleaner], np.array([ago(30).timestamp(), NOW.timestamp()]))
    assert side.ids == (str(cleaner.pk),) * 2
    assert side.numbers["total_jobs"].tolist() == [0, 1]


def test_nothing_makes_empty_sides() -> None:
    assert len(job_side([])) == len(cleaner_side([])) == 0
    assert set(cleaner_side([]).numbers) == CLEANER_NUMBERS
    assert set(job_side([]).numbers) == JOB_NUMBERS


@pytest.mark.parametrize("count", [1, 7])
def test_the_number_of_queries_does_not_grow(count: int, django_assert_num_queries: Any) -> None:
    people = [make_cleaner() for _ in range(count)]
    for one in people:
        done(one)
    ScoringService().update_all_cleaner_scores()
    jobs = list(CleaningJob.objects.all())
    with django_assert_num_queries(3):
        job_side(jobs)
    with django_assert_num_queries(2):  # the list itself, and bids; what the market pays is kept
        job_side(CleaningJob.objects.select_related("place"))
    with django_assert_num_queries(2):
        cleaner_side(people)
