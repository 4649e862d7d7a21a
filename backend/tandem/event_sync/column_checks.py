"""What is wrong with the columns of a declared event table, as far as it is known without reading rows."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import FieldError
from django.db.models import (
    BooleanField,
    CharField,
    DateField,
    DecimalField,
    Field,
    FloatField,
    IntegerField,
    Model,
    QuerySet,
    TextField,
    UUIDField,
)

from tandem.conf import OWN_USER_ID, tandem_settings
from tandem.event_sync.columns import PathError, follow, is_annotation, same_family, target_of
from tandem.event_sync.mirror import Mirror, MirrorError
from tandem.event_sync.rows import PREFIX

NUMBERS = (IntegerField, FloatField, DecimalField)
TYPES = {
    "time": ((DateField, *NUMBERS, CharField, TextField), "a date, a time, a number or text"),
    "value": ((*NUMBERS, BooleanField), "a number"),
    "request_id": ((UUIDField, CharField), "a UUID or text"),
}


def column_problems(mirror: Mirror) -> Iterator[MirrorError]:
    """Yield what would keep rows of the table from being mirrored."""
    try:
        rows = mirror.live_rows()
    except (FieldError, ValueError, TypeError) as error:
        yield MirrorError(f"`when` or `gone` cannot be used: {error}", f"use the fields of {mirror.model.__name__}")
        return
    try:
        rows.annotate(**{PREFIX + part: expression for part, expression in mirror.expressions().items()})
    except (FieldError, ValueError, TypeError) as error:
        yield MirrorError(f"a column cannot be read: {error}", f"use the fields of {mirror.model.__name__}")
        return
    for part, (types, meaning) in TYPES.items():
        field = _field_of(mirror, rows, part)
        if field is not None and not isinstance(field, types):
            problem = f"`{part}` is '{mirror.columns[part]}', a {type(field).__name__}; it must be {meaning}"
            yield MirrorError(problem, f"name another field, or convert it: {part}=lambda row: ...")
    yield from _unknown_choices(mirror, rows)
    yield from _other_people(mirror, rows)


def _unknown_choices(mirror: Mirror, rows: QuerySet[Any]) -> Iterator[MirrorError]:
    field = _field_of(mirror, rows, "event")
    choices = [value for value, _ in getattr(field, "flatchoices", ())]
    for value in mirror.event.event_map:
        if choices and value not in choices:
            problem = f"`event_map` has {value!r}, which is no choice of '{mirror.columns['event']}'"
            yield MirrorError(problem, f"use {', '.join(repr(choice) for choice in choices)}")


def _other_people(mirror: Mirror, rows: QuerySet[Any]) -> Iterator[MirrorError]:
    """A user column must lead to one of `profiles`: ids of another model would be ids of other people."""
    path = mirror.columns["user"]
    if not isinstance(path, str) or is_annotation(rows, path):
        return
    target = target_of(follow(mirror.model, path))
    known: list[type[Model]] = [people.model for people in mirror.source.profiles]
    if target is None or any(same_family(target, model) for model in known):
        return
    if known:
        names = ", ".join(model.__name__ for model in known)
        problem = f"`user` is '{path}', which leads to {target.__name__}; the users of this catalogue are {names}"
        yield MirrorError(problem, f"use a path that leads to one of them, such as '{path}__{known[0]._meta.model_name}'")
    elif target._meta.label != settings.AUTH_USER_MODEL and tandem_settings().user_id == OWN_USER_ID:
        problem = f"`user` is '{path}', which leads to {target.__name__}; users are {settings.AUTH_USER_MODEL}"
        yield MirrorError(problem, f"use a path that leads to it, or set profiles = ({target.__name__}.objects.all(),)")


def _field_of(mirror: Mirror, rows: QuerySet[Any], part: str) -> "Field[Any, Any] | None":
    path = mirror.paths.get(part)
    if path is None or is_annotation(rows, path):
        return None
    try:
        field = follow(mirror.model, path)[-1]
    except PathError:
        return None
    return field if isinstance(field, Field) else None
