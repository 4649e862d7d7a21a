"""What each declared event table means: which columns are the item, the user, the time and the value of an interaction."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError
from django.db.models import F, Field, Model, Q, QuerySet
from django.db.models.expressions import Combinable

from tandem.event_sync.columns import PathError, follow, is_annotation, is_generic, names_of, same_family, target_of
from tandem.events import Column, Event
from tandem.sources import ItemSource, all_sources

PARTS = ("item", "user", "time", "value", "request_id", "event")


class MirrorError(Exception):
    """A declared event table cannot be mirrored: `problem` says what is wrong, `fix` what to write."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}; {fix}")
        self.problem = problem
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Mirror:
    """One declared event table, with every column decided."""

    source: type[ItemSource]
    event: Event
    name: str  # unique among the declarations of the source
    model: type[Model]
    columns: Mapping[str, Column]  # part -> path, expression or function; parts that the table lacks are absent
    paths: Mapping[str, str]  # part -> path that the database reads for it: a foreign key is read as its row's id
    item_field: "Field[Any, Any] | None"  # how item ids are spelled
    user_prefix: str = ""
    content_type: Q | None = None  # of a generic foreign key, or one to a parent: rows about items of this model
    item_is_key: bool = False  # the column has the item's primary key, and the id of the catalogue is another field
    shared: bool = False  # another catalogue mirrors the same table under the same name

    @property
    def origin(self) -> str:
        """The declaration's name in the database."""
        return f"{self.source.catalogue}.{self.name}"

    def event_id(self, key: Any) -> UUID:
        """Return an id that is always the same for the same row, so that mirroring it twice counts once."""
        name = self.origin if self.shared else self.name
        return uuid5(NAMESPACE_URL, f"{self.model._meta.label_lower}:{name}:{key}")

    def rows(self, using: str | None = None) -> QuerySet[Any]:
        """Return the rows of the table that are declared, those that `when` and `gone` leave out included."""
        rows = table_of(self.event)
        rows = rows.using(using) if using else rows
        return rows if self.content_type is None else rows.filter(self.content_type)

    def live_rows(self, using: str | None = None) -> QuerySet[Any]:
        """Return the rows that are interactions now."""
        rows = self.rows(using)
        if self.event.when is not None:
            rows = rows.filter(self.event.when)
        return rows if self.event.gone is None else rows.exclude(self.event.gone)

    def functions(self) -> dict[str, Callable[[Any], Any]]:
        """Return the columns that are functions of the row."""
        return {part: column for part, column in self.columns.items() if callable(column)}

    def expressions(self) -> dict[str, Combinable]:
        """Return what the database reads, by part."""
        declared = {part: column for part, column in self.columns.items() if isinstance(column, Combinable)}
        return {part: F(path) for part, path in self.paths.items()} | declared


def table_of(event: Event) -> QuerySet[Any]:
    """Return all rows of the declared table."""
    table: Any = event.queryset
    table = getattr(table, "through", table)  # `Member.saved_jobs` stands for its table
    if isinstance(table, type) and issubclass(table, Model):
        return table._default_manager.all()
    rows = table() if callable(table) and not hasattr(table, "all") else table
    if not hasattr(rows, "all"):
        raise MirrorError("its `queryset` is not a model, a queryset or a function that returns one", "use Model.objects.all()")
    every: QuerySet[Any] = rows.all()
    return every


def declared_events(source: type[ItemSource]) -> Iterator[tuple[str, Event]]:
    """Yield the name and the declaration of each event table of a source."""
    listed = source.events
    pairs = listed.items() if isinstance(listed, Mapping) else (("", event) for event in listed)
    for key, table in pairs:
        event = table if isinstance(table, Event) else Event(table)
        event = replace(event, **_old_fields(source, key), event=event.event or key)
        yield event.name or key or (event.event if isinstance(event.event, str) else ""), event


def _old_fields(source: type[ItemSource], key: str) -> dict[str, Any]:
    """Return the columns that `event_fields` declares, as releases before 0.3 wrote them."""
    fields = dict(source.event_fields.get(key, {}))
    unknown = sorted(set(fields) - set(PARTS))
    if unknown:
        raise MirrorError(f"`event_fields` says '{unknown[0]}'", f"use {', '.join(PARTS[:-1])}")
    return fields


