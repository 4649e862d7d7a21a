"""A job's life: every step from every state, who may take it, what is paid, and what is recorded."""

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from recommendation_service.errors import Conflict, Gone, InvalidInput, NotFound, TandemError
from sites.cleaning.models import BidSuggestion, Cleaner, CleaningJob, Client, JobBid, Payment, Review
from sites.cleaning.services import jobs, payments, posting
from sites.cleaning.user_ids import of_cleaner, of_client
from tests.sites.cleaning import agreed, marketplace

pytestmark = pytest.mark.django_db
MARKS = {"overall": 9, "quality": 9, "communication": 8, "professionalism": 9, "timeliness": 10}
STATES = ("open", "bidding", "accepted", "confirmed", "completed", "cancelled", "failed")
Step = Callable[[CleaningJob, Cleaner], Any]

STEPS: dict[str, Step] = {
    "bid": lambda job, _: jobs.place_bid(job=job, cleaner=marketplace.make_cleaner(), amount=Decimal(50)),
    "bid again": lambda job, cleaner: jobs.place_bid(job=job, cleaner=cleaner, amount=Decimal(50)),
    "withdraw": lambda job, cleaner: jobs.withdraw_bid(job=job, cleaner=cleaner),
    "accept": lambda job, cleaner: jobs.accept_bid(job=job, bid_id=getattr(job.bids.first(), "pk", 0)),
    "confirm": lambda job, cleaner: jobs.confirm_job(job=job, cleaner=cleaner),
    "complete": lambda job, cleaner: jobs.complete_job(job=job, cleaner=cleaner),
    "complete, by the client": lambda job, _: jobs.complete_job(job=job, on_time=False),
    "cancel": lambda job, _: jobs.cancel_job(job=job),
    "cancel, by the cleaner": lambda job, cleaner: jobs.cancel_job(job=job, cleaner=cleaner),
    "fail": lambda job, _: agreed.fail(job),
    "review": lambda job, _: jobs.review_job(job=job, **MARKS),
}
# step -> what comes of it in each state: the state afterwards, or what is raised
N, C, G = NotFound, Conflict, Gone
TABLE: dict[str, tuple[Any, ...]] = {
    "bid": ("bidding", "bidding", G, G, G, G, G),
    "bid again": ("bidding", C, G, G, G, G, G),
    "withdraw": (N, "open", C, C, C, C, C),
    "accept": (N, "accepted", C, C, C, C, C),
    "confirm": (N, N, "confirmed", C, C, C, C),
    "complete": (N, N, C, "completed", C, C, C),
    "complete, by the client": (C, C, C, "completed", C, C, C),
    "cancel": ("cancelled", "cancelled", "cancelled", "cancelled", C, C, C),
    "cancel, by the cleaner": (N, N, "cancelled", "cancelled", C, C, C),
    "fail": (C, C, "failed", "failed", C, C, C),
    "review": (C, C, C, C, "completed", C, C),
}


@pytest.fixture
def nikos() -> Client:
    return marketplace.make_client("Nikos")


@pytest.fixture
def maria() -> Cleaner:
    return marketplace.make_cleaner("Maria")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("step", STEPS)
def test_every_step_from_every_state(step: str, state: str, nikos: Client, maria: Cleaner) -> None:
    job = agreed.job_at(state, nikos, maria)
    before = list(CleaningJob.objects.values()) + list(JobBid.objects.values()) + list(Payment.objects.values())
    expected = TABLE[step][STATES.index(state)]
    if isinstance(expected, str):
        STEPS[step](job, maria)
        job.refresh_from_db()
        assert job.status == expected
        return
    with pytest.raises(TandemError) as raised:
        STEPS[step](job, maria)
    assert type(raised.value) is expected, raised.value.message
    after = list(CleaningJob.objects.values()) + list(JobBid.objects.values()) + list(Payment.objects.values())
    assert after == before


def test_a_whole_life_pays_the_cleaner_less_the_fee(nikos: Client, maria: Cleaner) -> None:
    job = agreed.job_at("bidding", nikos, maria)
    jobs.accept_bid(job=job, bid_id=agreed.only_bid(job).pk)
    kept = Payment.objects.get(job=job)
    assert (kept.status, kept.amount, kept.platform_fee, kept.payout) == ("requires_capture", 60, 9, 51)
    assert kept.reference.startswith("pi_")
    jobs.confirm_job(job=job, cleaner=maria)
    done = jobs.complete_job(job=job, cleaner=maria, photos=3)
    assert (done.photos, done.was_on_time) == (3, True)
    assert Payment.objects.get(job=job).status == "succeeded"
    assert jobs.review_job(job=job, **MARKS, comment=" Spotless. ").comment == "Spotless."


