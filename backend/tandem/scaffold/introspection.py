"""Reads the models of a project: what its items, people and event tables probably are."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import DatabaseError
from django.db.models import BooleanField, CharField, DateField, Model, TextField

from tandem.scaffold.names import FIELDS, STATUS, SYSTEM_APPS, WEIGHTS, event_of, words_of
from tandem.scaffold.visibility import Rule, rules_of

COPIES = ("first", "last", "latest", "newest")  # how the names of foreign keys begin that repeat what other rows say
MAX_KINDS = 30  # distinct values of a status column that are read


@dataclass(frozen=True, slots=True)
class EventTable:
    """One table whose rows are what a user did with an item. Columns are paths, "" where the table has none."""

    model: type[Model]
    through: tuple[type[Model], str] | None  # the model and field of a many-to-many relation without a model of its own
    event: str
    item: str
    user: str
    name: str = ""  # the key of the declaration; another than the event where two tables mean the same event
    time: str = ""
    value: str = ""
    kind: str = ""  # the column that decides the event
    kinds: dict[Any, str] = field(default_factory=dict)  # its values -> events
    gone: dict[str, Any] = field(default_factory=dict)
    parent: bool = False  # rows about a variant count for its parent


@dataclass(frozen=True, slots=True)
class ItemModel:
    """What is recommended."""

    model: type[Model]
    text: tuple[str, ...]  # the first is the title
    category: str = ""
    tags: str = ""
    created: str = ""
    filters: tuple[str, ...] = ()
    where: dict[str, Any] = field(default_factory=dict)  # rows that may be shown
    related: tuple[str, ...] = ()  # select_related
    many: tuple[str, ...] = ()  # prefetch_related
    events: tuple[EventTable, ...] = ()
    people: type[Model] | None = None
    parent: str = ""  # foreign key of a variant to its parent
    visibility: tuple[Rule, ...] = ()  # who may see an item

    @property
    def label(self) -> str:
        """app.Model"""
        return self.model._meta.label


def item_models() -> list[ItemModel]:
    """Return every model that has a title and event tables, the most probable first."""
    models = [model for model in apps.get_models() if _may_be_item(model)]
    described = [described for model in models if (described := describe(model)) is not None and described.events]
    tenants = {rule.owner for item in described for rule in item.visibility if rule.shown}  # they own items and are none
    return sorted(described, key=lambda item: (item.model in tenants, -_rank(item), item.label))


def describe(model: type[Model]) -> ItemModel | None:
    """Return what is known of a model as items, or None if it has no title."""
    title = _title(model)
    if not title:
        return None
    by_name = {entry.name: entry for entry in model._meta.get_fields() if not entry.auto_created}
    texts = [name for name in FIELDS["texts"] if isinstance(by_name.get(name), TextField | CharField)][:2]
    category = next((name for name in FIELDS["categories"] if _is_category(by_name.get(name))), "")
    related = (category,) if category and by_name[category].is_relation else ()
    tags = next((name for name in FIELDS["tags"] if name in by_name), "")
    many = (tags,) if tags and by_name[tags].many_to_many else ()
    parent = next((name for name in ("parent", "parent_product", "variant_of") if _is_self(by_name.get(name), model)), "")
    where = _shown(by_name) | ({f"{parent}__isnull": True} if parent else {})
    shown_category = f"{category}__{_title(by_name[category].related_model)}" if related else category
    item = ItemModel(
        model=model,
        text=(title, *texts),
        category=shown_category,
        tags=tags,
        created=next((name for name in FIELDS["created"] if isinstance(by_name.get(name), DateField)), ""),
        filters=(category,) if category and not related else (),
        where=where,
        related=related,
        many=many,
        parent=parent,
    )
    events = tuple(_event_tables(item))
    people = _people(events)
    return replace(item, events=_named(events), people=people, visibility=rules_of(model, _relation))


def _may_be_item(model: type[Model]) -> bool:
    meta = model._meta
    if meta.app_label in SYSTEM_APPS or meta.proxy or meta.auto_created or meta.swapped:
        return False
    return model is not get_user_model() and not _is_profile(model) and not model.__name__.startswith("Historical")


def _is_profile(model: type[Model]) -> bool:
    return any(entry.one_to_one and entry.related_model is get_user_model() for entry in model._meta.fields)


def _rank(item: ItemModel) -> int:
    """Tables about an item count most, then what is known of it; a model that is itself an event table is no item."""
    is_event = bool(_user_path(item.model, item.model)) and bool(event_of(item.model.__name__))
    known = 2 * len(item.text) + bool(item.category) + bool(item.tags) + bool(item.created)
    return 5 * len(item.events) + known - 20 * is_event


def _title(model: Any) -> str:
    texts = {
        entry.name: entry for entry in model._meta.fields if isinstance(entry, CharField | TextField) and not entry.choices
    }
    named = next((name for name in FIELDS["titles"] if name in texts), "")
    ending = next((name for name in texts if name.endswith(("_title", "_name"))), "")
    return named or ending


def _is_category(entry: Any) -> bool:
    if entry is None or entry.many_to_many:
        return False
    return bool(_title(entry.related_model)) if entry.is_relation else isinstance(entry, CharField)


def _is_self(entry: Any, model: type[Model]) -> bool:
    return entry is not None and entry.is_relation and entry.many_to_one and entry.related_model is model


def _shown(by_name: dict[str, Any]) -> dict[str, Any]:
    """Return the lookups of rows that a visitor may see."""
    where: dict[str, Any] = {}
    for name, entry in by_name.items():
        if isinstance(entry, BooleanField) and name in FIELDS["true_flags"] + FIELDS["false_flags"]:
            where[name] = name in FIELDS["true_flags"]
        elif name in FIELDS["null_flags"]:
            where[f"{name}__isnull"] = True
    status = by_name.get("status")
    good = [key for key, _ in getattr(status, "flatchoices", ()) if str(key).lower() in STATUS["good"]]
    return where | ({"status__in" if len(good) > 1 else "status": good if len(good) > 1 else good[0]} if good else {})


def _event_tables(item: ItemModel) -> Iterator[EventTable]:
    for model in apps.get_models(include_auto_created=True):
        meta = model._meta
        if issubclass(item.model, model) or meta.proxy or meta.swapped or meta.app_label in SYSTEM_APPS - {"auth"}:
            continue
        if model.__name__.startswith("Historical") or model is get_user_model() or (not meta.managed and not meta.auto_created):
            continue
        through = _relation(model) if meta.auto_created else None
        if meta.auto_created and (through is None or through[1] in FIELDS["not_actors"]):
            continue
        path, user = _item_path(model, item), _user_path(model, item.model)
        table = _event_table(model, through, path, user, item) if path and user else None
        if table is not None and (table.event in WEIGHTS or is_local(model)):  # a package's log or draft is no event
            yield table


def _event_table(
    model: type[Model], through: tuple[type[Model], str] | None, path: str, user: str, item: ItemModel
) -> EventTable:
    by_name = {entry.name: entry for entry in model._meta.fields}
    first = user.partition("__")[0]
    above = by_name[first].related_model if "__" in user else None
    value = next((name for name in FIELDS["values"] if name in by_name and _is_number(by_name[name])), "")
    event = event_of(
        "" if through is None else through[1], model.__name__, "" if above is None else above.__name__, model._meta.app_label
    )
    if value and event in ("", "view", "like", "comment"):
        event = "rate"
    kind, kinds = _kinds(model)
    table = EventTable(
        model=model,
        through=through,
        event=event or "_".join(words_of(model.__name__)),
        item=path,
        user=user,
        time=_time(by_name) or (f"{first}__{time}" if above and (time := _time_of(above)) else ""),
        value=value,
        kind=kind,
        kinds=kinds,
        parent=bool(item.parent) and "__" not in path,
    )
    return replace(table, gone=_gone(by_name, kinds))


def is_local(model: type[Model]) -> bool:
    """True if the model's app is the project's own, and not an installed package."""
    return not {"site-packages", "dist-packages"} & set(Path(apps.get_app_config(model._meta.app_label).path).parts)


def _relation(through: type[Model]) -> tuple[type[Model], str] | None:
    """Return the model and the field that an automatic many-to-many table belongs to."""
    for model in apps.get_models():
        for entry in model._meta.local_many_to_many:
            if entry.remote_field.through is through:
                return model, entry.name
    return None


def _keys(model: type[Model]) -> list[Any]:
    """Return the foreign keys of a model, without links to a parent model and copies such as `last_post`."""
    keys = [entry for entry in model._meta.fields if entry.is_relation and isinstance(entry.related_model, type)]
    keys = [entry for entry in keys if entry.name.partition("_")[0] not in COPIES]
    return [entry for entry in keys if not getattr(entry.remote_field, "parent_link", False)]


def _item_path(model: type[Model], item: ItemModel) -> str:
    """Return the path from a row to its item: a foreign key, one of something that belongs to an item, or a generic one."""
    keys = [entry for entry in _keys(model) if not entry.one_to_one]
    for entry in keys:
        if _same(entry.related_model, item.model):
            return str(entry.name)
    for entry in keys:
        part = entry.related_model
        if part is get_user_model() or _is_profile(part) or _user_path(part, item.model):
            continue
        for inner in _keys(part):
            if _same(inner.related_model, item.model):
                return f"{entry.name}__{inner.name}"
    generic = next((entry.name for entry in model._meta.private_fields if hasattr(entry, "ct_field")), "")
    return generic if generic and _has_rows_about(model, generic, item.model) else ""


def _same(related: type[Model], model: type[Model]) -> bool:
    return (
        related._meta.concrete_model is model._meta.concrete_model or issubclass(model, related) or issubclass(related, model)
    )


def _has_rows_about(model: type[Model], generic: str, items: type[Model]) -> bool:
    """True if rows of a generic relation are about these items; True also where the table cannot be read or is empty."""
    entry: Any = next(entry for entry in model._meta.private_fields if entry.name == generic)
    meta = items._meta
    with suppress(DatabaseError):
        rows = model._default_manager.all()
        about = {f"{entry.ct_field}__app_label": meta.app_label, f"{entry.ct_field}__model": meta.model_name}
        return rows.filter(**about).exists() or not rows.exists()
    return True


def _user_path(model: type[Model], item: type[Model]) -> str:
    """Return the path from a row to the user who acted, at most two steps long; "" if there is none."""
    keys = [entry for entry in _keys(model) if entry.name not in FIELDS["not_actors"] and not _same(entry.related_model, item)]
    direct = [entry.name for entry in keys if entry.related_model is get_user_model()]
    profiles = [entry for entry in keys if _is_profile(entry.related_model)]
    if direct:
        return _preferred(direct)
    if profiles:
        return _preferred([entry.name for entry in profiles])
    for entry in keys:
        above = _keys(entry.related_model)
        users = [inner.name for inner in above if inner.related_model is get_user_model() or _is_profile(inner.related_model)]
        users = [name for name in users if name not in FIELDS["not_actors"]]
        if users and not any(_same(inner.related_model, item) for inner in above):
            return f"{entry.name}__{_preferred(users)}"
    return ""


def _preferred(found: Sequence[str]) -> str:
    return min(found, key=lambda name: FIELDS["users"].index(name) if name in FIELDS["users"] else len(FIELDS["users"]))


def _people(events: Sequence[EventTable]) -> type[Model]:
    """Return the model of the people: profiles if every table leads to one kind of profile, else the users."""
    ends = {_end(table.model, table.user) for table in events}
    return ends.pop() if len(ends) == 1 else get_user_model()


def _end(model: type[Model], path: str) -> type[Model]:
    current: Any = model
    for name in path.split("__"):
        current = current._meta.get_field(name).related_model
    return current  # type: ignore[no-any-return]  # the last step is a relation


def _named(events: Sequence[EventTable]) -> tuple[EventTable, ...]:
    """Let every path end at the users where the tables lead to different people, and let every name be used once."""
    people = _people(events) if events else None
    named: dict[str, EventTable] = {}
    for table in events:
        end = _end(table.model, table.user)
        if end is not people:
            account = next((entry.name for entry in end._meta.fields if entry.one_to_one and entry.related_model is people), "")
            table = replace(table, user=f"{table.user}__{account}") if account else table
        name = table.event if table.event not in named else "_".join(words_of(table.model.__name__))
        if name in named:
            name = f"{table.model._meta.app_label}_{name}"
        named[name] = replace(table, name=name)
    return tuple(named.values())


def _time(by_name: dict[str, Any]) -> str:
    known = [name for name in FIELDS["times"] if isinstance(by_name.get(name), DateField)]
    other = [name for name, entry in by_name.items() if isinstance(entry, DateField) and name not in FIELDS["null_flags"]]
    return next(iter([*known, *other]), "")


def _time_of(model: type[Model]) -> str:
    return _time({entry.name: entry for entry in model._meta.fields})


def _is_number(entry: Any) -> bool:
    return "Integer" in entry.get_internal_type() or entry.get_internal_type() in ("FloatField", "DecimalField")


def _kinds(model: type[Model]) -> tuple[str, dict[Any, str]]:
    """Return the column that tells events apart and its values with their events; ("", {}) if there is none."""
    for entry in model._meta.fields:
        if entry.name not in FIELDS["kinds"]:
            continue
        path, values = entry.name, list(getattr(entry, "flatchoices", ()) or ())
        if entry.is_relation and isinstance(entry.related_model, type):
            column = next(
                (name for name in ("identifier", "slug", "code", "key", "name") if _has(entry.related_model, name)), ""
            )
            path, values = f"{entry.name}__{column}", _distinct(entry.related_model, column) if column else []
        elif not values and isinstance(entry, CharField):
            values = _distinct(model, entry.name)
        kinds = {key: event for key, label in values if (event := event_of(str(key), str(label)))}
        if len(set(kinds.values())) > 1:
            return path, kinds
    return "", {}


def _has(model: type[Model], name: str) -> bool:
    return any(entry.name == name for entry in model._meta.fields)


def _distinct(model: type[Model], column: str) -> list[tuple[Any, str]]:
    with suppress(DatabaseError):
        values = model._default_manager.order_by(column).values_list(column, flat=True).distinct()[:MAX_KINDS]
        return [(value, str(value)) for value in values if value not in (None, "")]
    return []


def _gone(by_name: dict[str, Any], kinds: dict[Any, str]) -> dict[str, Any]:
    """Return the lookups of rows that were deleted, cancelled or refused: they are no interaction."""
    gone: dict[str, Any] = {}
    for name, entry in by_name.items():
        if name in FIELDS["false_flags"] and isinstance(entry, BooleanField):
            gone[name] = True
        elif name in FIELDS["null_flags"]:
            gone[f"{name}__isnull"] = False
    status = by_name.get("status")
    bad = [
        key
        for key, label in getattr(status, "flatchoices", ()) or ()
        if {str(key).lower(), str(label).lower()} & set(STATUS["bad"])
    ]
    if bad and not kinds:
        gone["status__in"] = bad
    return gone
