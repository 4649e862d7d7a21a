"""Finds who may see an item: the members of its tenant, and people between whom there is no block."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import Model

from tandem.scaffold.names import FIELDS, SYSTEM_APPS, words_of

BLOCK_WORDS = {"block", "blocked", "mute", "muted"}


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows of `table` where `person` is the viewer name in `target` what the path `item` of an item is compared with."""

    item: str
    table: type[Model]
    through: tuple[type[Model], str] | None  # the model and field of a many-to-many relation without a model of its own
    person: str
    target: str
    owner: type[Model]  # the tenant, or the user to whom the item belongs
    shown: bool  # True: only these items are shown; False: these items are hidden


def rules_of(item: type[Model], relation: Callable[[type[Model]], tuple[type[Model], str] | None]) -> tuple[Rule, ...]:
    """Return the rules of visibility that the models of the project suggest. `relation` names an automatic table's field."""
    return (*_tenant(item, relation), *_blocks(item, relation))


def _tenant(item: type[Model], relation: Callable[[type[Model]], tuple[type[Model], str] | None]) -> Iterator[Rule]:
    for path, tenant in _paths(item):
        if not set(words_of(tenant.__name__)) & set(FIELDS["tenants"]):
            continue
        for table, person, target in _memberships(tenant):
            through = relation(table) if table._meta.auto_created else None
            yield Rule(path, table, through, person, target, tenant, shown=True)
            return


def _paths(item: type[Model]) -> list[tuple[str, type[Model]]]:
    """Return the models one and two foreign keys away, the nearest first."""
    near = [(entry.name, entry.related_model) for entry in _keys(item)]
    far = [
        (f"{name}__{entry.name}", entry.related_model)
        for name, model in near
        if model not in (get_user_model(), item)
        for entry in _keys(model)
    ]
    return near + far


def _memberships(tenant: type[Model]) -> Iterator[tuple[type[Model], str, str]]:
    """Yield the tables that join users with tenants: the users' own column first, then profiles and tables of members."""
    user = get_user_model()
    for entry in _keys(user):
        if entry.related_model is tenant:
            yield user, "pk", entry.name
    tables = [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label not in SYSTEM_APPS]
    found = []
    for table in tables:
        people = [entry for entry in _keys(table) if entry.related_model is user]
        groups = [entry.name for entry in _keys(table) if entry.related_model is tenant]
        if people and groups:
            is_member = bool(set(words_of(table.__name__)) & set(FIELDS["members"])) or any(p.one_to_one for p in people)
            found.append((not is_member, table._meta.label, table, people[0].name, groups[0]))
    for rank, _, table, person, target in sorted(found, key=lambda entry: entry[:2]):
        if not rank:
            yield table, person, target


def _blocks(item: type[Model], relation: Callable[[type[Model]], tuple[type[Model], str] | None]) -> Iterator[Rule]:
    """Yield two rules, one for each direction of a block, for the user to whom an item belongs."""
    user = get_user_model()
    owners = [entry.name for entry in _keys(item) if entry.related_model is user]
    if not owners:
        return
    for table in apps.get_models(include_auto_created=True):
        through = relation(table) if table._meta.auto_created else None
        words = set(words_of(through[1] if through else table.__name__))
        ends = [entry.name for entry in _keys(table) if entry.related_model is user]
        if len(ends) == 2 and words & BLOCK_WORDS:
            yield Rule(owners[0], table, through, ends[0], ends[1], user, shown=False)
            yield Rule(owners[0], table, through, ends[1], ends[0], user, shown=False)


def _keys(model: type[Model]) -> list[Any]:
    return [entry for entry in model._meta.fields if entry.is_relation and isinstance(entry.related_model, type)]