@pytest.mark.parametrize("state", ["accepted", "confirmed"])
@pytest.mark.parametrize("by_cleaner", [True, False])
def test_a_job_called_off_gives_the_money_back_and_says_by_whom(
    state: str, by_cleaner: bool, nikos: Client, maria: Cleaner
) -> None:
    job = agreed.job_at(state, nikos, maria)
    ended = jobs.cancel_job(job=job, cleaner=maria if by_cleaner else None)
    assert ended.cancelled_by_cleaner is by_cleaner
    assert ended.cleaner == maria
    assert Payment.objects.get(job=job).status == "refunded"


def test_a_job_called_off_before_anybody_is_hired_has_no_payment_and_rejects_its_bids(nikos: Client, maria: Cleaner) -> None:
    job = agreed.job_at("bidding", nikos, maria)
    jobs.cancel_job(job=job)
    assert not Payment.objects.exists()
    assert agreed.only_bid(job).status == "rejected"


@pytest.mark.parametrize("fee", [0.0, 0.1, 0.15, 0.333])
@pytest.mark.parametrize("amount", ["1.00", "33.33", "99999.99"])
def test_fee_and_payout_are_the_whole_to_the_cent(
    fee: float, amount: str, settings: Any, nikos: Client, maria: Cleaner
) -> None:
    settings.CLEANING_PLATFORM_FEE = fee
    payment = payments.authorise(agreed.job_at("bidding", nikos, maria), Decimal(amount))
    payment.refresh_from_db()
    assert payment.platform_fee + payment.payout == Decimal(amount)
    assert abs(payment.platform_fee - Decimal(amount) * Decimal(str(fee))) <= Decimal("0.005")


def test_hiring_rejects_the_others_and_tells_both_sides(nikos: Client, maria: Cleaner) -> None:
    job = agreed.job_today(nikos)
    rival = marketplace.make_cleaner("Rival")
    seen, offered = agreed.shown_cleaner(job, maria), agreed.shown_job(job, maria)
    BidSuggestion.objects.create(
        job=job, cleaner=maria, minimum=40, optimal=50, maximum=70, method="rule_based", client_budget=80
    )
    chosen = jobs.place_bid(job=job, cleaner=maria, amount=Decimal(60), request_id=offered.request_id)
    jobs.place_bid(job=job, cleaner=rival, amount=Decimal(55))
    jobs.accept_bid(job=job, bid_id=chosen.pk)
    assert sorted(job.bids.values_list("cleaner__name", "status")) == [("Maria", "accepted"), ("Rival", "rejected")]
    assert agreed.happened("cleaners") == [(of_client(nikos.pk), "hire", str(maria.pk), seen.request_id)]
    job_events = agreed.happened("jobs")
    assert (of_cleaner(maria.pk), "win", str(job.pk), offered.request_id) in job_events
    assert [(user, event) for user, event, _, _ in job_events] == [
        (of_cleaner(maria.pk), "bid"), (of_cleaner(rival.pk), "bid"), (of_cleaner(maria.pk), "win"),
    ]  # fmt: skip
    seen.refresh_from_db()
    offered.refresh_from_db()
    assert (seen.hired, offered.bid_placed, offered.bid_accepted, offered.bid) == (True, True, True, chosen)
    advised = BidSuggestion.objects.get()
    assert (advised.actual_bid, advised.was_used, advised.did_win) == (60, True, True)


def test_a_bid_answers_the_list_it_names_else_the_newest_that_showed_the_job(nikos: Client, maria: Cleaner) -> None:
    job = agreed.job_today(nikos)
    old = agreed.shown_job(job, maria, created_at=timezone.now() - timedelta(hours=1))
    new = agreed.shown_job(job, maria)
    elsewhere = agreed.shown_job(agreed.job_today(nikos), maria)
    for named, led in ((old.request_id, old), (None, new), (elsewhere.request_id, new)):
        bid = jobs.place_bid(job=job, cleaner=maria, amount=Decimal(50), request_id=named)
        assert bid.request_id == led.request_id
        jobs.withdraw_bid(job=job, cleaner=maria)


def test_a_withdrawn_bid_may_be_placed_again_at_another_price(nikos: Client, maria: Cleaner) -> None:
    job = agreed.job_at("bidding", nikos, maria)
    jobs.withdraw_bid(job=job, cleaner=maria)
    again = jobs.place_bid(job=job, cleaner=maria, amount=Decimal("45.50"), message=" Sooner. ")
    assert JobBid.objects.count() == 1
    assert (again.amount, again.status, again.message) == (Decimal("45.50"), "pending", "Sooner.")
    assert len(agreed.happened("jobs")) == 1


