"""Columns as rows: every row can be saved as it is, and says what its columns say."""

from collections import Counter
from decimal import Decimal

import numpy as np
import pytest

from demo.synthetic.cleaning.market import Market, make_market
from demo.synthetic.cleaning.model_rows import NAMES, VOCABULARY, Rows
from sites.cleaning.models import CleaningJob, JobBid
from tests.demo.synthetic.cleaning.conftest import sized

Bid, Job = JobBid.Status, CleaningJob.Status


@pytest.fixture(scope="module")
def rows(market: Market) -> Rows:
    """Of the whole marketplace."""
    return Rows(market, np.random.default_rng(1))


def test_every_row_holds_values_that_its_fields_allow(rows: Rows) -> None:
    for table in rows.tables:
        assert table
        for row in table[:: max(1, len(table) // 40)]:
            row.clean_fields(exclude=[field.name for field in row._meta.fields if field.is_relation])


def test_keys_count_from_one_and_go_by_time(rows: Rows) -> None:
    for table in rows.tables:
        assert [row.pk for row in table] == list(range(1, len(table) + 1))
    for times in ([one.posted_at for one in rows.jobs], [one.time for one in rows.bids], [one.time for one in rows.reviews]):
        assert times == sorted(times)


def test_only_bids_placed_by_the_end_are_written(market: Market, rows: Rows) -> None:
    assert len(rows.bids) == np.sum(market.bids.time <= market.sizes.until)
    assert 0 < len(rows.bids) < market.bids.time.size
    assert max(one.time.timestamp() for one in rows.bids) <= market.sizes.until


def test_a_job_names_the_bid_and_the_cleaner_that_won_it(rows: Rows) -> None:
    hired = [job for job in rows.jobs if job.cleaner_id]
    for job in hired:
        bid = rows.bids[job.accepted_bid_id - 1]
        assert (bid.job_id, bid.cleaner_id, bid.status) == (job.pk, job.cleaner_id, Bid.ACCEPTED)
        assert bid.time < job.accepted_at
    assert len(hired) == sum(one.status == Bid.ACCEPTED for one in rows.bids)
    assert all(job.accepted_bid_id is None and job.accepted_at is None for job in rows.jobs if not job.cleaner_id)


def test_bids_are_pending_while_a_job_is_offered_and_decided_afterwards(rows: Rows) -> None:
    found = Counter((rows.jobs[one.job_id - 1].status in CleaningJob.OFFERED, one.status) for one in rows.bids)
    assert set(found) == {(True, Bid.PENDING), (False, Bid.ACCEPTED), (False, Bid.REJECTED), (False, Bid.WITHDRAWN)}
    lost = found[False, Bid.REJECTED] + found[False, Bid.WITHDRAWN]
    assert found[False, Bid.WITHDRAWN] / lost == pytest.approx(0.02, abs=0.005)


def test_decided_jobs_have_three_to_eight_bids_and_open_ones_may_have_fewer(rows: Rows) -> None:
    counts = Counter(one.job_id for one in rows.bids)
    for job in rows.jobs:
        if job.status in CleaningJob.OFFERED:
            assert counts[job.pk] <= 8
            assert (counts[job.pk] == 0) == (job.status == Job.OPEN)
        else:
            assert 3 <= counts[job.pk] <= 8
    assert any(counts[job.pk] in (1, 2) for job in rows.jobs)


def test_whether_it_was_on_time_is_said_of_what_was_done_and_denied_of_what_failed(rows: Rows) -> None:
    said = Counter((job.status, job.was_on_time) for job in rows.jobs)
    assert said[Job.COMPLETED, None] == said[Job.FAILED, None] == said[Job.FAILED, True] == 0
    assert said[Job.COMPLETED, True] > said[Job.COMPLETED, False] > 0
    assert {known for (status, known) in said if status not in (Job.COMPLETED, Job.FAILED)} == {None}


def test_fee_and_payout_are_the_whole(rows: Rows) -> None:
    assert all(one.platform_fee + one.payout == one.amount for one in rows.payments)
    assert all(one.amount == rows.bids[rows.jobs[one.job_id - 1].accepted_bid_id - 1].amount for one in rows.payments)
    assert all(one.amount.as_tuple().exponent == -2 for one in rows.payments)


def test_a_review_is_by_the_client_of_the_cleaner_of_its_job(rows: Rows) -> None:
    for one in rows.reviews:
        job = rows.jobs[one.job_id - 1]
        assert (one.client_id, one.cleaner_id) == (job.client_id, job.cleaner_id)
        assert one.time > job.ended_at
        assert one.comment in VOCABULARY.review_comments[one.overall]


def test_nobody_has_an_account_and_a_handful_is_shown_first(rows: Rows) -> None:
    for people in (rows.clients, rows.cleaners):
        assert all(one.account_id is None for one in people)
        assert sum(one.is_demo for one in people) == 4


def test_names_are_peoples_own_until_they_run_out(rows: Rows) -> None:
    names = [one.name for one in (*rows.clients, *rows.cleaners)]
    assert len(set(names)) == len(names) == 700
    assert set(names) <= set(NAMES)
    crowd = Rows(make_market(1, sized(20, 20, len(NAMES) + 50)), np.random.default_rng(1))
    assert len({one.name for one in (*crowd.clients, *crowd.cleaners)}) == len(NAMES) + 70
    assert max(len(one.name) for one in crowd.clients) <= 80


def test_eco_friendly_jobs_say_so_and_people_say_where_they_live(rows: Rows) -> None:
    assert all(("Eco-friendly" in job.description) == job.eco_friendly for job in rows.jobs)
    assert not any("{" in one.about for one in rows.cleaners)
    assert len({one.about for one in rows.cleaners}) > 50


def test_no_words_of_a_cleaner_tell_their_tier(rows: Rows) -> None:
    """What they write is drawn alike for all: texts are read by scoring, tiers must not be."""
    words = ("premium", "experienced", "average", "budget", "cheap")
    assert not any(word in one.about.lower() for one in rows.cleaners for word in words)
    assert not any(word in one.message.lower() for one in rows.bids for word in words)


def test_who_is_away_takes_no_jobs_now(market: Market, rows: Rows) -> None:
    away = [one for one in rows.cleaners if not one.is_available]
    assert len(away) == 10
    assert all(np.isfinite(market.cleaners.away_from[one.pk - 1]) for one in away)


def test_a_rate_is_whole_in_cents(rows: Rows) -> None:
    assert all(one.hourly_rate == one.hourly_rate.quantize(Decimal("0.1")) for one in rows.cleaners)
