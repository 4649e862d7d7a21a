"""Jobs of today for tests of doors and deals: open, bid for, agreed on, done, each a step further than the one before."""

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from sites.cleaning.models import Cleaner, CleanerRecommendation, CleaningJob, Client, JobBid, JobRecommendation
from sites.cleaning.services import jobs
from sites.cleaning.user_ids import of_cleaner, of_client
from tandem.models import Impression, UserInteraction
from tandem.services.id_mapping import catalogue_key, user_keys
from tests.sites.cleaning import marketplace


def account(name: str, **more: Any) -> User:
    """A Django account."""
    return User.objects.create_user(name, **more)


def job_today(client: Client, **more: Any) -> CleaningJob:
    """An open job posted a minute ago, wanted in two days."""
    now = timezone.now()
    told = {"posted_at": now - timedelta(minutes=1), "wanted_for": now + timedelta(days=2), **more}
    return marketplace.make_job(marketplace.make_place(client), **told)


def job_at(status: str, client: Client, cleaner: Cleaner, **more: Any) -> CleaningJob:
    """A job of today that has come as far as `status`; all but an open one have a bid of the cleaner."""
    job = job_today(client, **more)
    if status == "open":
        return job
    bid = jobs.place_bid(job=job, cleaner=cleaner, amount=Decimal(60))
    steps = {
        "accepted": lambda: jobs.accept_bid(job=job, bid_id=bid.pk),
        "confirmed": lambda: jobs.confirm_job(job=job, cleaner=cleaner),
        "completed": lambda: jobs.complete_job(job=job, cleaner=cleaner, photos=2),
    }
    ends = {"cancelled": lambda: jobs.cancel_job(job=job), "failed": lambda: fail(job)}
    if status in ends:
        steps["accepted"]()
        ends[status]()
    else:
        for name, step in steps.items():
            if status == "bidding" or list(steps).index(name) > list(steps).index(status):
                break
            step()
    job.refresh_from_db()
    assert job.status == status
    return job


def fail(job: CleaningJob) -> CleaningJob:
    """Nobody came."""
    return jobs.fail_job(job=job, now=job.wanted_for + timedelta(hours=1))


def only_bid(job: CleaningJob) -> JobBid:
    """The one bid of a job."""
    return job.bids.get()


def shown_cleaner(job: CleaningJob, cleaner: Cleaner, **more: Any) -> CleanerRecommendation:
    """The cleaner on a list for this job, which its client was shown a moment ago."""
    return _shown(CleanerRecommendation, job=job, cleaner=cleaner, client=job.client, **more)


def shown_job(job: CleaningJob, cleaner: Cleaner, **more: Any) -> JobRecommendation:
    """The job on a list that the cleaner was shown a moment ago."""
    return _shown(JobRecommendation, job=job, cleaner=cleaner, **more)


def happened(catalogue: str) -> list[tuple[str, str, str, Any]]:
    """User, event, item and request id of everything in a catalogue, in order of event."""
    rows = UserInteraction.objects.filter(catalogue__name=catalogue).order_by("kind__name", "id")
    return list(rows.values_list("user__user_id", "kind__name", "item__item_id", "request_id"))


def _shown(model: Any, **more: Any) -> Any:
    told = {"request_id": uuid.uuid4(), "score": 80.0, "rank": 1, "mode": "rule_based", "created_at": timezone.now(), **more}
    side, user = (
        ("cleaners", of_client(told["job"].client_id)) if "client" in told else ("jobs", of_cleaner(told["cleaner"].pk))
    )
    Impression.objects.create(
        request_id=told["request_id"], user_id=user_keys([user])[user], catalogue_id=catalogue_key(side),
        use_case="cleaning", surface="cleaners-for-job", method_used="rule_based", time=told["created_at"],
    )  # fmt: skip
    return model.objects.create(**told)
