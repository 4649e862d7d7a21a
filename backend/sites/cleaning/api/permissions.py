"""Who uses the marketplace, and which rows they may see. Another user's row is reported as not found."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from recommendation_service.errors import InvalidInput, NotFound
from sites.cleaning.models import Cleaner, CleanerRecommendation, CleaningJob, Client, JobRecommendation
from sites.cleaning.user_ids import CLEANER, CLIENT, row_by_pk
from tandem.api.authentication import scopes_of
from tandem.service_client import tokens

CLEANERS, JOBS = "cleaners", "jobs"  # what a recommendation shows

P = TypeVar("P", Client, Cleaner)


class Role(StrEnum):
    """In which role a visitor sees a job."""

    CLIENT = "client"  # who posted the job
    HIRED = "hired"  # the cleaner who does the job
    CLEANER = "cleaner"  # a cleaner who may bid, or has bid
    EVERYTHING = "everything"  # staff and services


@dataclass(frozen=True, slots=True)
class Visitor:
    """The client or cleaner, or both, of an account or token; staff and services see everything."""

    client: Client | None = None
    cleaner: Cleaner | None = None
    sees_all: bool = False


def visitor_of(user: Any) -> Visitor:
    """Return the people of the marketplace that belong to a session or a token.

    A token names the person in its subject, `client-17` or `cleaner-17`, since both are numbered from 1.
    """
    scopes = scopes_of(user)
    subject = getattr(user, "token_subject", None)
    if getattr(user, "is_staff", False) or tokens.ANY in scopes:
        return Visitor(*(_linked(user) if subject is None else (None, None)), sees_all=True)
    if subject is None:
        return Visitor(*_linked(user))
    if tokens.SELF not in scopes:
        return Visitor()
    return Visitor(
        client=row_by_pk(Client.objects.all(), subject.removeprefix(CLIENT)) if subject.startswith(CLIENT) else None,
        cleaner=row_by_pk(Cleaner.objects.all(), subject.removeprefix(CLEANER)) if subject.startswith(CLEANER) else None,
    )


def job_for(visitor: Visitor, job_id: str) -> tuple[CleaningJob, Role]:
    """Return the job and the visitor's role. Raises the same NotFound for an unknown job and for one they may not see."""
    job = row_by_pk(CleaningJob.objects.select_related("client", "place", "cleaner"), job_id)
    role = None if job is None else _role(visitor, job)
    if job is None or role is None:
        raise NotFound("there is no such job, or it is not yours to see")
    return job, role


def own_job(visitor: Visitor, job_id: str) -> CleaningJob:
    """Return a job that the visitor may manage as its client. Raises NotFound."""
    job, role = job_for(visitor, job_id)
    if role not in (Role.CLIENT, Role.EVERYTHING):
        raise NotFound("this is the job of another client")
    return job


def recommendation_for(visitor: Visitor, shows: str, recommendation_id: str) -> Any:
    """Return a recommendation of `cleaners` or `jobs` that this visitor received. Raises NotFound as `job_for` does."""
    if shows == CLEANERS:
        rows: Any = CleanerRecommendation.objects.select_related("job", "cleaner", "client")
        owner: Any = {"client": visitor.client}
    else:
        rows = JobRecommendation.objects.select_related("job", "cleaner", "bid")
        owner = {"cleaner": visitor.cleaner}
    if not visitor.sees_all:
        rows = rows.filter(**owner) if all(owner.values()) else rows.none()
    recommendation = row_by_pk(rows, recommendation_id) if shows in (CLEANERS, JOBS) else None
    if recommendation is None:
        raise NotFound("there is no such recommendation, or it is not yours to see")
    return recommendation


def resolve_cleaner(visitor: Visitor, cleaner_id: str | int | None) -> Cleaner:
    """Return the cleaner of that id; None: the visitor. Raises NotFound for another person's id."""
    return _person(Cleaner, visitor.cleaner, cleaner_id, sees_all=visitor.sees_all)


def resolve_client(visitor: Visitor, client_id: str | int | None) -> Client:
    """Return the client of that id; None: the visitor. Raises NotFound for another person's id."""
    return _person(Client, visitor.client, client_id, sees_all=visitor.sees_all)


def _role(visitor: Visitor, job: CleaningJob) -> Role | None:
    if visitor.client is not None and job.client_id == visitor.client.pk:
        return Role.CLIENT
    if visitor.sees_all:
        return Role.EVERYTHING
    if visitor.cleaner is None:
        return None
    if job.cleaner_id == visitor.cleaner.pk:
        return Role.HIRED
    may_bid = job.status in CleaningJob.OFFERED or job.bids.filter(cleaner=visitor.cleaner).exists()
    return Role.CLEANER if may_bid else None


def _linked(user: Any) -> tuple[Client | None, Cleaner | None]:
    if not getattr(user, "is_authenticated", False):
        return None, None
    return Client.objects.filter(account=user.pk).first(), Cleaner.objects.filter(account=user.pk).first()


def _person(model: type[P], linked: P | None, requested: str | int | None, *, sees_all: bool) -> P:
    name = model._meta.model_name
    if requested is None:
        if linked is None and sees_all:
            raise InvalidInput(f"{name}_id is missing", fields={f"/{name}_id": "is required for staff and services"})
        if linked is None:
            raise NotFound(f"this account is not a {name}")
        return linked
    if linked is not None and str(linked.pk) == str(requested):
        return linked
    person = row_by_pk(model._default_manager.all(), str(requested)) if sees_all else None
    if person is None:
        raise NotFound(f"there is no such {name}, or it is not you")
    return person
