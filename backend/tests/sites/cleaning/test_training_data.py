"""What the marketplace's past says of pairs, and that nothing that came of a job stands in the rows it is learned from."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recommendation_service.datasets.pair_outcomes import Matches, ordered
from recommendation_service.use_cases.loader import load
from sites.cleaning.models import (
    Cleaner,
    CleanerRecommendation,
    CleaningJob,
    Client,
    JobBid,
    JobRecommendation,
    Payment,
    RecommendationFeedback,
    Review,
)
from sites.cleaning.training_data import matches
from tests.sites.cleaning.marketplace import (
    MARKS,
    ago,
    bid,
    busy_market,
    done,
    end,
    hire,
    make_cleaner,
    make_job,
    make_place,
    review,
)

pytestmark = pytest.mark.django_db


def column(table: Matches, name: str) -> list[float]:
    """One column of numbers."""
    return [float(value) for value in table.numbers[:, table.names.index(name)]]


def rows_of(table: Matches, job: CleaningJob) -> Matches:
    """The offers for one job."""
    return table.take(np.flatnonzero(table.groups == job.pk))


def test_every_offer_for_a_job_that_was_given_is_a_row_with_what_came_of_it(cleaner: Cleaner) -> None:
    rival, job = make_cleaner(), make_job()
    bid(job, rival, 55.5)
    end(hire(job, bid(job, cleaner, 61.25)))
    review(job, 10)
    table = matches()
    assert table.text_columns["right_owner"].tolist() == [str(cleaner.pk), str(rival.pk)]
    assert table.text_columns["left_owner"].tolist() == [str(job.client_id)] * 2
    assert column(table, "bid") == [61.25, 55.5]
    assert table.chosen.tolist() == [True, False]
    assert table.decided.all()
    assert table.groups.tolist() == [job.pk] * 2
    assert table.times.tolist() == [job.posted_at.timestamp()] * 2
    np.testing.assert_array_equal(table.ratings, np.array([1.0, np.nan], dtype=np.float32))
    assert np.isnan(table.verdicts).all()


@pytest.mark.parametrize(("mark", "rating"), [(1, 0.0), (10, 1.0), (4, 1 / 3)])
def test_marks_of_1_to_10_become_0_to_1(cleaner: Cleaner, mark: int, rating: float) -> None:
    done(cleaner, mark=mark)
    assert matches().ratings.tolist() == pytest.approx([rating])


def test_jobs_nobody_was_given_and_bids_taken_back_or_placed_afterwards_are_left_out(cleaner: Cleaner) -> None:
    rival, other = make_cleaner(), make_cleaner()
    bid(make_job(), cleaner)
    bid(make_job(status="cancelled"), cleaner)
    job = make_job()
    chosen = bid(job, cleaner)
    hire(job, chosen)
    bid(job, rival, status=JobBid.Status.WITHDRAWN)
    bid(job, other, after=2.0)
    table = matches()
    assert table.text_columns["right_owner"].tolist() == [str(cleaner.pk)]
    assert table.groups.tolist() == [job.pk]


def test_a_job_cancelled_after_it_was_given_still_says_who_was_chosen(cleaner: Cleaner) -> None:
    job = make_job()
    end(hire(job, bid(job, cleaner)), "cancelled")
    table = matches()
    assert (table.chosen.tolist(), table.decided.tolist()) == ([True], [True])
    assert np.isnan(table.ratings).all()


def test_it_has_every_column_that_the_pairing_reads_worked_out_as_for_a_list() -> None:
    job = make_job(make_place(latitude=38.0, longitude=23.7))
    hire(job, bid(job, make_cleaner(latitude=38.0, longitude=23.8)))
    table = ordered(matches(), load("cleaning"))
    assert table is not None
    assert column(table, "distance_km") == pytest.approx([8.76], abs=0.02)
    pair_config = load("cleaning").pairs
    assert pair_config is not None
    assert {one.name for one in pair_config.features} <= set(table.names)
    assert table.text_columns["property_type"].tolist() == ["apartment"]


def test_rows_come_oldest_first(cleaner: Cleaner) -> None:
    jobs = [done(cleaner, posted=days) for days in (10, 40, 25)]
    assert matches().groups.tolist() == [jobs[1].pk, jobs[2].pk, jobs[0].pk]


def test_columns_are_what_was_known_when_the_job_was_posted(cleaner: Cleaner) -> None:
    done(cleaner, posted=60, mark=10, amount=60)
    second = done(cleaner, posted=40, mark=2, amount=80)
    table = rows_of(matches(), second)
    assert column(table, "total_jobs") == [1]
    assert column(table, "average_rating") == [10]
    assert column(table, "market_rate") == [15]
    assert column(table, "bid_count") == [0]
    assert column(table, "usual_rate") == [15]


def test_a_first_job_knows_nothing_of_itself(cleaner: Cleaner) -> None:
    job = done(cleaner, mark=1)
    table = rows_of(matches(), job)
    assert column(table, "review_count") == column(table, "total_jobs") == column(table, "total_earnings") == [0]
    assert all(np.isnan(column(table, name)).all() for name in ("average_rating", "completion_rate", "win_rate", "market_rate"))


def _worse_review(job: CleaningJob) -> None:
    Review.objects.filter(job=job).update(**dict.fromkeys(MARKS, 1))


def _no_review(job: CleaningJob) -> None:
    Review.objects.filter(job=job).delete()


def _not_completed(job: CleaningJob) -> None:
    told = {"status": "failed", "was_on_time": False, "photos": 0, "ended_at": job.posted_at + timedelta(days=9)}
    CleaningJob.objects.filter(pk=job.pk).update(**told)


def _paid_otherwise(job: CleaningJob) -> None:
    Payment.objects.filter(job=job).update(amount=Decimal(10), platform_fee=Decimal(1), payout=Decimal(9))


def _given_to_nobody(job: CleaningJob) -> None:
    Review.objects.filter(job=job).delete()
    told = {"status": "bidding", "cleaner": None, "accepted_bid": None, "accepted_at": None, "ended_at": None}
    CleaningJob.objects.filter(pk=job.pk).update(**told)


EDITS = (_worse_review, _no_review, _not_completed, _paid_otherwise)


def numbers_of(table: Matches, rows: np.ndarray) -> np.ndarray:
    """Everything a network could read of these rows, in one order."""
    some = table.take(np.flatnonzero(rows))
    return some.numbers[np.lexsort((some.text_columns["right_owner"], some.groups))]


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("seed", [0, 1])
def test_what_came_of_a_job_changes_no_number_of_its_own_rows_or_of_earlier_ones(
    edit: Callable[[CleaningJob], None], seed: int
) -> None:
    busy_market(seed=seed)
    before = matches()
    done_jobs = list(CleaningJob.objects.filter(review__isnull=False, payment__isnull=False).order_by("posted_at"))
    job = done_jobs[len(done_jobs) // 3]
    edit(job)
    after = matches()
    early = before.times <= job.posted_at.timestamp()
    np.testing.assert_array_equal(numbers_of(before, early), numbers_of(after, early))
    assert not np.array_equal(numbers_of(before, ~early), numbers_of(after, ~early), equal_nan=True), "later rows knew of it"


@pytest.mark.parametrize("seed", [0, 1])
def test_what_came_of_any_later_job_changes_nothing_at_all_before(seed: int) -> None:
    busy_market(seed=seed)
    before = matches()
    posted = np.unique(before.times)
    moment = posted[posted.size // 2]
    for job in CleaningJob.objects.filter(accepted_at__isnull=False, review__isnull=False).order_by("posted_at"):
        if job.posted_at.timestamp() >= moment:
            _given_to_nobody(job)
    after, early = matches(), before.times < moment
    np.testing.assert_array_equal(numbers_of(before, early), numbers_of(after, after.times < moment))
    assert len(after) < len(before)


def test_two_jobs_of_one_moment_do_not_know_of_each_other(cleaner: Cleaner) -> None:
    jobs = [done(cleaner, posted=10), done(cleaner, posted=10, mark=2)]
    assert [column(rows_of(matches(), job), "total_jobs") for job in jobs] == [[0], [0]]


def shown_to_client(job: CleaningJob, cleaner: Cleaner, *, days_ago: float) -> CleanerRecommendation:
    """A cleaner in a list for a job."""
    told = {"request_id": uuid4(), "score": 80.0, "rank": 1, "mode": "rule_based", "created_at": ago(days_ago)}
    return CleanerRecommendation.objects.create(job=job, cleaner=cleaner, client_id=job.client_id, **told)


def test_verdicts_are_rows_of_their_own_as_of_when_the_list_was_shown(cleaner: Cleaner) -> None:
    done(cleaner, posted=30, mark=10)
    job = make_job(posted=20)
    told = {"request_id": uuid4(), "score": 70.0, "rank": 1, "mode": "neural", "created_at": ago(8)}
    to_cleaner = JobRecommendation.objects.create(job=job, cleaner=cleaner, **told)
    RecommendationFeedback.objects.create(
        cleaner_recommendation=shown_to_client(job, cleaner, days_ago=15), feedback_type="helpful"
    )
    RecommendationFeedback.objects.create(job_recommendation=to_cleaner, feedback_type="too_far")
    bid(job, make_cleaner(), 40, after=8)
    table = matches()
    said = table.take(np.flatnonzero(~np.isnan(table.verdicts)))
    assert said.verdicts.tolist() == [1.0, 0.0]
    assert said.times.tolist() == [ago(15).timestamp(), ago(8).timestamp()]
    assert sorted(said.groups.tolist()) == [-2, -1]
    assert column(said, "bid_count") == [0, 1]
    assert column(said, "average_rating") == [10, 10]
    assert column(said, "bid") == [60, 60], "what they would ask: their usual rate for that many hours"
    assert not said.decided.any()
    assert not said.chosen.any()
    assert np.isnan(said.ratings).all()


def test_a_verdict_on_an_open_job_is_learned_from_without_any_offer(cleaner: Cleaner) -> None:
    shown = shown_to_client(make_job(), cleaner, days_ago=1)
    RecommendationFeedback.objects.create(cleaner_recommendation=shown, feedback_type="not_relevant")
    assert matches().counts() == {"matches": 1, "decisions": 0, "chosen": 0, "rated": 0, "verdicts": 1}


def test_without_a_past_the_table_is_empty_and_whole() -> None:
    found = ordered(matches(), load("cleaning"))
    assert found is not None
    assert len(found) == 0


def test_more_jobs_take_no_more_queries() -> None:
    counts = []
    for jobs in (10, 60):
        busy_market(seed=jobs, jobs=jobs)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(matches()) > 0
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 16


def test_who_was_erased_is_gone_from_the_table(cleaner: Cleaner, client_of_jobs: Client) -> None:
    done(cleaner, posted=30)
    job = make_job(make_place(client_of_jobs), posted=10)
    end(hire(job, bid(job, cleaner)))
    client_of_jobs.delete()
    assert str(client_of_jobs.pk) not in matches().text_columns["left_owner"].tolist()
    assert len(matches()) == 1
    cleaner.delete()
    assert len(matches()) == 0


def test_what_happened_at_the_very_moment_of_posting_is_not_known_yet(cleaner: Cleaner) -> None:
    done(cleaner, posted=20)  # reviewed 6 days after, 14 days ago
    at_once, a_second_later = make_job(posted=14), make_job(posted=14 - 1 / 86_400)
    for job in (at_once, a_second_later):
        hire(job, bid(job, cleaner))
    table = matches()
    assert [column(rows_of(table, job), "review_count") for job in (at_once, a_second_later)] == [[0], [1]]
