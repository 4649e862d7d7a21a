"""How a job comes to be: a client's place, and the work wanted there."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, TextField
from django.utils import timezone

from recommendation_service.errors import InvalidInput
from sites.cleaning.models import CleaningJob, Client, Property

FURTHEST = timedelta(days=366)
LONGEST_HOURS = Decimal(100)
MAX_PROPERTIES = 50  # of one client


def add_property(*, client: Client, kind: str, district: str, size_m2: int, latitude: float, longitude: float) -> Property:
    """One more place of a client. Raises InvalidInput naming what is wrong with it."""
    for name, degrees in (("latitude", latitude), ("longitude", longitude)):
        if not isfinite(degrees):
            raise _wrong(name, "must be a number of degrees")
    if client.properties.count() >= MAX_PROPERTIES:
        raise InvalidInput(f"a client has {MAX_PROPERTIES} places at most")
    place = Property(
        client=client, kind=kind, district=district, size_m2=size_m2, latitude=latitude, longitude=longitude
    )  # fmt: skip
    clean(place)
    place.save()
    return place


def post_job(
    *,
    client: Client,
    place: Property | Mapping[str, Any],
    hours: Decimal,
    budget: Decimal,
    wanted_for: datetime,
    eco_friendly: bool = False,
    description: str = "",
    now: datetime | None = None,
) -> CleaningJob:
    """An open job at one of the client's places, or at a new one told as `add_property` takes it. Raises InvalidInput."""
    posted_at = now or timezone.now()
    if not posted_at < wanted_for <= posted_at + FURTHEST:
        raise _wrong("wanted_for", "must be in the future, at most a year away")
    if not hours.is_finite() or hours > LONGEST_HOURS:
        raise _wrong("hours", f"must be at most {LONGEST_HOURS}")
    with transaction.atomic():
        where = place if isinstance(place, Property) else add_property(client=client, **place)
        if where.client_id != client.pk:
            raise _wrong("property_id", "is not a place of this client")
        job = CleaningJob(
            client=client, place=where, hours=hours, budget=budget, wanted_for=wanted_for, eco_friendly=eco_friendly,
            description=description.strip(), posted_at=posted_at,
        )  # fmt: skip
        clean(job)
        job.save()
    return job


def clean(row: Model) -> None:
    """Raise InvalidInput, naming every wrong field, where the row would not be valid."""
    if any("\x00" in value for value in vars(row).values() if isinstance(value, str)):
        raise InvalidInput("text must not hold NUL characters")  # PostgreSQL refuses them
    for field in row._meta.concrete_fields:
        most = field.max_length if isinstance(field, TextField) else None
        if most is not None and len(getattr(row, field.name)) > most:  # Django leaves that to forms
            raise _wrong(field.name, f"must have at most {most} characters")
    try:
        row.full_clean()
    except ValidationError as error:
        messages_by_field = {name: " ".join(messages) for name, messages in error.message_dict.items()}
        fields = {"" if name == "__all__" else f"/{name}": reason for name, reason in messages_by_field.items()}
        raise InvalidInput(
            "; ".join(f"{name}: {reason}" for name, reason in messages_by_field.items()), fields=fields
        ) from error


def _wrong(name: str, messages_by_field: str) -> InvalidInput:
    return InvalidInput(f"{name} {messages_by_field}", fields={f"/{name}": messages_by_field})
