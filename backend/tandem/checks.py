"""System checks of the `TANDEM` settings and of ItemSource declarations. Each message has a code, the place and the fix."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.utils.module_loading import import_string

from recommendation_service.errors import ArtifactRefused, ConfigurationError
from recommendation_service.publishing.reading import published
from recommendation_service.use_cases.schema import PairConfig, UseCase
from tandem.conf import settings_problems, tandem_settings
from tandem.event_sync.column_checks import column_problems
from tandem.event_sync.columns import same_family
from tandem.event_sync.mirror import MirrorError, declared_events, mirrors_of
from tandem.service_client import tokens
from tandem.service_client.client import RecommendationClient
from tandem.sources import ItemSource, all_sources, source_of, use_case_of
from tandem.use_cases import load, names

SEQUENCE_OPTIONS = ("text", "filters")
FIELD_OPTIONS = ("item_id", "title", "category", "tags", "created")
COLUMN_OPTIONS = ("numbers", "text_columns")


def register_all() -> None:
    """Make `manage.py check` run the checks of this file."""
    register(check_settings)
    register(check_sources, Tags.models)
    register(check_models, Tags.models, deploy=True)


def check_settings(app_configs: Any = None, **_options: Any) -> list[CheckMessage]:
    """Return every problem of the `TANDEM` dictionary."""
    problems = settings_problems()
    if problems:
        fix = "Fix: see docs/reference/settings.md for the keys and their types."
        return [Error(f"{key}: {message}.", hint=fix, id="tandem.E020") for key, message in problems]
    return [*_signing_keys(), *_user_id(), *_backend()]


def _signing_keys() -> Iterator[CheckMessage]:
    try:
        keys = tokens.key_ring()
    except ConfigurationError as error:
        yield Error(
            f"TANDEM['SIGNING_KEYS']: {error.message}.", hint="Fix: use the value of RS_SIGNING_KEYS.", id="tandem.E021"
        )
        return
    if not keys:
        message = "TANDEM['SIGNING_KEYS'] is empty: requests to the recommendation service carry no token."
        hint = (
            "Fix: set it to the value of RS_SIGNING_KEYS. Without it, the service must run with ENV=dev and RS_INSECURE_DEV=1."
        )
        yield Warning(message, hint=hint, id="tandem.W001")


def _user_id() -> Iterator[CheckMessage]:
    try:
        import_string(tandem_settings().user_id)
    except ImportError as error:
        yield Error(f"TANDEM['USER_ID']: {error}.", hint="Fix: use the path of a function that takes a user.", id="tandem.E022")


def _backend() -> Iterator[CheckMessage]:
    path = tandem_settings().backend
    try:
        known = issubclass(import_string(path), RecommendationClient)
    except (ImportError, TypeError):
        known = False
    if not known:
        hint = "Fix: leave it out, or use tandem.testing.Fake or another subclass of RecommendationClient."
        yield Error(f"TANDEM['BACKEND']: {path} is not a client of the service.", hint=hint, id="tandem.E023")


def check_sources(app_configs: Any = None, **_options: Any) -> list[CheckMessage]:
    """Return every problem of every declared source, by catalogue; nothing while the settings are wrong."""
    if settings_problems():
        return []
    return [problem for source in all_sources() for problem in _problems_or_crash(source)]


def check_models(app_configs: Any = None, **_options: Any) -> list[CheckMessage]:
    """Return the warnings of every published model of the declared sources, and what makes one unreadable.

    It reads the models, so it runs with `manage.py check --deploy` only.
    """
    if settings_problems():
        return []
    return [message for source in all_sources() for message in _model_warnings(source.catalogue)]


def _model_warnings(catalogue: str) -> Iterator[CheckMessage]:
    models_dir = tandem_settings().models_dir
    for pointer in sorted((models_dir / catalogue).glob("*.current")):
        try:
            artifact = published(models_dir, catalogue, pointer.stem)
        except ArtifactRefused as error:
            hint = f"Fix: tandem models rollback {pointer.stem} --catalogue {catalogue}, or train again."
            yield Warning(f"{catalogue}: {error.message}.", hint=hint, id="tandem.W003")
            continue
        if artifact is None:
            continue
        hint = "Fix: train again, or go back to an earlier version; tandem models lists them."
        for warning in artifact.manifest.warnings:
            yield Warning(f"{catalogue}: {artifact.version}: {warning}.", hint=hint, id="tandem.W002")


def _problems_or_crash(source: type[ItemSource]) -> Iterator[CheckMessage]:
    try:
        yield from problems_of(source)
    except Exception as error:  # a declaration is the site's own code, and `check` must report the others too
        yield _error("E012", source, f"cannot be checked: {type(error).__name__}: {error}", "correct the declaration")


def problems_of(source: type[ItemSource]) -> Iterator[CheckMessage]:
    """Yield every problem of one declaration."""
    use_case, problem = _use_case(source)
    if problem is not None:
        yield problem
    problems = list(_wrong_models(source))
    yield from problems
    if problems:
        return
    for part in source.parts():
        if not part.text and not part.title:
            where = f"names neither `text` nor `title`{_of_part(part)}"
            yield _error("E004", source, where, 'set text = ("name", ...), the fields with text')
        yield from _unknown_fields(source, part)
    yield from _unknown_profile_fields(source)
    yield from _wrong_events(source, use_case)
    yield from _wrong_pairs(source, use_case)


def _use_case(source: type[ItemSource]) -> tuple[UseCase | None, CheckMessage | None]:
    name, folder = use_case_of(source), tandem_settings().use_cases_dir
    if name not in names():
        others = f"; the files there are {', '.join(names())}" if names() else ""
        fix = f"write {folder / name}.toml (docs/quickstart.md shows one), or set TANDEM['USE_CASES_DIR']{others}"
        return None, _error("E001", source, f"use case '{name}' has no file", fix)
    try:
        use_case = load(name)
    except ConfigurationError as error:
        return None, _error("E001", source, f"its use case cannot be read: {error.message}", f"correct {folder / name}.toml")
    if source.catalogue not in use_case.catalogues:
        fix = f"use one of {', '.join(use_case.catalogues)}"
        return use_case, _error("E002", source, f"use case '{name}' has no such catalogue", fix)
    return use_case, None


def _wrong_models(source: type[ItemSource]) -> Iterator[CheckMessage]:
    """Yield what keeps the items from being read."""
    fix = "set queryset = YourModel.objects.all(), or a function that returns it"
    if source.models and "queryset" in source.__dict__:
        yield _error("E003", source, "has both `queryset` and `models`", "keep one of them")
        return
    for part in source.parts():
        try:
            items = part.items()
        except NotImplementedError:
            yield _error("E003", source, "has no `queryset`", f"{fix}; or models = (Items(...), ...)")
            return
        if not hasattr(items, "model"):
            yield _error("E003", source, "has a `queryset` that is not a queryset", fix)
            return
    prefixes = [part.item_prefix for part in source.parts()]
    for prefix in sorted({prefix for prefix in prefixes if prefixes.count(prefix) > 1}):
        yield _error("E013", source, f"has two models with the prefix '{prefix}'", 'give one another: Items(..., prefix="x-")')
    models = [part.item_model() for part in source.parts()]
    for index, model in enumerate(models):
        for other in models[:index]:
            if same_family(model, other):
                problem = f"has {other.__name__} and {model.__name__} in `models`, which share rows"
                yield _error("E013", source, problem, "keep one of them; a queryset may have rows of both")


def _of_part(part: type[ItemSource]) -> str:
    return f" for {part.item_model().__name__}" if part.item_prefix else ""


def _unknown_fields(source: type[ItemSource], part: type[ItemSource]) -> Iterator[CheckMessage]:
    model = part.item_model()
    options = [(option, path) for option in SEQUENCE_OPTIONS for path in getattr(part, option)]
    options += [(option, getattr(part, option)) for option in FIELD_OPTIONS if getattr(part, option)]
    options += [(option, path) for option in COLUMN_OPTIONS for path in getattr(part, option).values()]
    for option, path in options:
        missing = missing_step(model, path)
        if missing is not None:
            yield _error("E005", source, f"`{option}` names '{path}', which {missing}", _known(model))


def _unknown_profile_fields(source: type[ItemSource]) -> Iterator[CheckMessage]:
    """A profile field must exist in at least one of the models in `profiles`."""
    models = [people.model for people in source.profiles]
    for path in source.profile_fields if models else ():
        missing = [missing_step(model, path) for model in models]
        if all(missing):
            yield _error("E007", source, f"`profile_fields` names '{path}', which {missing[0]}", _known(models[0]))


def _wrong_events(source: type[ItemSource], use_case: UseCase | None) -> Iterator[CheckMessage]:
    for shown in source.page_events:
        yield from _unknown_event(source, use_case, "page_events", shown)
    try:
        declared = list(declared_events(source))
    except MirrorError as error:
        yield _error("E008", source, f"its event tables cannot be mirrored: {error.problem}", error.fix)
        return
    names: list[str] = []
    for name, event in declared:
        for used in event.event_map.values() or [event.event]:
            if isinstance(used, str):
                yield from _unknown_event(source, use_case, "events", used)
        try:
            mirrors = mirrors_of(source, name, event)
            problems = [problem for mirror in mirrors for problem in column_problems(mirror)]
        except MirrorError as error:
            mirrors, problems = [], [error]
        own = [mirror.name for mirror in mirrors] or [name]
        if not set(names).isdisjoint(own):
            twice = f"two tables of `events` are named '{name}'"
            yield _error("E008", source, twice, 'give one another name: Event(..., name="...")')
        names += own
        for problem in problems:
            yield _error("E008", source, f"the table of event '{name}' cannot be mirrored: {problem.problem}", problem.fix)


def _unknown_event(source: type[ItemSource], use_case: UseCase | None, option: str, event: str) -> Iterator[CheckMessage]:
    if use_case is not None and event not in use_case.events:
        fix = f"use one of {', '.join(use_case.events)}, or give it a weight in {use_case_of(source)}.toml"
        yield _error("E006", source, f"`{option}` names the event '{event}', which its use case does not", fix)


def _wrong_pairs(source: type[ItemSource], use_case: UseCase | None) -> Iterator[CheckMessage]:
    """Both sides must be declared and have columns; the columns are checked where both sides are declared by field names."""
    pair_config = None if use_case is None else use_case.pairs
    if use_case is None or pair_config is None or source.catalogue not in (pair_config.left, pair_config.right):
        return
    if source.models:
        yield _error(
            "E009", source, f"is paired in {use_case.name}.toml and has several models", "pair catalogues of one model"
        )
        return
    if not _has_side(source):
        fix = 'set numbers = {"column": "field"} and text_columns = {...}, or write `side`'
        yield _error("E009", source, f"is paired in {use_case.name}.toml and has no columns to score pairs by", fix)
    other = pair_config.right if source.catalogue == pair_config.left else pair_config.left
    partner = source_of(other)
    if partner is None:
        fix = f'declare an ItemSource with catalogue = "{other}" and use_case = "{use_case.name}"'
        yield _error("E010", source, f"is paired with the catalogue '{other}', which no ItemSource declares", fix)
    elif source.catalogue == pair_config.right and _by_fields(source) and _by_fields(partner):
        yield from _unknown_columns(source, partner, pair_config)


def _unknown_columns(source: type[ItemSource], partner: type[ItemSource], pair_config: PairConfig) -> Iterator[CheckMessage]:
    columns = {
        "numbers": {*source.numbers, *partner.numbers, *pair_config.derived},
        "text_columns": {*source.text_columns, *partner.text_columns},
    }
    required = [("numbers", feature.name) for feature in pair_config.features] + [
        ("text_columns", name) for name in pair_config.embedding_columns
    ]
    for option, name in required:
        if name not in columns[option]:
            fix = f"name its field in `{option}` of one of the two, or use one of {', '.join(sorted(columns[option]))}"
            yield _error("E011", source, f"is paired by '{name}', which neither it nor '{partner.catalogue}' has", fix)


def _has_side(source: type[ItemSource]) -> bool:
    return bool(source.numbers or source.text_columns) or not _by_fields(source)


def _by_fields(source: type[ItemSource]) -> bool:
    """True unless the source overrides `side`: its columns are then those of `numbers` and `text_columns`."""
    return source.side.__func__ is ItemSource.side.__func__  # type: ignore[attr-defined]  # bound methods have it


def missing_step(model: type[Model], path: str) -> str | None:
    """Return why a field path cannot be followed from a model, or None if it can."""
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
    return f"{model.__name__} has {', '.join(sorted(field.name for field in model._meta.get_fields()))}"


def _error(code: str, source: type[ItemSource], problem: str, fix: str) -> CheckMessage:
    where = f"{source.__module__}.{source.__name__} (catalogue '{source.catalogue}')"
    return Error(f"{where}: {problem}.", hint=f"Fix: {fix}.", obj=source, id=f"tandem.{code}")
