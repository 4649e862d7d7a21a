"""Who of the marketplace is asking, and what they may open. What is not theirs reads as not there."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from recommendation_service.errors import InvalidInput, NotFound
from sites.cleaning.models import Cleaner, CleaningJob, Client
from tandem import tokens
from tandem.api.authentication import scopes_of

LONGEST_NUMBER = 18  # digits: what every database holds
NOT_YOURS = "is not yours to write for; leave it out to write for yourself"

P = TypeVar("P", Client, Cleaner)


class Role(StrEnum):
    """As what somebody looks at a job."""

    CLIENT = "client"  # whose job it is
    HIRED = "hired"  # the cleaner who does it
    CLEANER = "cleaner"  # somebody who may bid, or has bid
    EVERYTHING = "everything"  # staff and services


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who asks: a client, a cleaner, both, or one who may see everything."""

    client: Client | None = None
    cleaner: Cleaner | None = None
    sees_all: bool = False


def visitor_of(user: Any) -> Visitor:
    """The people of the marketplace behind a session or a token.

    A token of one person says which side in its subject, `client-17` or `cleaner-17`, since both are counted from 1.
    """
    scopes = scopes_of(user)
    if getattr(user, "is_staff", False) or tokens.ANY in scopes:
        linked = getattr(user, "token_subject", None) is None
        return Visitor(*(_linked(user) if linked else (None, None)), sees_all=True)
    subject = getattr(user, "token_subject", None)
    if subject is None:
        return Visitor(*_linked(user))
    side, _, number = subject.partition("-")
    if tokens.SELF not in scopes or not is_number(number):
        return Visitor()
    return Visitor(
        client=Client.objects.filter(pk=int(number)).first() if side == "client" else None,
        cleaner=Cleaner.objects.filter(pk=int(number)).first() if side == "cleaner" else None,
    )


def job_for(visitor: Visitor, job_id: str) -> tuple[CleaningJob, Role]:
    """The job, and as what the visitor sees it. Raises NotFound alike for an unknown one and for one that is not theirs."""
    rows = CleaningJob.objects.select_related("client", "place", "cleaner")
    job = rows.filter(pk=int(job_id)).first() if is_number(job_id) else None
    if job is None:
        raise NotFound("there is no such job")
    if visitor.client is not None and job.client_id == visitor.client.pk:
        return job, Role.CLIENT
    if visitor.sees_all:
        return job, Role.EVERYTHING
    if visitor.cleaner is not None:
        if job.cleaner_id == visitor.cleaner.pk:
            return job, Role.HIRED
        if job.status in CleaningJob.OFFERED or job.bids.filter(cleaner=visitor.cleaner).exists():
            return job, Role.CLEANER
    raise NotFound("this job is not yours to see")


def own_job(visitor: Visitor, job_id: str) -> CleaningJob:
    """A job that the visitor may act on as its client. Raises NotFound."""
    job, role = job_for(visitor, job_id)
    if role not in (Role.CLIENT, Role.EVERYTHING):
        raise NotFound("this job is another client's")
    return job


def resolve_cleaner(visitor: Visitor, cleaner_id: str | int | None) -> Cleaner:
    """The cleaner of that id, or the visitor's own without one. Raises NotFound for another's."""
    return _person(Cleaner, visitor.cleaner, cleaner_id, sees_all=visitor.sees_all)


def resolve_client(visitor: Visitor, client_id: str | int | None) -> Client:
    """The client of that id, or the visitor's own without one. Raises NotFound for another's."""
    return _person(Client, visitor.client, client_id, sees_all=visitor.sees_all)


def is_number(text: str) -> bool:
    """Whether a word of an address is a row's number."""
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER


def _linked(user: Any) -> tuple[Client | None, Cleaner | None]:
    if not getattr(user, "is_authenticated", False):
        return None, None
    return Client.objects.filter(account=user.pk).first(), Cleaner.objects.filter(account=user.pk).first()


def _person(kind: type[P], linked: P | None, requested: str | int | None, *, sees_all: bool) -> P:
    if requested is None:
        if linked is None and sees_all:
            name = f"{kind._meta.model_name}_id"
            raise InvalidInput(f"{name} says for whom", fields={f"/{name}": "is required of staff and services"})
        if linked is None:
            raise NotFound(f"this account is no {kind._meta.model_name} here")
        return linked
    number = str(requested)
    if linked is not None and str(linked.pk) == number:
        return linked
    match = kind._default_manager.filter(pk=int(number)).first() if sees_all and is_number(number) else None
    if match is None:
        raise NotFound(f"there is no such {kind._meta.model_name}, or it is not you")
    return match