def test_withdrawing_one_of_two_bids_leaves_the_job_bidding(nikos: Client, maria: Cleaner) -> None:
    job = agreed.job_at("bidding", nikos, maria)
    jobs.place_bid(job=job, cleaner=marketplace.make_cleaner(), amount=Decimal(50))
    jobs.withdraw_bid(job=job, cleaner=maria)
    job.refresh_from_db()
    assert job.status == "bidding"


def test_a_withdrawn_bid_cannot_be_accepted(nikos: Client, maria: Cleaner) -> None:
    job = agreed.job_at("bidding", nikos, maria)
    bid = jobs.withdraw_bid(job=job, cleaner=maria)
    jobs.place_bid(job=job, cleaner=marketplace.make_cleaner(), amount=Decimal(50))
    with pytest.raises(Gone, match="withdrawn"):
        jobs.accept_bid(job=job, bid_id=bid.pk)


def test_another_jobs_bid_is_not_found(nikos: Client, maria: Cleaner) -> None:
    job, other = agreed.job_at("bidding", nikos, maria), agreed.job_at("bidding", nikos, maria)
    with pytest.raises(NotFound):
        jobs.accept_bid(job=job, bid_id=agreed.only_bid(other).pk)


def test_another_cleaner_can_neither_confirm_nor_complete_nor_cancel(nikos: Client, maria: Cleaner) -> None:
    stranger = marketplace.make_cleaner()
    for state, step in (("accepted", "confirm"), ("confirmed", "complete"), ("accepted", "cancel, by the cleaner")):
        job = agreed.job_at(state, nikos, maria)
        with pytest.raises(NotFound):
            STEPS[step](job, stranger)


@pytest.mark.parametrize(
    ("amount", "message"),
    [("0", ""), ("-5", ""), ("0.99", ""), ("1000000", ""), ("5.555", ""), ("50", "x" * 301), ("50", "\0")],
)
def test_a_bid_that_cannot_be_is_refused(amount: str, message: str, nikos: Client, maria: Cleaner) -> None:
    with pytest.raises(InvalidInput):
        jobs.place_bid(job=agreed.job_today(nikos), cleaner=maria, amount=Decimal(amount), message=message)
    assert not JobBid.objects.exists()


def test_nobody_bids_for_a_time_that_is_past(nikos: Client, maria: Cleaner) -> None:
    job = agreed.job_at("bidding", nikos, maria)
    late = job.wanted_for + timedelta(minutes=1)
    with pytest.raises(Gone, match="past"):
        jobs.place_bid(job=job, cleaner=marketplace.make_cleaner(), amount=Decimal(50), now=late)
    with pytest.raises(Conflict, match="post a new one"):
        jobs.accept_bid(job=job, bid_id=agreed.only_bid(job).pk, now=late)


def test_who_takes_no_jobs_cannot_bid_and_nobody_bids_for_their_own_job(nikos: Client, maria: Cleaner) -> None:
    with pytest.raises(Conflict, match="take no jobs"):
        jobs.place_bid(job=agreed.job_today(nikos), cleaner=marketplace.make_cleaner(is_available=False), amount=Decimal(50))
    both = agreed.account("both")
    own = marketplace.make_cleaner(account=both)
    with pytest.raises(Conflict, match="your own job"):
        jobs.place_bid(job=agreed.job_today(marketplace.make_client(account=both)), cleaner=own, amount=Decimal(50))


@pytest.mark.parametrize(("late_h", "on_time"), [(-24, True), (4.4, True), (4.6, False)])
def test_who_does_not_say_was_on_time_within_the_hours_and_half_an_hour(
    late_h: float, on_time: bool, nikos: Client, maria: Cleaner
) -> None:
    job = agreed.job_at("confirmed", nikos, maria)  # four hours of work
    done = jobs.complete_job(job=job, cleaner=maria, now=job.wanted_for + timedelta(hours=late_h))
    assert done.was_on_time is on_time


def test_only_the_client_says_whether_it_was_on_time(nikos: Client, maria: Cleaner) -> None:
    job = agreed.job_at("confirmed", nikos, maria)
    with pytest.raises(InvalidInput, match="client"):
        jobs.complete_job(job=job, cleaner=maria, on_time=True)
    assert jobs.complete_job(job=job, on_time=False).was_on_time is False


def test_nobody_came_can_only_be_said_afterwards(nikos: Client, maria: Cleaner) -> None:
    job = agreed.job_at("accepted", nikos, maria)
    with pytest.raises(Conflict, match="not come yet"):
        jobs.fail_job(job=job)
    assert agreed.fail(job).was_on_time is False
    assert Payment.objects.get(job=job).status == "refunded"


