"""Mirrors a site's own event tables into UserInteraction, as sources.py describes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, ForeignKey, Model
from django.db.models.signals import post_delete, post_save

from tandem.models import UserInteraction
from tandem.services.record_interactions import record_interactions
from tandem.sources import ItemSource, all_sources

PARTS = ("item", "user", "time", "value", "request_id")


class MirrorError(Exception):
    """A declared event table whose columns cannot be found: what is wrong, and what to write instead."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}; {fix}")
        self.problem = problem
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Mirror:
    """How one row of a site's event table becomes an interaction. Names are of fields; empty: there is none."""

    source: type[ItemSource]
    event: str
    model: type[Model]
    item: str
    user: str
    time: str
    value: str
    request_id: str = ""

    def event_id(self, key: Any) -> UUID:
        """The same for the same row, always: mirroring twice counts once."""
        return uuid5(NAMESPACE_URL, f"{self.model._meta.label_lower}:{self.event}:{key}")

    def id_prefix(self) -> str:
        """What the user ids of those who did this begin with."""
        people = getattr(_field(self.model, self.user), "related_model", None)
        return "" if people is None else self.source.id_prefixes.get(people._meta.label, "")

    def row(self, thing: Any) -> dict[str, Any]:
        """One row of the site's table as `record_interactions` takes it."""
        time = getattr(thing, self.time) if self.time else None
        found = {
            "event_id": self.event_id(thing.pk),
            "user_id": self.id_prefix() + _id_behind(thing, self.user, "pk"),
            "item_id": _id_behind(thing, self.item, self.source.item_id),
            "event": self.event,
            "catalogue": self.source.catalogue,
            "time": time if isinstance(time, datetime) else None,
            "value": getattr(thing, self.value) if self.value else None,
            "request_id": getattr(thing, self.request_id) if self.request_id else None,
        }
        return {name: value for name, value in found.items() if value is not None}


def mirror_of(source: type[ItemSource], event: str, model: type[Model]) -> Mirror:
    """The mirror of one declared event table. Raises MirrorError when a column cannot be found."""
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
    for part, found in (("item", item), ("user", user)):
        if not found:
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
    """Every event table that can be mirrored; `manage.py check` speaks about the others."""
    found = []
    for source in all_sources():
        for event, model in source.events.items():
            try:
                found.append(mirror_of(source, event, model))
            except (MirrorError, NotImplementedError):
                continue  # a check reports it with its fix; a site must be able to start in order to run the checks
    return found


def connect_all() -> None:
    """Mirror every row that is saved or deleted from now on."""
    for mirror in all_mirrors():
        connect(mirror)


def connect(mirror: Mirror) -> None:
    """Mirror one table's rows as they are saved and deleted; doing it twice changes nothing."""
    word = f"recommendations.{mirror.source.catalogue}.{mirror.event}.{mirror.model._meta.label_lower}"

    def saved(instance: Model, created: bool, raw: bool, **_ignored: Any) -> None:
        if raw:
            return  # a fixture's related rows may not be there yet; sync_interactions comes after
        if not created:
            forget(mirror, [instance.pk])
        record_interactions([mirror.row(instance)], source="mirror")

    def deleted(instance: Model, **_ignored: Any) -> None:
        forget(mirror, [instance.pk])

    post_save.connect(saved, sender=mirror.model, weak=False, dispatch_uid=f"{word}.saved")
    post_delete.connect(deleted, sender=mirror.model, weak=False, dispatch_uid=f"{word}.deleted")


def forget(mirror: Mirror, keys: Iterable[Any]) -> int:
    """Remove the mirrored interactions of rows with these primary keys; gives how many went."""
    gone, _ = UserInteraction.objects.filter(event_id__in=[mirror.event_id(key) for key in keys]).delete()
    return gone


def _id_behind(thing: Any, name: str, wanted: str) -> str:
    """The id of the row behind a foreign key, without asking the database where the key itself is the id."""
    field = _field(type(thing), name)
    if not isinstance(field, ForeignKey):
        return str(getattr(thing, name))
    if wanted in ("pk", field.target_field.name) and field.target_field.primary_key:
        return str(getattr(thing, field.attname))
    value = getattr(thing, name)
    for step in wanted.split("__"):
        value = getattr(value, step)
    return str(value)


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