def mirror_of(source: type[ItemSource], name: str) -> Mirror:
    """Return the mirror of one declared event table. Raises MirrorError if it cannot be mirrored, KeyError if it is unknown.

    `name` is that of `Mirror.name`: in a catalogue with several models, "like-article".
    """
    for declared, event in declared_events(source):
        if name == declared or source.models:
            for mirror in mirrors_of(source, declared, event):
                if mirror.name == name:
                    return mirror
    raise KeyError(name)


def all_mirrors() -> list[Mirror]:
    """Return the mirrors of all event tables that can be mirrored; `manage.py check` reports the others."""
    mirrors = []
    for source in all_sources():
        try:
            declared = list(declared_events(source))
        except MirrorError:
            continue  # a check reports it with its fix; a site must be able to start to run the checks
        for name, event in declared:
            try:
                mirrors += mirrors_of(source, name, event)
            except (MirrorError, NotImplementedError, DatabaseError):
                continue  # as above; a `queryset` function may read tables that are not there before `migrate`
    return mirrors


def mirrors_of(source: type[ItemSource], name: str, event: Event) -> list[Mirror]:
    """Return the mirrors of one declaration: in a catalogue with several models, one for each that its rows are about.

    Raises MirrorError with the fix.
    """
    parts = _parts_about(source, event) if source.models else []
    return [build(part, name, event) for part in parts] or [build(source, name, event)]


def _parts_about(source: type[ItemSource], event: Event) -> list[type[ItemSource]]:
    """Return the models that the item column leads to; none if the column has whole ids, such as "article-5"."""
    rows = table_of(event)
    if not event.item:
        fitting = [part for part in source.parts() if _key_to(rows.model, [part.item_model()])]
    elif not isinstance(event.item, str) or is_annotation(rows, event.item):
        return []
    else:
        try:
            steps = follow(rows.model, event.item)
        except PathError as error:
            raise MirrorError(f"`item` is '{event.item}': {error.problem}", f"{error.fix}, or a function of the row") from None
        target = target_of(steps)
        if is_generic(steps[-1]):
            return list(source.parts())
        if target is None:
            return []
        fitting = [part for part in source.parts() if same_family(target, part.item_model())]
    if not fitting:
        models = ", ".join(part.item_model().__name__ for part in source.parts())
        path = f"'{event.item}' of {rows.model.__name__}" if event.item else f"no field of {rows.model.__name__}"
        raise MirrorError(f"{path} leads to an item; the items are {models}", "use a path that leads to one of them")
    return fitting


def build(source: type[ItemSource], name: str, event: Event) -> Mirror:
    """Decide every column of one declaration for one model. Raises MirrorError with the fix."""
    rows = table_of(event)
    if not name:
        raise MirrorError("it has no name", 'write event="like", the name of its event')
    shared = _is_shared(source, name, rows.model)
    if source.item_prefix:
        name = f"{name}-{source.item_prefix.strip('-_:./ ')}"
    columns = _columns(source, name, event, rows)
    paths = {part: column for part, column in columns.items() if isinstance(column, str)}
    mirror = Mirror(source, event, name, rows.model, columns, paths, _item_field(source), shared=shared)
    return _Columns(source, rows).resolved(mirror)


def _columns(source: type[ItemSource], name: str, event: Event, rows: QuerySet[Any]) -> dict[str, Column]:
    """Return the declared columns, and those that are chosen by their model or name."""
    model = rows.model
    columns: dict[str, Column] = {
        "item": event.item or (_key_to(model, [source.item_model()]) if not source.models else ""),
        "user": event.user
        or _key_to(model, [people.model for people in source.profiles])
        or _first(model, "user", "person")
        or _key_to(model, _accounts()),
        "time": event.time or _first(model, "created_at", "time"),
        "value": event.value or _first(model, "value"),
        "request_id": event.request_id or _first(model, "request_id"),
    }
    if event.event_map or not isinstance(event.event, str):
        columns["event"] = event.event
    for part in ("item", "user"):
        if not columns[part]:
            example = f'"{name}": Event({model.__name__}, {part}="...")'
            fix = f"say which column it is: {example}; {model.__name__} has {names_of(model)}"
            raise MirrorError(f"{model.__name__} has no field that is the {part}", fix)
    return {part: column for part, column in columns.items() if column}


