"""Who is asking, and as what they see a job."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from recommendation_service.errors import InvalidInput, NotFound
from sites.cleaning.api.permissions import (
    Role,
    Visitor,
    job_for,
    own_job,
    resolve_cleaner,
    resolve_client,
    visitor_of,
)
from sites.cleaning.user_ids import parse_pk
from tests.sites.cleaning import agreed, marketplace
from tests.sites.cleaning.callers import Market

pytestmark = pytest.mark.django_db


def holder(subject: str, *scopes: str) -> Any:
    return SimpleNamespace(token_subject=subject, scopes=frozenset(scopes), is_authenticated=True, is_staff=False)


def test_an_account_is_the_people_who_are_linked_to_it(market: Market) -> None:
    both = agreed.account("both")
    client, cleaner = marketplace.make_client(account=both), marketplace.make_cleaner(account=both)
    assert visitor_of(both) == Visitor(client, cleaner)
    assert visitor_of(market.accounts["nikos"]) == Visitor(market.nikos)
    assert visitor_of(market.accounts["nobody"]) == Visitor()
    assert visitor_of(AnonymousUser()) == Visitor()


def test_staff_and_services_see_all_and_a_service_is_nobody(market: Market) -> None:
    assert visitor_of(market.accounts["staff"]) == Visitor(sees_all=True)
    assert visitor_of(holder("client-1", "recs:any")) == Visitor(sees_all=True)


@pytest.mark.parametrize(
    "subject", ["1", "client", "client-", "client-x", "clients-1", "cleaner", "client-0", "client-9999", "-1"]
)
def test_a_token_that_names_no_side_and_number_is_nobody(subject: str, market: Market) -> None:
    assert visitor_of(holder(subject, "recs:self")) == Visitor()


def test_a_token_without_the_scope_is_nobody(market: Market) -> None:
    subject = f"client-{market.nikos.pk}"
    assert visitor_of(holder(subject, "recs:self")).client == market.nikos
    assert visitor_of(holder(subject)) == Visitor()
    assert visitor_of(holder(subject, "recs:admin")) == Visitor()


ROLES = {
    "open": (Role.CLIENT, Role.CLEANER, Role.CLEANER),
    "bidding": (Role.CLIENT, Role.CLEANER, Role.CLEANER),
    "accepted": (Role.CLIENT, Role.HIRED, None),
    "confirmed": (Role.CLIENT, Role.HIRED, None),
    "completed": (Role.CLIENT, Role.HIRED, None),
    "cancelled": (Role.CLIENT, Role.HIRED, None),
    "failed": (Role.CLIENT, Role.HIRED, None),
}


@pytest.mark.parametrize("status", ROLES)
def test_as_what_each_sees_a_job_in_each_state(status: str, market: Market) -> None:
    job = agreed.job_at(status, market.nikos, market.maria)
    visitors = (Visitor(market.nikos), Visitor(cleaner=market.maria), Visitor(cleaner=market.petros))
    for visitor, role in zip(visitors, ROLES[status], strict=True):
        if role is None:
            with pytest.raises(NotFound):
                job_for(visitor, str(job.pk))
        else:
            assert job_for(visitor, str(job.pk)) == (job, role)
    assert job_for(Visitor(sees_all=True), str(job.pk)) == (job, Role.EVERYTHING)
    with pytest.raises(NotFound):
        job_for(Visitor(market.olga), str(job.pk))


def test_a_loser_still_sees_what_they_bid_for(market: Market) -> None:
    chosen = agreed.only_bid(market.job)
    marketplace.bid(market.job, market.petros, 70.0)
    marketplace.hire(market.job, chosen)
    assert job_for(Visitor(cleaner=market.petros), str(market.job.pk))[1] is Role.CLEANER


def test_only_the_client_and_staff_act_as_the_client(market: Market) -> None:
    number = str(market.job.pk)
    assert own_job(Visitor(market.nikos), number) == own_job(Visitor(sees_all=True), number) == market.job
    for visitor in (Visitor(cleaner=market.maria), Visitor(market.olga), Visitor()):
        with pytest.raises(NotFound):
            own_job(visitor, number)


def test_one_asks_for_oneself_and_staff_for_whom_they_name(market: Market) -> None:
    own, all_ = Visitor(market.nikos, market.maria), Visitor(sees_all=True)
    assert resolve_client(own, None) == resolve_client(own, market.nikos.pk) == market.nikos
    assert resolve_cleaner(own, str(market.maria.pk)) == market.maria
    assert resolve_cleaner(all_, market.petros.pk) == market.petros
    for asked in (str(market.petros.pk), "x", "0", "9" * 30):
        with pytest.raises(NotFound):
            resolve_cleaner(own, asked)
    with pytest.raises(NotFound):
        resolve_client(Visitor(cleaner=market.maria), None)
    with pytest.raises(InvalidInput) as raised:
        resolve_client(all_, None)
    assert list(raised.value.fields) == ["/client_id"]


@pytest.mark.parametrize(("text", "is_one"), [
    ("1", True), ("007", True), ("9" * 18, True), ("9" * 19, False), ("", False), ("-1", False), ("1.0", False), ("x", False),
    ("\uff11", False), (" 1", False), ("\u00b2", False),
])  # fmt: skip
def test_what_is_a_rows_number(text: str, is_one: bool) -> None:
    assert parse_pk(text) == (int(text) if is_one else None)
