"""Writes the declaration and the use-case file of a project, from what introspection found."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Model
from django.template import Context, Engine

from tandem.scaffold import names
from tandem.scaffold.introspection import EventTable, ItemModel
from tandem.scaffold.visibility import Rule

WIDTH = 110
HEADER = '"""What Tandem recommends on this site, and what users did. docs/guides/events.md explains each part."""'
VIEWS = ("view",)  # events that every use case has, so that pages can send them
FRESH = ("content", "social")  # presets whose new items go first
TEMPLATE = Path(__file__).with_name("use_case.toml.template")


def declaration(item: ItemModel, *, catalogue: str) -> str:
    """Return the text of recommendation_sources.py."""
    models = [item.model, *(table.through[0] if table.through else table.model for table in item.events)]
    models += [
        rule.through[0] if rule.through else rule.table for rule in item.visibility if rule.table is not get_user_model()
    ]
    people = item.people or get_user_model()
    if people is not get_user_model():
        models.append(people)
    aliases = _aliases(models)
    lines = [
        f"class {_camel(catalogue)}(ItemSource):",
        f'    catalogue = "{catalogue}"',
        f"    queryset = {_queryset(item, aliases)}",
    ]
    lines += [f"    {line}" for line in _columns(item)]
    lines += ["    events = {", *(f"        {_event(table, item, aliases)}," for table in item.events), "    }"]
    who = "get_user_model()" if people is get_user_model() else aliases[people]
    lines.append(f"    profiles = ({who}.objects.all(),)")
    lines += _visible_to(item, people, aliases)
    body = "\n".join(lines)
    return f"{HEADER}\n\n{_imports(body, aliases)}\n\n\n{body}\n"


def _visible_to(item: ItemModel, people: type[Model], aliases: Mapping[type[Model], str]) -> list[str]:
    """Return the lines of `visible_to`: tenants show their items to their members only, and blocks hide items both ways."""
    if not item.visibility:
        return []
    account = "" if people is get_user_model() else _account_of(people)
    limited = any(rule.shown for rule in item.visibility)
    nobody = "Q(pk__in=[])" if limited else "None"
    return [
        "",
        "    @classmethod",
        "    def visible_to(cls, user):",
        "        person = None if user is None else cls.person(user)",
        "        if person is None:",
        f"            return {nobody}" + ("  # a visitor belongs to no tenant" if limited else ""),
        f"        visible = {_condition(item.visibility[0], account, aliases)}",
        *(f"        visible &= {_condition(rule, account, aliases)}" for rule in item.visibility[1:]),
        "        return visible",
    ]


def _condition(rule: Rule, account: str, aliases: Mapping[type[Model], str]) -> str:
    table = "get_user_model()" if rule.table is get_user_model() else aliases[rule.through[0] if rule.through else rule.table]
    table += f".{rule.through[1]}.through" if rule.through else ""
    viewer = f"person.{account}_id" if account else "person.pk"
    rows = f'{table}.objects.filter({rule.person}={viewer}).values("{rule.target}")'
    return f"{'' if rule.shown else '~'}Q({rule.item}__in={rows})"


def _account_of(people: type[Model]) -> str:
    """Return the field of a profile that leads to the Django user."""
    return next(entry.name for entry in people._meta.fields if entry.one_to_one and entry.related_model is get_user_model())


def _imports(body: str, aliases: Mapping[type[Model], str]) -> str:
    django = [
        ("get_user_model()", "from django.contrib.auth import get_user_model"),
        ("Q(", "from django.db.models import Q"),
        ("Coalesce(", "from django.db.models.functions import Coalesce"),
    ]
    tandem = [("Event(", "from tandem.events import Event"), ("ItemSource", "from tandem.sources import ItemSource")]
    modules: dict[str, list[str]] = {}
    for model, alias in aliases.items():
        modules.setdefault(model.__module__, []).append(_imported(model, alias))
    own = [f"from {module} import {', '.join(sorted(imported))}" for module, imported in sorted(modules.items())]
    groups = [[line for sign, line in django if sign in body], [line for sign, line in tandem if sign in body], own]
    return "\n\n".join("\n".join(group) for group in groups if group)


def _imported(model: type[Model], alias: str) -> str:
    return model.__name__ if alias == model.__name__ else f"{model.__name__} as {alias}"


def _aliases(models: Sequence[type[Model]]) -> dict[type[Model], str]:
    """Return a name for every model; models of two apps that share a name get the app's name before theirs."""
    chosen = list(dict.fromkeys(models))
    shared = {model.__name__ for model in chosen if sum(other.__name__ == model.__name__ for other in chosen) > 1}
    return {
        model: f"{_camel(model._meta.app_label)}{model.__name__}" if model.__name__ in shared else model.__name__
        for model in chosen
    }


