"""What people of the marketplace did, as interactions: bids and reviews are mirrored from their tables, the rest is told here.

A client's interactions are with cleaners (catalogue "cleaners"), a cleaner's with jobs (catalogue "jobs").
"""

from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sites.cleaning.models import Cleaner, CleaningJob, JobRecommendation
from sites.cleaning.user_ids import of_cleaner, of_client
from tandem.services.record_interactions import record_interactions

CLEANERS, JOBS = "cleaners", "jobs"


def client_did(event: str, *, job: CleaningJob, cleaner_id: int, request_id: UUID | None, now: datetime) -> None:
    """Record what the job's client did with a cleaner. The same about the same job and list counts once."""
    _record(CLEANERS, event, job.client_id, cleaner_id, job, request_id, now)


def cleaner_did(event: str, *, job: CleaningJob, cleaner_id: int, request_id: UUID | None, now: datetime) -> None:
    """Record what a cleaner did with a job. The same about the same list counts once."""
    _record(JOBS, event, cleaner_id, job.pk, job, request_id, now)


def list_that_led(*, job: CleaningJob, cleaner: Cleaner, request_id: UUID | None) -> UUID | None:
    """The list in which the job was shown to this cleaner: the one named, else their newest; None where it never was."""
    shown = JobRecommendation.objects.filter(job=job, cleaner=cleaner).order_by("-created_at", "-pk")
    lists = list(shown.values_list("request_id", flat=True))
    return request_id if request_id in lists else next(iter(lists), None)


def _record(
    catalogue: str, event: str, user_id: int, item_id: int, job: CleaningJob, request_id: UUID | None, now: datetime
) -> None:
    name = f"tandem/cleaning/{event}/{catalogue}/{user_id}/{item_id}/{job.pk}/{request_id}"
    row: dict[str, Any] = {
        "event_id": uuid5(NAMESPACE_URL, name),
        "user_id": of_client(user_id) if catalogue == CLEANERS else of_cleaner(user_id),
        "item_id": str(item_id),
        "event": event,
        "catalogue": catalogue,
        "time": now,
        "request_id": None if request_id is None else str(request_id),
    }
    record_interactions([{key: value for key, value in row.items() if value is not None}], source="cleaning")
