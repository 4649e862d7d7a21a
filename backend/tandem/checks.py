"""`manage.py check`: wrong ItemSource declarations, each with a code, the place, and the fix."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model

from recommendation_service.errors import ConfigurationError
from recommendation_service.use_cases.schema import Pairing, UseCase
from tandem.event_sync import MirrorError, mirror_of
from tandem.sources import ItemSource, all_sources, source_of, use_case_of
from tandem.use_cases import load, names

FIELD_OPTIONS = ("text", "filters")
COLUMN_OPTIONS = ("numbers", "words")
WORD_OPTIONS = ("item_id", "title", "category", "tags", "created")


def register_all() -> None:
    """Make `manage.py check` run the checks of this file."""
    register(check_sources, Tags.models)


def check_sources(app_configs: Any = None, **_options: Any) -> list[CheckMessage]:
    """Every problem of every declared source, by catalogue."""
    return [problem for source in all_sources() for problem in problems_of(source)]


def problems_of(source: type[ItemSource]) -> Iterator[CheckMessage]:
    """Every problem of one declaration."""
    use_case, problem = _use_case(source)
    if problem is not None:
        yield problem
    model, problem = _model(source)
    if problem is not None:
        yield problem
        return
    if not source.text and not source.title:
        yield _error("E004", source, "names neither `text` nor `title`", 'set text = ("name", ...) so that items have words')
    yield from _unknown_fields(source, model)
    yield from _unknown_profile_fields(source)
    yield from _wrong_events(source, use_case)
    yield from _wrong_pairing(source, use_case)


def _use_case(source: type[ItemSource]) -> tuple[UseCase | None, CheckMessage | None]:
    name = use_case_of(source)
    if name not in names():
        return None, _error("E001", source, f"use case '{name}' has no file", f"use one of {', '.join(names())}")
    try:
        use_case = load(name)
    except ConfigurationError as error:
        return None, _error("E001", source, f"its use case cannot be read: {error.message}", "mend that file")
    if source.catalogue not in use_case.catalogues:
        known = ", ".join(use_case.catalogues)
        return use_case, _error("E002", source, f"use case '{name}' has no such catalogue", f"use one of {known}")
    return use_case, None


def _model(source: type[ItemSource]) -> tuple[type[Model], CheckMessage | None]:
    fix = "set queryset = YourModel.objects.all(), or a function that gives it"
    try:
        found = source.items()
    except NotImplementedError:
        return Model, _error("E003", source, "has no `queryset`", fix)
    if not hasattr(found, "model"):
        return Model, _error("E003", source, "has a `queryset` that is not a queryset", fix)
    return found.model, None


def _unknown_fields(source: type[ItemSource], model: type[Model]) -> Iterator[CheckMessage]:
    options = [(option, name) for option in FIELD_OPTIONS for name in getattr(source, option)]
    options += [(option, getattr(source, option)) for option in WORD_OPTIONS if getattr(source, option)]
    options += [(option, name) for option in COLUMN_OPTIONS for name in getattr(source, option).values()]
    for option, path in options:
        missing = missing_step(model, path)
        if missing is not None:
            yield _error("E005", source, f"`{option}` names '{path}', which {missing}", _known(model))


def _unknown_profile_fields(source: type[ItemSource]) -> Iterator[CheckMessage]:
    """A profile field must exist on at least one kind of person: developers have skills, investors have stages."""
    models = [people.model for people in source.profiles]
    for path in source.profile_fields if models else ():
        missing = [missing_step(model, path) for model in models]
        if all(missing):
            yield _error("E007", source, f"`profile_fields` names '{path}', which {missing[0]}", _known(models[0]))


def _wrong_events(source: type[ItemSource], use_case: UseCase | None) -> Iterator[CheckMessage]:
    known: Iterable[str] = use_case.events if use_case else (*source.events, *source.page_events)
    for option, events in (("events", source.events), ("page_events", source.page_events)):
        for event in events:
            if event not in known:
                fix = f"use one of {', '.join(known)}, or give it a weight in {use_case_of(source)}.toml"
                yield _error("E006", source, f"`{option}` names the event '{event}', which its use case does not", fix)
    for event, model in source.events.items():
        try:
            mirror_of(source, event, model)
        except MirrorError as error:
            yield _error("E008", source, f"the table of event '{event}' cannot be mirrored: {error.problem}", error.fix)


def _wrong_pairing(source: type[ItemSource], use_case: UseCase | None) -> Iterator[CheckMessage]:
    """Both sides must be declared and say something; columns are compared where both are declared by field names."""
    pairing = None if use_case is None else use_case.pairing
    if use_case is None or pairing is None or source.catalogue not in (pairing.first, pairing.second):
        return
    if not _has_side(source):
        fix = 'set numbers = {"column": "field"} and words = {...}, or write `side`'
        yield _error("E009", source, f"is paired in {use_case.name}.toml and says nothing that pairs are scored by", fix)
    other = pairing.second if source.catalogue == pairing.first else pairing.first
    met = source_of(other)
    if met is None:
        fix = f'declare an ItemSource with catalogue = "{other}" and use_case = "{use_case.name}"'
        yield _error("E010", source, f"is paired with the catalogue '{other}', which nothing declares", fix)
    elif source.catalogue == pairing.second and _by_fields(source) and _by_fields(met):
        yield from _unknown_columns(source, met, pairing)


def _unknown_columns(source: type[ItemSource], met: type[ItemSource], pairing: Pairing) -> Iterator[CheckMessage]:
    numbers, words = {*source.numbers, *met.numbers, *pairing.derived}, {*source.words, *met.words}
    read = [("numbers", one.name, numbers) for one in pairing.features]
    read += [("words", name, words) for name in pairing.embedded]
    for option, name, known in read:
        if name not in known:
            fix = f"name its field in `{option}` of one of the two, or use one of {', '.join(sorted(known))}"
            yield _error("E011", source, f"is paired by '{name}', which neither it nor '{met.catalogue}' has", fix)


def _has_side(source: type[ItemSource]) -> bool:
    return bool(source.numbers or source.words) or not _by_fields(source)


def _by_fields(source: type[ItemSource]) -> bool:
    """Whether its side is made of `numbers` and `words` alone."""
    return source.side.__func__ is ItemSource.side.__func__  # type: ignore[attr-defined]  # bound methods have it


def missing_step(model: type[Model], path: str) -> str | None:
    """Why a field path cannot be followed from a model, or None when it can."""
    for step in path.split("__"):
        if step == "pk":
            return None
        try:
            field = model._meta.get_field(step)
        except FieldDoesNotExist:
            return None if hasattr(model, step) else f"{model.__name__} does not have"
        related = getattr(field, "related_model", None)
        if not isinstance(related, type):
            return None
        model = related
    return None


def _known(model: type[Model]) -> str:
    fields: Sequence[str] = sorted(field.name for field in model._meta.get_fields())
    return f"{model.__name__} has {', '.join(fields)}"


def _error(code: str, source: type[ItemSource], what: str, fix: str) -> CheckMessage:
    where = f"{source.__module__}.{source.__name__} (catalogue '{source.catalogue}')"
    return Error(f"{where}: {what}.", hint=f"Fix: {fix}.", obj=source, id=f"recs.{code}")
