"""What is recorded of what people did: for whom, of what, with which list, and once."""

from uuid import uuid4

import pytest
from django.utils import timezone

from sites.cleaning.services.interactions import list_before_bid, record_cleaner_event, record_client_event
from sites.cleaning.user_ids import of_cleaner, of_client
from tests.sites.cleaning import agreed
from tests.sites.cleaning.callers import Market

pytestmark = pytest.mark.django_db


def test_a_clients_deed_is_with_a_cleaner_and_a_cleaners_with_a_job(market: Market) -> None:
    seen, offered = agreed.shown_cleaner(market.job, market.maria), agreed.shown_job(market.job, market.maria)
    now = timezone.now()
    for _ in range(2):  # the second time counts nothing
        record_client_event("contact", job=market.job, cleaner_id=market.maria.pk, request_id=seen.request_id, now=now)
        record_cleaner_event("view", job=market.job, cleaner_id=market.maria.pk, request_id=offered.request_id, now=now)
    assert agreed.happened("cleaners") == [(of_client(market.nikos.pk), "contact", str(market.maria.pk), seen.request_id)]
    jobs = [row for row in agreed.happened("jobs") if row[1] == "view"]
    assert jobs == [(of_cleaner(market.maria.pk), "view", str(market.job.pk), offered.request_id)]


def test_the_same_deed_about_another_list_or_job_counts_again(market: Market) -> None:
    now, other = timezone.now(), agreed.job_today(market.nikos)
    first, second = agreed.shown_cleaner(market.job, market.maria), agreed.shown_cleaner(market.job, market.maria)
    for job, request_id in ((market.job, first.request_id), (market.job, second.request_id), (market.job, None), (other, None)):
        record_client_event("view", job=job, cleaner_id=market.maria.pk, request_id=request_id, now=now)
    assert [row[1] for row in agreed.happened("cleaners")] == ["view"] * 4


def test_a_list_that_was_shown_to_somebody_else_is_left_out(market: Market) -> None:
    theirs = agreed.shown_job(market.job, market.petros)
    record_cleaner_event("view", job=market.job, cleaner_id=market.maria.pk, request_id=theirs.request_id, now=timezone.now())
    assert [row[3] for row in agreed.happened("jobs") if row[1] == "view"] == [None]


def test_the_list_before_bid_is_the_one_named_else_the_newest(market: Market) -> None:
    asked = {"job": market.job, "cleaner": market.petros}
    assert list_before_bid(**asked, request_id=uuid4()) is None
    old, new = agreed.shown_job(market.job, market.petros), agreed.shown_job(market.job, market.petros)
    assert list_before_bid(**asked, request_id=old.request_id) == old.request_id
    assert list_before_bid(**asked, request_id=None) == new.request_id
    assert list_before_bid(**asked, request_id=uuid4()) == new.request_id
