"""Finds the models whose signals tell that rows of an event table changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import F, Model, Q

from tandem.event_sync.mirror import Mirror


@dataclass(frozen=True, slots=True)
class RelatedModel:
    """A model that columns or conditions of an event table are read through."""

    path: str  # from the event table, such as "order" or "order__user"
    model: type[Model]
    fields: frozenset[str]  # what is read of it beyond its primary key


def senders_of(model: type[Model]) -> set[type[Model]]:
    """Return the models whose signals tell of a row: the table's, its proxies, subclasses and parents."""
    senders = {model, *model._meta.get_parent_list()}
    concrete: Any = model._meta.concrete_model
    waiting = [model, concrete]
    while waiting:
        current = waiting.pop()
        senders.add(current)
        waiting += [child for child in current.__subclasses__() if child not in senders]
    return {sender for sender in senders if not sender._meta.abstract}


def many_to_many_of(model: type[Model]) -> list[tuple[str, str]]:
    """Return the names of both foreign keys for each many-to-many field that uses the model as its table."""
    owners = {field.related_model for field in model._meta.fields if isinstance(field.related_model, type)}
    fields = [field for owner in owners for field in owner._meta.local_many_to_many if field.remote_field.through is model]
    return [(field.m2m_field_name(), field.m2m_reverse_field_name()) for field in fields]


def related_models(mirror: Mirror) -> list[RelatedModel]:
    """Return the models on the paths of the mirror's columns and conditions, each path once."""
    paths = [*mirror.paths.values(), *(path for q in (mirror.event.when, mirror.event.gone) if q for path in _paths_in(q))]
    models: dict[str, type[Model]] = {}
    fields: dict[str, set[str]] = {}
    for path in paths:
        current, prefix = mirror.model, ""
        for name in path.split("__"):
            related = _related(current, name)
            if prefix and name != "pk":
                fields[prefix].add(name)
            if related is None:
                break
            prefix = f"{prefix}__{name}" if prefix else name
            models[prefix], current = related, related
            fields.setdefault(prefix, set())
    return [RelatedModel(path, model, frozenset(fields[path])) for path, model in models.items()]


def _related(model: type[Model], name: str) -> type[Model] | None:
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist:  # "pk", an annotation or a lookup such as "in"
        return None
    related = getattr(field, "related_model", None)
    return related if isinstance(related, type) else None


def _paths_in(condition: Q) -> Iterator[str]:
    for child in condition.children:
        if isinstance(child, Q):
            yield from _paths_in(child)
        elif isinstance(child, tuple):
            yield child[0]
            if isinstance(child[1], F):
                yield str(child[1].name)  # type: ignore[attr-defined]  # django-stubs leaves it out
