"""What pages offer works, and what they say is what the tables hold."""

from typing import Any

import pytest

from recommendation_service.errors import TandemError
from sites.cleaning.api.permissions import Role
from sites.cleaning.models import BidSuggestion, Cleaner, CleanerScore, CleaningJob, Client
from sites.cleaning.services import jobs
from sites.cleaning.web.presenters import figures_of, inputs_of, present_jobs, steps_of
from tests.sites.cleaning import agreed, marketplace

pytestmark = pytest.mark.django_db
MARKS = {"overall": 9, "quality": 9, "communication": 8, "professionalism": 9, "timeliness": 10}
STATES = ("open", "bidding", "accepted", "confirmed", "completed", "cancelled", "failed")


def take(step: str, role: Role, job: CleaningJob, cleaner: Cleaner) -> Any:
    """What the button of that name does."""
    own = cleaner if role is Role.HIRED else None
    steps = {
        "accept": lambda: jobs.accept_bid(job=job, bid_id=agreed.only_bid(job).pk),
        "confirm": lambda: jobs.confirm_job(job=job, cleaner=cleaner),
        "complete": lambda: jobs.complete_job(job=job, cleaner=own),
        "cancel": lambda: jobs.cancel_job(job=job, cleaner=own),
        "fail": lambda: agreed.fail(job),
        "review": lambda: jobs.review_job(job=job, **MARKS),
        "bid": lambda: jobs.place_bid(job=job, cleaner=marketplace.make_cleaner(), amount=job.budget),
        "withdraw": lambda: jobs.withdraw_bid(job=job, cleaner=cleaner),
    }
    return steps[step]()


@pytest.fixture
def nikos() -> Client:
    return marketplace.make_client("Nikos")


@pytest.fixture
def maria() -> Cleaner:
    return marketplace.make_cleaner("Maria")


@pytest.mark.parametrize("role", [Role.CLIENT, Role.HIRED, Role.CLEANER])
@pytest.mark.parametrize("state", STATES)
def test_every_step_that_is_offered_can_be_taken_and_no_other(state: str, role: Role, nikos: Client, maria: Cleaner) -> None:
    offered = steps_of(CleaningJob(status=state), role)
    everything = {
        Role.CLIENT: ("accept", "complete", "cancel", "fail", "review"),
        Role.HIRED: ("confirm", "complete", "cancel"),
        Role.CLEANER: ("bid", "withdraw"),
    }
    for step in everything[role]:
        job = agreed.job_at(state, nikos, maria)
        if step in offered:
            take(step, role, job, maria)
        else:
            with pytest.raises((TandemError, type(job).DoesNotExist, agreed.JobBid.DoesNotExist)):
                take(step, role, job, maria)


def test_staff_are_offered_what_the_client_is() -> None:
    for state in STATES:
        job = CleaningJob(status=state)
        assert steps_of(job, Role.EVERYTHING) == steps_of(job, Role.CLIENT)


def test_a_job_is_shown_with_its_competition_in_one_query(
    nikos: Client, maria: Cleaner, django_assert_num_queries: Any
) -> None:
    jobs = [agreed.job_at("bidding", nikos, maria), agreed.job_at("open", nikos, maria)]
    with django_assert_num_queries(1):
        shown = present_jobs(jobs, Role.CLIENT)
    assert [job.competition.count for job in shown] == [1, 0]
    assert [job.is_exact for job in shown] == [True, True]
    assert shown[0].state == "This job has bids to choose from."
    assert [job.is_exact for job in present_jobs(jobs, Role.CLEANER)] == [False, False]


def test_unknown_figures_are_left_out(maria: Cleaner) -> None:
    assert figures_of(None) == ()
    parts = dict.fromkeys(("quality", "reliability", "experience", "bidding", "activity"), 50.0)
    told = dict(figures_of(CleanerScore(cleaner=maria, overall_score=61.4, average_rating=8.25, win_rate=0.125, **parts)))
    assert told == {"Overall": "61 of 100", "Average mark": "8.2 of 10", "Reviews": "0", "Jobs done": "0", "Bids won": "12%"}


def test_a_suggestion_tells_what_it_was_made_of() -> None:
    told = dict(
        inputs_of(BidSuggestion(client_budget=80, market_average=None, win_rate=0.5, current_bid_count=3, lowest_bid=41))
    )
    assert told == {
        "The client's budget": "€80.00", "Bids you win": "50%", "Bids so far": "3", "Lowest bid": "€41.00",
    }  # fmt: skip