def _queryset(item: ItemModel, aliases: Mapping[type[Model], str]) -> str:
    text = f"{aliases[item.model]}.objects"
    text += f".filter({_lookups(item.where)})" if item.where else ".all()"
    text += f".select_related({_quoted(item.related)})" if item.related else ""
    return text + (f".prefetch_related({_quoted(item.many)})" if item.many else "")


def _columns(item: ItemModel) -> list[str]:
    values = {"text": item.text, "category": item.category, "tags": item.tags, "created": item.created, "filters": item.filters}
    return [f"{name} = {_value(value)}" for name, value in values.items() if value]


def _event(table: EventTable, item: ItemModel, aliases: Mapping[type[Model], str]) -> str:
    if table.through:
        model, name = table.through
        source = f"{aliases[model]}.{name}.through"
    else:
        source = aliases[table.model]
    path = f'Coalesce("{table.item}__{item.parent}", "{table.item}")' if table.parent else f'"{table.item}"'
    arguments = {"item": path, "user": f'"{table.user}"'}
    arguments |= {name: f'"{value}"' for name, value in (("time", table.time), ("value", table.value)) if value}
    if table.name != table.event and not table.kinds:
        arguments["event"] = f'"{table.event}"'
    if table.kinds:
        arguments |= {"event": f'"{table.kind}"', "event_map": repr(table.kinds)}
    if table.gone:
        arguments["gone"] = " | ".join(f"Q({_lookups({name: value})})" for name, value in table.gone.items())
    pairs = [f"{name}={value}" for name, value in arguments.items()]
    text = f'"{table.name}": Event({source}, {", ".join(pairs)})'
    if len(text) + 8 <= WIDTH:
        return text
    inner = "".join(f"            {pair},\n" for pair in pairs)
    return f'"{table.name}": Event(\n            {source},\n{inner}        )'


def use_case(item: ItemModel, *, catalogue: str, preset: str) -> str:
    """Return the text of the use-case file."""
    happened = _events(item)
    weights = [{"name": name, "weight": names.weight_of(name), "rated": rated} for name, rated in happened.items()]
    context = {
        "preset": preset,
        "catalogue": catalogue,
        "title": catalogue.replace("_", " ").capitalize(),
        "events": weights,
        "neutral": names.NEUTRAL_RATING,
        "half_life_days": 60 if preset in FRESH else 180,
        "conversions": [name for name in happened if name not in VIEWS and names.weight_of(name) > 0],
        "bought": preset == "shop" and "purchase" in happened,
        "fresh": preset in FRESH,
    }
    return Engine(autoescape=False).from_string(TEMPLATE.read_text(encoding="utf-8")).render(Context(context))


def _events(item: ItemModel) -> dict[str, bool]:
    """Return every event of the tables, and whether it has a rating; views and refusals are there for pages to send."""
    happened = dict.fromkeys(VIEWS, False)
    for table in item.events:
        for event in dict.fromkeys(table.kinds.values()) if table.kinds else (table.event,):
            happened[event] = happened.get(event, False) or bool(table.value)
    return {**happened, "dismiss": False}


def _lookups(where: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_value(value)}" for name, value in where.items())


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({_quoted(value)}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        return f"[{_quoted(value)}]"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _quoted(values: Any) -> str:
    return ", ".join(_value(value) for value in values)


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