@dataclass(frozen=True, slots=True)
class _Columns:
    """Turns the paths of one declaration into paths that give ids."""

    source: type[ItemSource]
    rows: QuerySet[Any]

    def resolved(self, mirror: Mirror) -> Mirror:
        """Return the mirror with paths that lead to ids, and what follows from where they lead."""
        for part, path in list(mirror.paths.items()):
            if is_annotation(self.rows, path):
                continue
            try:
                steps = follow(self.rows.model, path)
            except PathError as error:
                fix = f"{error.fix}, or a function of the row"
                raise MirrorError(f"`{part}` is '{path}': {error.problem}", fix) from None
            if part == "item":
                mirror = self._item(mirror, path, steps)
            elif target_of(steps) is not None or is_generic(steps[-1]):
                if part != "user":
                    raise MirrorError(f"`{part}` is '{path}', which is a relation", "name one of its fields")
                mirror = self._user(mirror, path, steps)
        return mirror

    def _item(self, mirror: Mirror, path: str, steps: list[Any]) -> Mirror:
        items = self.source.item_model()
        if is_generic(steps[-1]):
            start = path.rpartition("__")[0]
            kind = f"{start}__{steps[-1].ct_field}" if start else steps[-1].ct_field
            key = f"{start}__{steps[-1].fk_field}" if start else steps[-1].fk_field
            meta = (items._meta.concrete_model or items)._meta
            about = Q(**{f"{kind}__app_label": meta.app_label, f"{kind}__model": meta.model_name})
            is_key = self.source.item_id not in ("pk", meta.pk.name)
            paths = {**mirror.paths, "item": key}
            return replace(mirror, paths=paths, content_type=about, item_field=meta.pk, item_is_key=is_key)
        target = target_of(steps)
        if target is None:
            return mirror
        if not same_family(target, items):
            problem = f"`item` is '{path}', which leads to {target.__name__}; the items are {items.__name__}"
            raise MirrorError(problem, f"use a path that leads to {items.__name__}, such as '{path}__...'")
        if target is not items and issubclass(items, target) and self.source.item_prefix:
            about = Q(**{f"{path}__in": items._base_manager.values("pk")})  # else rows about the other children too
            mirror = replace(mirror, content_type=about)
        try:
            follow(target, self.source.item_id)
        except PathError:  # a foreign key to the parent of the items' model, which lacks the field
            return replace(mirror, paths={**mirror.paths, "item": f"{path}__pk"}, item_is_key=True)
        return replace(mirror, paths={**mirror.paths, "item": f"{path}__{self.source.item_id}"})

    def _user(self, mirror: Mirror, path: str, steps: list[Any]) -> Mirror:
        target = target_of(steps)
        if target is None:
            raise MirrorError(f"`user` is '{path}', which is a generic foreign key", "use a path to one model, or a function")
        family = {target._meta.label, *(parent._meta.label for parent in target._meta.get_parent_list())}
        prefix = next((prefix for label, prefix in self.source.id_prefixes.items() if label in family), "")
        return replace(mirror, paths={**mirror.paths, "user": f"{path}__pk"}, user_prefix=prefix)


def _item_field(source: type[ItemSource]) -> "Field[Any, Any] | None":
    if source.models:
        return None
    try:
        field = follow(source.item_model(), source.item_id)[-1]
    except PathError:
        return None
    return field if isinstance(field, Field) and not field.is_relation else None


def _is_shared(source: type[ItemSource], name: str, model: type[Model]) -> bool:
    """True if another catalogue mirrors the same table under the same name."""
    for other in all_sources():
        if other is source or other.catalogue == source.catalogue:
            continue
        try:
            if any(known == name and table_of(event).model is model for known, event in declared_events(other)):
                return True
        except MirrorError:
            continue  # a check reports it
    return False


def _accounts() -> list[type[Model]]:
    return [apps.get_model(settings.AUTH_USER_MODEL)] if apps.is_installed("django.contrib.auth") else []


def _key_to(model: type[Model], targets: list[type[Model]]) -> str:
    keys = [(field.name, field.related_model) for field in model._meta.fields if isinstance(field.related_model, type)]
    return next((name for target in targets for name, related in keys if same_family(related, target)), "")


def _first(model: type[Model], *names: str) -> str:
    known = {field.name for field in model._meta.fields}
    return next((name for name in names if name in known), "")
