"""Posting a job: a client's property, and the work there."""

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

MAX_AHEAD = timedelta(days=366)
MAX_HOURS = Decimal(100)
MAX_PROPERTIES = 50  # of one client


def add_property(*, client: Client, latitude: float, longitude: float, **columns: Any) -> Property:
    """Save a property of a client. Raises InvalidInput that names what is wrong with it."""
    for name, degrees in (("latitude", latitude), ("longitude", longitude)):
        if not isfinite(degrees):
            raise _wrong(name, "must be a number of degrees")
    if client.properties.count() >= MAX_PROPERTIES:
        raise InvalidInput(f"a client has at most {MAX_PROPERTIES} properties")
    place = Property(client=client, latitude=latitude, longitude=longitude, **columns)
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
    """Save an open job at one of the client's properties, or at a new one of these columns. Raises InvalidInput."""
    posted_at = now or timezone.now()
    if not posted_at < wanted_for <= posted_at + MAX_AHEAD:
        raise _wrong("wanted_for", "must be in the future, at most a year away")
    if not hours.is_finite() or hours > MAX_HOURS:
        raise _wrong("hours", f"must be at most {MAX_HOURS}")
    with transaction.atomic():
        where = place if isinstance(place, Property) else add_property(client=client, **place)
        if where.client_id != client.pk:
            raise _wrong("property_id", "is not a property of this client")
        job = CleaningJob(
            client=client, place=where, hours=hours, budget=budget, wanted_for=wanted_for, eco_friendly=eco_friendly,
            description=description.strip(), posted_at=posted_at,
        )  # fmt: skip
        clean(job)
        job.save()
    return job


def clean(row: Model) -> None:
    """Raise InvalidInput that names every wrong field, unless the row is valid."""
    if any("\x00" in value for value in vars(row).values() if isinstance(value, str)):
        raise InvalidInput("text must not contain NUL characters")  # PostgreSQL refuses them
    for field in row._meta.concrete_fields:
        limit = field.max_length if isinstance(field, TextField) else None
        if limit is not None and len(getattr(row, field.name)) > limit:  # Django checks it in forms only
            raise _wrong(field.name, f"must have at most {limit} characters")
    try:
        row.full_clean()
    except ValidationError as error:
        texts = {name: " ".join(messages) for name, messages in error.message_dict.items()}
        fields = {"" if name == "__all__" else f"/{name}": text for name, text in texts.items()}
        raise InvalidInput("; ".join(f"{name}: {text}" for name, text in texts.items()), fields=fields) from error


def _wrong(name: str, message: str) -> InvalidInput:
    return InvalidInput(f"{name} {message}", fields={f"/{name}": message})
