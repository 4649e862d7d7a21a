"""Mirrors a site's own event tables into UserInteraction; sources.py describes the declaration."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from itertools import islice
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.core.exceptions import FieldDoesNotExist
from django.db import router, transaction
from django.db.models import Field, ForeignKey, Model
from django.db.models.signals import post_delete, post_save

from tandem.models import UserInteraction
from tandem.services.record_interactions import ACCEPTED, REJECTED, announce, record_interactions
from tandem.sources import ItemSource, all_sources

BATCH = 5_000
PARTS = ("item", "user", "time", "value", "request_id")


class MirrorError(Exception):
    """The columns of a declared event table cannot be found: `problem` says what is wrong, `fix` what to write."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}; {fix}")
        self.problem = problem
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Mirror:
    """How one row of a site's event table becomes an interaction: the names of its fields, "" where it has none."""

    source: type[ItemSource]
    event: str
    model: type[Model]
    item: str
    user: str
    time: str
    value: str
    request_id: str = ""

    def event_id(self, key: Any) -> UUID:
        """Return an id that is always the same for the same row, so that mirroring it twice counts once."""
        return uuid5(NAMESPACE_URL, f"{self.model._meta.label_lower}:{self.event}:{key}")

    def id_prefix(self) -> str:
        """Return the prefix of the user ids of this table."""
        people = getattr(_field(self.model, self.user), "related_model", None)
        return "" if people is None else self.source.id_prefixes.get(people._meta.label, "")

    def row(self, instance: Any) -> dict[str, Any]:
        """One row of the site's table as `record_interactions` takes it."""
        time = getattr(instance, self.time) if self.time else None
        values = {
            "event_id": self.event_id(instance.pk),
            "user_id": self.id_prefix() + _related_id(instance, self.user, "pk"),
            "item_id": _related_id(instance, self.item, self.source.item_id),
            "event": self.event,
            "catalogue": self.source.catalogue,
            "time": time if isinstance(time, datetime) else None,
            "value": getattr(instance, self.value) if self.value else None,
            "request_id": getattr(instance, self.request_id) if self.request_id else None,
        }
        return {name: value for name, value in values.items() if value is not None}


def mirror_of(source: type[ItemSource], event: str, model: type[Model]) -> Mirror:
    """Return the mirror of one declared event table. Raises MirrorError if a column cannot be found."""
    declared = dict(source.event_fields.get(event, {}))
    unknown = sorted(set(declared) - set(PARTS))
    if unknown:
        raise MirrorError(f"`event_fields` says '{unknown[0]}'", f"use {', '.join(PARTS)}")
    for field in declared.values():
        if _field(model, field) is None:
            raise MirrorError(f"{model.__name__} has no field '{field}'", f"use one of {_names(model)}")
    item = declared.get("item") or _key_to(model, [source.items().model])
    user = (
        declared.get("user") or _key_to(model, [people.model for people in source.profiles]) or _first(model, "user", "person")
    )
    for part, field in (("item", item), ("user", user)):
        if not field:
            example = f'event_fields = {{"{event}": {{"{part}": "..."}}}}'
            fix = f"say which field it is: {example}; {model.__name__} has {_names(model)}"
            raise MirrorError(f"{model.__name__} has no field that is the {part}", fix)
    return Mirror(
        source=source,
        event=event,
        model=model,
        item=item,
        user=user,
        time=declared.get("time") or _first(model, "created_at", "time"),
        value=declared.get("value") or _first(model, "value"),
        request_id=declared.get("request_id") or _first(model, "request_id"),
    )


def all_mirrors() -> list[Mirror]:
    """Return the mirrors of all event tables that can be mirrored; `manage.py check` reports the others."""
    mirrors = []
    for source in all_sources():
        for event, model in source.events.items():
            try:
                mirrors.append(mirror_of(source, event, model))
            except (MirrorError, NotImplementedError):
                continue  # a check reports it with its fix; a site must be able to start to run the checks
    return mirrors


