"""A small marketplace for tests: every row says only what matters to it. NOW is noon of a day; times are days before it."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from sites.cleaning.models import Cleaner, CleaningJob, Client, JobBid, Payment, Property, Review

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ATHENS = (37.9838, 23.7275)
MARKS = ("overall", "quality", "communication", "professionalism", "timeliness")

_numbers = itertools.count(1)


def ago(days: float) -> datetime:
    """So many days before NOW; negative: after it."""
    return NOW - timedelta(days=days)


def make_cleaner(name: str = "", *, joined_days_ago: int = 400, **more: Any) -> Cleaner:
    """One cleaner in the middle of Athens, who asks €15 an hour."""
    told = {"latitude": ATHENS[0], "longitude": ATHENS[1], "hourly_rate": Decimal(15), **more}
    return Cleaner.objects.create(name=name or f"Cleaner {next(_numbers)}", joined=ago(joined_days_ago).date(), **told)


def make_client(name: str = "", **more: Any) -> Client:
    """One client."""
    return Client.objects.create(name=name or f"Client {next(_numbers)}", **more)


def make_place(client: Client | None = None, *, kind: str = "apartment", **more: Any) -> Property:
    """A property of 80 m² a kilometre or two from the middle."""
    told = {"district": "Kypseli", "size_m2": 80, "latitude": 37.99, "longitude": 23.74, **more}
    return Property.objects.create(client=client or make_client(), kind=kind, **told)


def make_job(place: Property | None = None, *, posted: float = 10.0, kind: str = "apartment", **more: Any) -> CleaningJob:
    """An open job of four hours with a budget of €80, posted so many days ago and wanted five days later."""
    place = place or make_place(kind=kind)
    told = {"hours": Decimal(4), "budget": Decimal(80), "posted_at": ago(posted), "wanted_for": ago(posted - 5), **more}
    return CleaningJob.objects.create(client=place.client, place=place, **told)


def bid(job: CleaningJob, cleaner: Cleaner, amount: float = 60.0, *, after: float = 0.1, **more: Any) -> JobBid:
    """A bid placed so many days after the job was posted."""
    when = job.posted_at + timedelta(days=after)
    return JobBid.objects.create(job=job, cleaner=cleaner, amount=Decimal(str(amount)), time=when, **more)


def hire(job: CleaningJob, chosen: JobBid, *, after: float = 1.0) -> CleaningJob:
    """Accept a bid so many days after posting; the others lose."""
    job.bids.update(status=JobBid.Status.REJECTED)
    job.bids.filter(pk=chosen.pk).update(status=JobBid.Status.ACCEPTED)
    job.status, job.cleaner, job.accepted_bid = CleaningJob.Status.ACCEPTED, chosen.cleaner, chosen
    job.accepted_at = job.posted_at + timedelta(days=after)
    job.save()
    return job


def end(job: CleaningJob, status: str = "completed", *, after: float = 5.0, **more: Any) -> CleaningJob:
    """Let an agreed job end so many days after posting."""
    told = {"was_on_time": True, "photos": 3} if status == "completed" else {}
    for name, value in {**told, **more, "status": status, "ended_at": job.posted_at + timedelta(days=after)}.items():
        setattr(job, name, value)
    job.save()
    return job


def pay(job: CleaningJob, amount: float, *, after: float = 5.1, **more: Any) -> Payment:
    """Pay for a job so many days after posting; a tenth is the platform's."""
    whole = Decimal(str(amount))
    fee = (whole / 10).quantize(Decimal("0.01"))
    when = job.posted_at + timedelta(days=after)
    told = {"status": Payment.Status.SUCCEEDED, "time": when, **more}
    reference = f"pi_test_{next(_numbers)}"
    return Payment.objects.create(job=job, reference=reference, amount=whole, platform_fee=fee, payout=whole - fee, **told)


def review(job: CleaningJob, mark: int = 9, *, after: float = 6.0, **marks: int) -> Review:
    """All marks alike, but for those named."""
    told = {**dict.fromkeys(MARKS, mark), **marks}
    when = job.posted_at + timedelta(days=after)
    return Review.objects.create(job=job, client=job.client, cleaner=job.cleaner, time=when, **told)


def done(cleaner: Cleaner, *, posted: float = 10.0, amount: float = 60.0, mark: int | None = 9, **more: Any) -> CleaningJob:
    """A job from posting to review by one cleaner, without a rival; `mark=None` for no review."""
    job = make_job(posted=posted, **more)
    end(hire(job, bid(job, cleaner, amount)))
    pay(job, amount)
    if mark is not None:
        review(job, mark)
    return job


def busy_market(*, seed: int, cleaners: int = 12, jobs: int = 80, days: float = 300.0) -> list[Cleaner]:
    """Jobs at random in every state, with bids, marks and payments at random: for laws, not for looking at.

    Some moments coincide, some cleaners never do anything.
    """
    rng = np.random.default_rng(seed)
    people = [make_cleaner(joined_days_ago=int(rng.integers(1, 500))) for _ in range(cleaners)]
    places = [make_place(kind=kind) for kind in ("apartment", "house", "villa", "office")]
    for number in range(jobs):
        whole_days = float(rng.integers(0, int(days))) if number % 3 == 0 else float(rng.uniform(0, days))
        place = places[int(rng.integers(len(places)))]
        hours = Decimal(str(int(rng.integers(2, 16)) / 2))
        job = make_job(place, posted=whole_days, hours=hours, eco_friendly=bool(rng.random() < 0.3))
        chosen = rng.choice(cleaners - 2, size=int(rng.integers(0, 5)), replace=False)
        bids = [bid(job, people[at], float(rng.integers(20, 140)), after=float(rng.integers(0, 4)) / 4) for at in chosen]
        _happen(rng, job, bids)
    return people


def _happen(rng: np.random.Generator, job: CleaningJob, bids: list[JobBid]) -> None:
    """What becomes of a job: nothing, an agreement, or an end in one of all ways."""
    if not bids or rng.random() < 0.15:
        return
    if len(bids) > 2:
        JobBid.objects.filter(pk=bids[-1].pk).update(status=JobBid.Status.WITHDRAWN)
    hire(job, bids[0])
    if len(bids) > 2:
        JobBid.objects.filter(pk=bids[-1].pk).update(status=JobBid.Status.WITHDRAWN)
    way = rng.random()
    if way < 0.15:
        return
    if way < 0.3:
        end(job, "cancelled", cancelled_by_cleaner=bool(rng.random() < 0.5))
        return
    if way < 0.35:
        end(job, "failed", was_on_time=False)
        return
    known = rng.random() < 0.8
    end(job, was_on_time=bool(rng.random() < 0.8) if known else None, photos=int(rng.integers(0, 3)))
    if rng.random() < 0.9:
        pay(job, float(bids[0].amount), status="succeeded" if rng.random() < 0.9 else "refunded")
    if rng.random() < 0.8:
        review(job, after=float(rng.integers(5, 9)), **{mark: int(rng.integers(1, 11)) for mark in MARKS})
