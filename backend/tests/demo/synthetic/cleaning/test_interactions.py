"""What happened, as interactions: once each, whoever tells it."""

from collections import Counter

import numpy as np
import pytest

from demo.synthetic.cleaning.interactions import histories
from demo.synthetic.cleaning.market import Market, make_market
from demo.synthetic.cleaning.model_rows import Rows
from demo.synthetic.cleaning.writer import write
from recommendation_service.use_cases.loader import load
from sites.cleaning.models import CleaningJob
from sites.cleaning.services.interactions import record_cleaner_event, record_client_event
from tandem.event_sync.sync import sync_interactions
from tandem.models import UserInteraction
from tests.demo.synthetic.cleaning.conftest import sized


def test_bids_wins_hires_and_reviews_are_told_once_each_in_the_words_of_the_use_case(market: Market) -> None:
    rows = Rows(market, np.random.default_rng(1))
    told = histories(rows)
    assert list(told) == ["cleaners", "jobs"]
    assert set(told) == set(load("cleaning").catalogues)
    hired = sum(bool(job.cleaner_id) for job in rows.jobs)
    assert Counter(one.event for one in told["cleaners"]) == {"hire": hired, "review": len(rows.reviews)}
    assert Counter(one.event for one in told["jobs"]) == {"bid": len(rows.bids), "win": hired}
    events = [*told["cleaners"], *told["jobs"]]
    assert len({one.event_id for one in events}) == len(events)
    assert {one.event for one in events} <= set(load("cleaning").events)


def test_clients_act_on_cleaners_and_cleaners_on_jobs(market: Market) -> None:
    rows = Rows(market, np.random.default_rng(1))
    told = histories(rows)
    assert all(one.user_id.startswith("client-") for one in told["cleaners"])
    assert all(one.user_id.startswith("cleaner-") for one in told["jobs"])
    review = next(one for one in told["cleaners"] if one.event == "review")
    first = rows.reviews[0]
    assert (review.user_id, review.item_id) == (f"client-{first.client_id}", str(first.cleaner_id))
    assert (review.value, review.time) == (float(first.overall), first.time)
    win = next(one for one in told["jobs"] if one.event == "win")
    job = rows.jobs[int(win.item_id) - 1]
    assert (win.user_id, win.time) == (f"cleaner-{job.cleaner_id}", job.accepted_at)


@pytest.mark.django_db
class TestOnceWritten:
    @pytest.fixture(autouse=True)
    def _written(self) -> None:
        write(make_market(3, sized(60, 20, 10)), seed=3, say=lambda _line: None)

    def test_catching_up_with_the_tables_finds_nothing_left(self) -> None:
        before = UserInteraction.objects.count()
        added = sync_interactions()
        assert added["cleaners.review"] == added["jobs.bid"] == 0
        assert UserInteraction.objects.count() == before

    def test_telling_a_hire_and_a_win_again_counts_nothing_twice(self) -> None:
        before = UserInteraction.objects.count()
        job = CleaningJob.objects.filter(cleaner__isnull=False).first()
        assert job is not None
        told = {"job": job, "cleaner_id": job.cleaner_id, "request_id": None, "now": job.accepted_at}
        record_client_event("hire", **told)
        record_cleaner_event("win", **told)
        assert UserInteraction.objects.count() == before

    def test_a_bid_saved_later_is_mirrored_once_more_only_as_itself(self) -> None:
        before = UserInteraction.objects.count()
        bid = CleaningJob.objects.filter(bids__isnull=False)[0].bids.all()[0]
        bid.save()
        assert UserInteraction.objects.count() == before
        bid.delete()
        assert UserInteraction.objects.count() == before - 1