def sync_interactions(*, say: Callable[[str], object] = lambda _line: None) -> dict[str, int]:
    """Mirror every row of every declared event table that is not mirrored yet; return the number of new rows per table.

    For rows that were written without Django's signals. Safe to run at any time and to interrupt. A row that was deleted
    by SQL keeps its mirrored interaction.
    """
    added: dict[str, int] = {}
    for mirror in all_mirrors():
        name = f"{mirror.source.catalogue}.{mirror.event}"
        added[name], rejected = _sync(mirror)
        say(f"{name}: {added[name]:,} added" + (f", {rejected:,} rejected" if rejected else ""))
    return added


def connect_all() -> None:
    """Mirror every row that is saved or deleted from now on."""
    for mirror in all_mirrors():
        connect(mirror)


def connect(mirror: Mirror) -> None:
    """Mirror the rows of one table when they are saved and deleted; a second call changes nothing."""
    uid = f"tandem.{mirror.source.catalogue}.{mirror.event}.{mirror.model._meta.label_lower}"

    def saved(instance: Model, created: bool, raw: bool, **_kwargs: Any) -> None:
        if raw:
            return  # a fixture's related rows may not exist yet; sync_interactions adds these rows later
        if created:
            record_interactions([mirror.row(instance)], source="mirror")
            return
        with transaction.atomic(using=router.db_for_write(UserInteraction)):  # a failed insert must keep the old row
            remove(mirror, [instance.pk])
            record_interactions([mirror.row(instance)], source="mirror")

    def deleted(instance: Model, **_kwargs: Any) -> None:
        remove(mirror, [instance.pk])

    post_save.connect(saved, sender=mirror.model, weak=False, dispatch_uid=f"{uid}.saved")
    post_delete.connect(deleted, sender=mirror.model, weak=False, dispatch_uid=f"{uid}.deleted")


def remove(mirror: Mirror, keys: Iterable[Any]) -> int:
    """Remove the mirrored interactions of the rows with these primary keys; return their number.

    Sends `interaction_recorded` after commit, so that lists which were made with them are not shown again.
    """
    rows = UserInteraction.objects.filter(event_id__in=[mirror.event_id(key) for key in keys])
    users = set(rows.values_list("user__user_id", flat=True))
    removed, _ = rows.delete()
    announce((user_id, mirror.source.catalogue) for user_id in users)
    return removed


def _sync(mirror: Mirror) -> tuple[int, int]:
    """Return how many rows were added and rejected."""
    rows = mirror.model._default_manager.all()
    if not _key_is_id(_field(mirror.model, mirror.item), mirror.source.item_id):
        rows = rows.select_related(mirror.item)  # else one query per row for the item's id
    instances = rows.iterator(chunk_size=BATCH)
    added = rejected = 0
    while batch := [mirror.row(instance) for instance in islice(instances, BATCH)]:
        results = record_interactions(batch, source="sync")
        added += sum(result.status == ACCEPTED for result in results)
        rejected += sum(result.status == REJECTED for result in results)
    return added, rejected


def _related_id(instance: Any, name: str, id_field: str) -> str:
    """The id of the row that a foreign key names, without a query where the key itself is the id."""
    field = _field(type(instance), name)
    if field is None or _key_is_id(field, id_field):
        return str(getattr(instance, name if field is None else field.attname))
    return str(reduce(getattr, id_field.split("__"), getattr(instance, name)))


def _key_is_id(field: "Field[Any, Any] | None", id_field: str) -> bool:
    """True unless the id is in the row that a foreign key names."""
    if not isinstance(field, ForeignKey):
        return True
    return id_field in ("pk", field.target_field.name) and field.target_field.primary_key


def _field(model: type[Model], name: str) -> "Field[Any, Any] | None":
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return field if isinstance(field, Field) else None


def _key_to(model: type[Model], targets: list[type[Model]]) -> str:
    keys = [field for field in model._meta.fields if isinstance(field, ForeignKey)]
    return next((field.name for field in keys if field.related_model in targets), "")


def _first(model: type[Model], *names: str) -> str:
    return next((name for name in names if _field(model, name) is not None), "")


def _names(model: type[Model]) -> str:
    return ", ".join(field.name for field in model._meta.fields)
