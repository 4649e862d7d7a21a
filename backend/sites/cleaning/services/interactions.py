"""Records what users of the marketplace do as interactions. Bids and reviews are mirrored from their tables instead.

A client's interactions are with cleaners (catalogue "cleaners"), a cleaner's with jobs (catalogue "jobs").
"""

from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sites.cleaning.models import Cleaner, CleaningJob, JobRecommendation
from sites.cleaning.user_ids import of_cleaner, of_client
from tandem.services.record_interactions import record_interactions

CLEANERS, JOBS = "cleaners", "jobs"


def record_client_event(event: str, *, job: CleaningJob, cleaner_id: int, request_id: UUID | None, now: datetime) -> None:
    """Record an event of the job's client with a cleaner. The same event with the same job and list is recorded once."""
    _record(CLEANERS, event, (job.client_id, cleaner_id), of_client(job.client_id), job, request_id, now)


def record_cleaner_event(event: str, *, job: CleaningJob, cleaner_id: int, request_id: UUID | None, now: datetime) -> None:
    """Record an event of a cleaner with a job. The same event with the same list is recorded once."""
    _record(JOBS, event, (cleaner_id, job.pk), of_cleaner(cleaner_id), job, request_id, now)


def list_before_bid(*, job: CleaningJob, cleaner: Cleaner, request_id: UUID | None) -> UUID | None:
    """Return the list that showed the job to this cleaner: the named one, else the newest; None if there is none."""
    shown = JobRecommendation.objects.filter(job=job, cleaner=cleaner).order_by("-created_at", "-pk")
    lists = list(shown.values_list("request_id", flat=True))
    return request_id if request_id in lists else next(iter(lists), None)


def _record(
    catalogue: str, event: str, pair: tuple[int, int], user_id: str, job: CleaningJob, request_id: UUID | None, now: datetime
) -> None:
    name = f"tandem/cleaning/{event}/{catalogue}/{pair[0]}/{pair[1]}/{job.pk}/{request_id}"
    row: dict[str, Any] = {
        "event_id": uuid5(NAMESPACE_URL, name),
        "user_id": user_id,
        "item_id": str(pair[1]),
        "event": event,
        "catalogue": catalogue,
        "time": now,
    }
    record_interactions([row if request_id is None else {**row, "request_id": str(request_id)}], source="cleaning")