def test_a_job_is_reviewed_once_with_marks_of_one_to_ten(nikos: Client, maria: Cleaner) -> None:
    job = agreed.job_at("completed", nikos, maria)
    for wrong in (0, 11, -1):
        with pytest.raises(InvalidInput) as raised:
            jobs.review_job(job=job, **{**MARKS, "quality": wrong})
        assert list(raised.value.fields) == ["/quality"]
    jobs.review_job(job=job, **MARKS)
    with pytest.raises(Conflict, match="already"):
        jobs.review_job(job=job, **MARKS)
    assert Review.objects.get().cleaner == maria
    assert [row[:3] for row in agreed.happened("cleaners") if row[1] == "review"] == [
        (of_client(nikos.pk), "review", str(maria.pk))
    ]


PLACE = {"kind": "villa", "district": "Glyfada", "size_m2": 200, "latitude": 37.87, "longitude": 23.75}


def test_a_job_may_bring_its_own_place(nikos: Client) -> None:
    job = posting.post_job(
        client=nikos, place=PLACE, hours=Decimal("6.5"), budget=Decimal(120), wanted_for=timezone.now() + timedelta(days=3)
    )
    assert (job.status, job.place.kind, job.place.client) == ("open", "villa", nikos)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"wanted_for": timedelta(minutes=-1)}, "/wanted_for"),
        ({"wanted_for": timedelta(days=400)}, "/wanted_for"),
        ({"hours": Decimal(0)}, "/hours"),
        ({"hours": Decimal(101)}, "/hours"),
        ({"hours": Decimal("NaN")}, "/hours"),
        ({"hours": Decimal("1.25")}, "/hours"),
        ({"budget": Decimal(0)}, "/budget"),
        ({"budget": Decimal("-3")}, "/budget"),
        ({"description": "x" * 1001}, "/description"),
        ({"place": {**PLACE, "kind": "castle"}}, "/kind"),
        ({"place": {**PLACE, "size_m2": 1}}, "/size_m2"),
        ({"place": {**PLACE, "latitude": float("nan")}}, "/latitude"),
        ({"place": {**PLACE, "longitude": 181.0}}, "/longitude"),
        ({"place": {**PLACE, "district": ""}}, "/district"),
    ],
)
def test_a_job_that_cannot_be_names_what_is_wrong_and_leaves_nothing(
    changed: dict[str, Any], field: str, nikos: Client
) -> None:
    asked: dict[str, Any] = {
        "place": PLACE, "hours": Decimal(4), "budget": Decimal(80), "wanted_for": timedelta(days=2), **changed
    }  # fmt: skip
    asked["wanted_for"] = timezone.now() + asked["wanted_for"]
    with pytest.raises(InvalidInput) as raised:
        posting.post_job(client=nikos, **asked)
    assert list(raised.value.fields) == [field]
    assert not CleaningJob.objects.exists()
    assert not nikos.properties.exists()


def test_a_job_is_never_at_somebody_elses_place(nikos: Client) -> None:
    place = marketplace.make_place(marketplace.make_client())
    with pytest.raises(InvalidInput, match="property of this client"):
        posting.post_job(
            client=nikos, place=place, hours=Decimal(4), budget=Decimal(80), wanted_for=timezone.now() + timedelta(days=2)
        )


def test_a_step_whose_recording_fails_leaves_nothing_behind(
    nikos: Client, maria: Cleaner, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = agreed.job_at("bidding", nikos, maria)

    def breaks(*_args: Any, **_words: Any) -> None:
        raise IntegrityError("the disk is full")

    monkeypatch.setattr(jobs, "record_cleaner_event", breaks)
    with pytest.raises(IntegrityError):
        jobs.accept_bid(job=job, bid_id=agreed.only_bid(job).pk)
    job.refresh_from_db()
    assert (job.status, job.cleaner) == ("bidding", None)
    assert not Payment.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="one connection in memory: there is nobody to race with")
@pytest.mark.services
def test_two_hires_at_once_end_with_one(nikos: Client, maria: Cleaner) -> None:
    job = agreed.job_at("bidding", nikos, maria)
    second = jobs.place_bid(job=job, cleaner=marketplace.make_cleaner(), amount=Decimal(50))
    ended: list[str] = []

    def hire(bid_id: int) -> None:
        try:
            jobs.accept_bid(job=job, bid_id=bid_id)
            ended.append("hired")
        except (Conflict, Gone):
            ended.append("too late")
        finally:
            connection.close()

    threads = [threading.Thread(target=hire, args=[pk]) for pk in (job.bids.exclude(pk=second.pk).get().pk, second.pk)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["hired", "too late"]
    assert Payment.objects.count() == 1
