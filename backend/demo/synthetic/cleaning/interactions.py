"""Interactions of the synthetic marketplace, with the same ids as if the site had recorded them.

Bids and reviews have the ids of the table sync, so `sync_interactions` adds nothing; hires and wins have the ids of
`services.interactions`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from demo.synthetic.cleaning.model_rows import Rows
from sites.cleaning.models import CleaningJob, JobBid, Review
from sites.cleaning.recommendation_sources import Cleaners, Jobs
from sites.cleaning.services.interactions import CLEANERS, JOBS
from sites.cleaning.user_ids import of_cleaner, of_client
from tandem.event_sync.mirror import mirror_of
from tandem.services.bulk_load import Happened

CATALOGUES = (CLEANERS, JOBS)


def histories(rows: Rows) -> Mapping[str, Sequence[Happened]]:
    """Events by catalogue: what clients did with cleaners, and what cleaners did with jobs."""
    hired = [job for job in rows.jobs if job.cleaner_id]
    return {
        CLEANERS: [*(_hire(job) for job in hired), *_reviews(rows.reviews)],
        JOBS: [*_bids(rows.bids), *(_win(job) for job in hired)],
    }


def _reviews(reviews: Sequence[Review]) -> list[Happened]:
    event_id = mirror_of(Cleaners, "review").event_id
    return [
        Happened(event_id(row.pk), of_client(row.client_id), str(row.cleaner_id), "review", row.time, float(row.overall))
        for row in reviews
    ]


def _bids(bids: Sequence[JobBid]) -> list[Happened]:
    event_id = mirror_of(Jobs, "bid").event_id
    return [Happened(event_id(row.pk), of_cleaner(row.cleaner_id), str(row.job_id), "bid", row.time) for row in bids]


def _hire(job: CleaningJob) -> Happened:
    event_id = _event_id("hire", CLEANERS, job.client_id, job.cleaner_id, job)
    return Happened(event_id, of_client(job.client_id), str(job.cleaner_id), "hire", _accepted(job))


def _win(job: CleaningJob) -> Happened:
    event_id = _event_id("win", JOBS, job.cleaner_id, job.pk, job)
    return Happened(event_id, of_cleaner(job.cleaner_id or 0), str(job.pk), "win", _accepted(job))


def _accepted(job: CleaningJob) -> datetime:
    assert job.accepted_at is not None  # noqa: S101 - a hired cleaner has a time, and mypy needs it
    return job.accepted_at


def _event_id(event: str, catalogue: str, user: int | None, item: int | None, job: CleaningJob) -> UUID:
    """Return the id that `services.interactions` gives an event without a shown list."""
    return uuid5(NAMESPACE_URL, f"tandem/cleaning/{event}/{catalogue}/{user}/{item}/{job.pk}/None")
