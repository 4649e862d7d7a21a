"""Follows column paths such as "order__user" through models, without reading rows."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, QuerySet

Step = Any  # a field, a relation from another model, or a GenericForeignKey


class PathError(Exception):
    """A path cannot be followed: `problem` says why, `fix` what to write."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.fix = fix


def follow(model: type[Model], path: str) -> list[Step]:
    """Return the fields along a path. Raises PathError, also where one row of the model would lead to several."""
    steps: list[Step] = []
    current: type[Model] | None = model
    for name in path.split("__"):
        if current is None:
            raise PathError(f"'{steps[-1].name}' is not a relation", f"end the path with '{steps[-1].name}'")
        step = _step(current, name)
        if getattr(step, "many_to_many", False) or getattr(step, "one_to_many", False):
            raise PathError(f"{current.__name__} has many '{name}'", "declare the table of the relation as the event table")
        steps.append(step)
        related = getattr(step, "related_model", None)
        current = related if isinstance(related, type) else None
    return steps


def _step(model: type[Model], name: str) -> Step:
    if name == "pk":
        return model._meta.pk
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        raise PathError(f"{model.__name__} has no field '{name}'", f"use one of {names_of(model)}") from None


def names_of(model: type[Model]) -> str:
    """Return the names of the model's fields, for messages."""
    return ", ".join(sorted(field.name for field in model._meta.get_fields()))


def target_of(steps: Sequence[Step]) -> type[Model] | None:
    """Return the model that the last step of a path leads to, or None if it is a plain field."""
    related = getattr(steps[-1], "related_model", None)
    return related if isinstance(related, type) else None


def same_family(model: type[Model], other: type[Model]) -> bool:
    """True if rows of the two models share primary keys: the same model, a proxy, or a parent or child of it."""
    return issubclass(model, other) or issubclass(other, model)


def is_generic(step: Step) -> bool:
    """True for a GenericForeignKey; its class cannot be imported in a site without contenttypes."""
    return hasattr(step, "ct_field") and hasattr(step, "fk_field")


def is_annotation(rows: QuerySet[Any], path: str) -> bool:
    """True if the queryset itself adds a column of this name."""
    return path in rows.query.annotations
