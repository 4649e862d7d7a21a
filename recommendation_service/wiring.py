"""Builds the service from its parts. This is the only module that imports all of them."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from recommendation_service.domain.answer import Skip
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.engines.base import Engine
from recommendation_service.engines.ensemble import Ensemble
from recommendation_service.engines.router import Policy
from recommendation_service.errors import ArtifactRefused, ConfigurationError
from recommendation_service.estimators.base import Estimator
from recommendation_service.histories.snapshot import SnapshotHistories
from recommendation_service.kinds import KINDS, Kind, factories
from recommendation_service.pipeline.resolve import HistorySource
from recommendation_service.publishing.store import Artifact
from recommendation_service.rankers.base import Ranker
from recommendation_service.services.recommendation_service import RecommendationService
from recommendation_service.services.runtime import CatalogueRuntime, Runtime, UseCaseRuntime
from recommendation_service.services.serving import (
    Export,
    LoadedCatalogue,
    ServingSnapshot,
    ServingState,
    damaged_kinds,
    load_catalogue,
    pinned,
    state_token,
)
from recommendation_service.settings import Settings
from recommendation_service.use_cases.blends import in_order
from recommendation_service.use_cases.loader import load_file, names
from recommendation_service.use_cases.options import checked, find_kind
from recommendation_service.use_cases.overrides import apply_overrides
from recommendation_service.use_cases.schema import PairConfig, UseCase

log = logging.getLogger(__name__)
Built = TypeVar("Built", Engine, Estimator)
PAIR_CONFIG = "pair_config"  # what a file says once for all kinds that are about pairs

ENGINES: Mapping[str, Callable[..., Engine]] = factories("engine")
"""Kind -> (name, its published model if it needs one, catalogue, **options); ensembles: (name, engines, weights)."""

ESTIMATORS: Mapping[str, Callable[..., Estimator]] = factories("estimator")
"""Kind -> (name, its published model, *, pair_config, **options)."""

RANKERS: Mapping[str, Callable[..., Ranker | Skip | None]] = factories("ranker")
"""Kind -> (name, its published model or None, catalogue, settings, **options): the ranker; None: not configured or not
trained yet; a Skip: configured, and cannot be used."""

BANDIT = "bandit"
INDEX = "_index"  # what the kind of a model's index is called after the model's own


def watched_kinds(use_case: UseCase, catalogue: str) -> set[str]:
    """Return the kinds of models that the engines, rankers, routers and estimators of a catalogue read."""
    parts = (*use_case.engines.values(), *use_case.rankers.values())
    kinds = {part.kind for part in parts if _needs_model(part.kind, about_pairs=False)}
    kinds |= {f"{part.kind}{INDEX}" for part in use_case.engines.values() if part.options.get("index") == "faiss"}
    kinds |= {surface.router.kind for surface in use_case.surfaces.values() if surface.router.kind == BANDIT}
    return kinds | (kinds_of_pairs(use_case) if _keeps_pairs(use_case) == catalogue else set())


def _needs_model(kind: str, *, about_pairs: bool) -> bool:
    """Return True if this kind has a published model. Unknown kinds count, so that building them reports the error."""
    row = KINDS.get(kind, Kind())
    return row.needs_model and row.about_pairs == about_pairs


def kinds_of_pairs(use_case: UseCase) -> set[str]:
    """Return the kinds of pair models. They are published once and serve both catalogues."""
    engines = {part.kind for part in use_case.engines.values() if _needs_model(part.kind, about_pairs=True)}
    return engines | {part.kind for part in use_case.estimators.values()}


def _keeps_pairs(use_case: UseCase) -> str | None:
    return None if use_case.pairs is None else use_case.pairs.right


def build_rankers(
    use_case: UseCase, catalogue: Catalogue, artifacts: Mapping[str, Artifact], settings: Settings
) -> dict[str, Ranker | Skip]:
    """Return the rankers of a use case by name. A Skip replaces a ranker that is configured and cannot be used."""
    built: dict[str, Ranker | Skip] = {}
    for name, part in use_case.rankers.items():
        where = f"{use_case.name}: ranker '{name}', {part.kind}"
        make = find_kind(RANKERS, part.kind, where=where)
        options = checked(make, part.options, where=where)
        try:
            ranker = make(name, artifacts.get(part.kind), catalogue, settings, **options)
        except ArtifactRefused as error:
            log.error("ranker %s is left out: %s", name, error.message)
            ranker = Skip(
                engine=name, code="refused", detail=f"the published model of {name} was refused; train it again or roll back"
            )
        if ranker is not None:
            built[name] = ranker
    return built


def build_engines(
    use_case: UseCase, catalogue: Catalogue, artifacts: Mapping[str, Artifact], damaged: Collection[str] = ()
) -> dict[str, Engine]:
    """Return the engines of a use case for one catalogue, by name, without those whose model is missing or refused.

    `artifacts` are models by kind. `damaged` are the kinds whose model cannot be read. Ensembles come last, members
    before the ensembles that use them. Raises ConfigurationError for unknown kinds, options and members.
    """
    built: dict[str, Engine] = {}
    blends: dict[str, dict[str, Any]] = {}
    for name, part in use_case.engines.items():
        where = f"{use_case.name}: engine '{name}', {part.kind}"
        make = find_kind(ENGINES, part.kind, where=where)
        options = checked(make, part.options, where=where, given=(PAIR_CONFIG,))
        if KINDS[part.kind].about_pairs:
            options[PAIR_CONFIG] = _pair_config(use_case, where)
        if part.kind == "ensemble":
            blends[name] = options
        elif not KINDS[part.kind].needs_model:
            built[name] = make(name, catalogue, **options)
        elif part.kind in artifacts:
            beside = (artifacts.get(f"{part.kind}{INDEX}"),) if options.get("index") == "faiss" else ()
            _add(built, name, partial(make, name, artifacts[part.kind], catalogue, *beside, **options))
    weights = WEIGHTS_REFUSED if "ensemble" in damaged else artifacts.get("ensemble")
    for name in in_order(use_case):
        ensemble = _ensemble(name, dict(built), weights, blends[name])
        if ensemble is not None:
            built[name] = ensemble
    return built


WEIGHTS_REFUSED = Skip(
    engine="ensemble",
    code="refused",
    detail="the learned weights are damaged and were refused, so the stated ones serve; run: train_all",
)


def _ensemble(
    name: str, built: Mapping[str, Engine], weights: Artifact | Skip | None, options: Mapping[str, Any]
) -> Ensemble | None:
    """Return an ensemble of the available engines, or None if it has too few members before its first training."""
    if options.get("weights") != "learned":
        return Ensemble.from_members(name, built, **options)
    if isinstance(weights, Artifact):
        try:
            return Ensemble.from_members(name, built, weights, **options)
        except ArtifactRefused as error:
            log.error("the learned weights of %s are left out, its stated ones serve: %s", name, error.message)
            weights = WEIGHTS_REFUSED
    skip = None if weights is None else weights.model_copy(update={"engine": name})
    ensemble = Ensemble.from_members(name, built, skip, **options)
    return ensemble if ensemble.has_enough_members else None


def build_estimators(use_case: UseCase, artifacts: Mapping[str, Artifact]) -> dict[str, Estimator]:
    """Return the estimators of a use case by name, without those whose model is missing or refused.

    `artifacts` are the pair models by kind. Raises ConfigurationError for unknown kinds and options.
    """
    built: dict[str, Estimator] = {}
    for name, part in use_case.estimators.items():
        where = f"{use_case.name}: estimator '{name}', {part.kind}"
        make = find_kind(ESTIMATORS, part.kind, where=where)
        options = {**checked(make, part.options, where=where, given=(PAIR_CONFIG,)), PAIR_CONFIG: _pair_config(use_case, where)}
        if part.kind in artifacts:
            _add(built, name, partial(make, name, artifacts[part.kind], **options))
    return built


def _pair_config(use_case: UseCase, where: str) -> PairConfig:
    if use_case.pairs is None:
        raise ConfigurationError(f"{where} is about pairs, and the file says nothing of them; add [pairs]")
    return use_case.pairs


def _add(built: dict[str, Built], name: str, make: Callable[[], Built]) -> None:
    try:
        built[name] = make()
    except ArtifactRefused as error:
        log.error("%s is left out: %s", name, error.message)


def served_use_cases(settings: Settings) -> dict[str, UseCase]:
    """Return the use cases named by RS_USE_CASES, or all that have a file. Raises ConfigurationError for unknown names."""
    known = names(settings.use_cases_dir)
    if not known:
        fix = "set it to the folder of your use-case files, such as use_cases/"
        raise ConfigurationError(f"RS_USE_CASES_DIR: no *.toml file in {settings.use_cases_dir}; {fix}")
    wanted = [name.strip() for name in settings.use_cases.split(",") if name.strip()] or list(known)
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise ConfigurationError(f"RS_USE_CASES: no file for {', '.join(unknown)}; there are {', '.join(known)}")
    return {name: apply_overrides(load_file(settings.use_cases_dir / f"{name}.toml"), settings) for name in wanted}


@dataclass(frozen=True, slots=True)
class Observers:
    """Functions to call if a model is refused, the snapshot is replaced or a history is unavailable. Default: none."""

    refused: Callable[[str, str], None] = lambda _catalogue, _kind: None
    swapped: Callable[[], None] = lambda: None
    history_failed: Callable[[], None] = lambda: None


def build_live(settings: Settings, observers: Observers | None = None) -> ServingState:
    """Load and verify everything that this process serves, and return it. Call `watch` on the result to follow new versions."""
    observers = observers or Observers()
    use_cases = served_use_cases(settings)
    catalogues = sorted({name for use_case in use_cases.values() for name in use_case.catalogues})
    kinds: dict[str, set[str]] = {name: set() for name in catalogues}
    for use_case in use_cases.values():
        for name in use_case.catalogues:
            kinds[name] |= watched_kinds(use_case, name)
    loaded_catalogues = {
        name: load_catalogue(settings, name, sorted(watched), observers.refused) for name, watched in kinds.items()
    }
    histories = histories_of(settings, failed=observers.history_failed)
    return ServingState(
        use_cases,
        loaded_catalogues,
        partial(assemble, settings, use_cases, histories, pinned(settings)),
        swapped=observers.swapped,
    )


def histories_of(settings: Settings, *, failed: Callable[[], None] = lambda: None) -> Callable[[Export], HistorySource]:
    """Return the function that makes the source of histories of an export: the live database if configured, else the export."""
    url = database_url(settings)
    if not url:
        return lambda export: SnapshotHistories(export.dataset)
    from recommendation_service.histories import database  # SQLAlchemy costs 12 MB that most servers need not pay

    pool = database.open_database(url, connections=settings.threads, statement_timeout_ms=settings.statement_timeout_ms)

    def live_histories(export: Export) -> HistorySource:
        snapshot = SnapshotHistories(export.dataset)
        return database.DatabaseHistories(pool, export.catalogue.name, snapshot, failed=failed)

    return live_histories


def database_url(settings: Settings) -> str:
    """Return RS_DATABASE_URL, or a URL made of RS_DB_HOST and the related variables; empty if neither is set."""
    stated = settings.database_url.get_secret_value()
    if stated or not settings.db_host:
        return stated
    user, password = quote(settings.db_user, safe=""), quote(settings.db_password.get_secret_value(), safe="")
    return f"postgresql://{user}:{password}@{settings.db_host}:{settings.db_port}/{quote(settings.db_name, safe='')}"


def assemble(
    settings: Settings,
    use_cases: Mapping[str, UseCase],
    histories: Callable[[Export], HistorySource],
    pins: Sequence[Artifact],
    loaded_catalogues: Mapping[str, LoadedCatalogue],
) -> ServingSnapshot:
    """Return the runtime of everything that is loaded now.

    Catalogues without an export are left out, and so are use cases without any export.
    """
    exports = {name: entry.export.value for name, entry in loaded_catalogues.items() if entry.export.value is not None}
    sites = []
    for use_case in use_cases.values():
        available = [name for name in use_case.catalogues if name in exports]
        if available:
            pairs = _of_pairs(use_case, loaded_catalogues)
            models = {name: loaded_catalogues[name].artifacts() | pairs | _of_catalogue(pins, name) for name in available}
            damaged = {name: _damaged(use_case, name, loaded_catalogues) for name in available}
            catalogues = {
                name: _catalogue_runtime(
                    settings, use_case, exports[name], histories(exports[name]), models[name], damaged[name]
                )
                for name in available
            }
            sites.append(UseCaseRuntime(use_case, catalogues, build_estimators(use_case, pairs)))
    return ServingSnapshot(
        RecommendationService(Runtime.of(sites), log_key=_log_key(settings)),
        {name: export.catalogue for name, export in exports.items()},
        {use_case_runtime.use_case.name: _ready(use_case_runtime) for use_case_runtime in sites},
        state_token(loaded_catalogues, pins),
        {use_case_runtime.use_case.name: use_case_runtime.estimators for use_case_runtime in sites},
    )


def _catalogue_runtime(
    settings: Settings,
    use_case: UseCase,
    export: Export,
    source: HistorySource,
    models: Mapping[str, Artifact],
    damaged: frozenset[str],
) -> CatalogueRuntime:
    return CatalogueRuntime(
        export.catalogue,
        build_engines(use_case, export.catalogue, models, damaged),
        source,
        frozenset(name for name, part in use_case.engines.items() if part.kind in damaged),
        build_rankers(use_case, export.catalogue, models, settings) | _damaged_rankers(use_case, damaged),
        NO_POLICY if BANDIT in damaged else policy_of(models.get(BANDIT)),
    )


def _of_pairs(use_case: UseCase, loaded_catalogues: Mapping[str, LoadedCatalogue]) -> dict[str, Artifact]:
    """Return the readable pair models by kind. They are the same for both catalogues."""
    keeper = _keeps_pairs(use_case)
    available = {} if keeper is None else loaded_catalogues[keeper].artifacts()
    return {kind: model for kind, model in available.items() if kind in kinds_of_pairs(use_case)}


def _damaged(use_case: UseCase, catalogue: str, loaded_catalogues: Mapping[str, LoadedCatalogue]) -> frozenset[str]:
    """Return the kinds that this catalogue needs whose model is damaged and which have no older readable version."""
    keeper = _keeps_pairs(use_case)
    of_pairs = frozenset() if keeper is None else damaged_kinds(loaded_catalogues[keeper]) & kinds_of_pairs(use_case)
    return damaged_kinds(loaded_catalogues[catalogue]) | of_pairs


def _damaged_rankers(use_case: UseCase, damaged: frozenset[str]) -> dict[str, Skip]:
    message = "the published model of {} is damaged and was refused; train it again or roll back"
    return {
        name: Skip(engine=name, code="refused", detail=message.format(name))
        for name, part in use_case.rankers.items()
        if part.kind in damaged
    }


NO_POLICY = Skip(
    engine=BANDIT,
    code="refused",
    detail="what the bandit learned is damaged, so its default leads; run: update_bandit --rebuild",
)


def policy_of(artifact: Artifact | None) -> Policy | Skip | None:
    """Return the policy of a published bandit, None before its first update, or a Skip if the model is not usable."""
    if artifact is None:
        return None
    try:
        return Policy.from_artifact(artifact)
    except ArtifactRefused as error:
        log.error("the bandit is left out, its default leads: %s", error.message)
        return NO_POLICY


def _ready(use_case_runtime: UseCaseRuntime) -> tuple[str, ...]:
    """Return the engines that are available for at least one catalogue, in the order of the file."""
    available = {name for runtime in use_case_runtime.catalogues.values() for name in runtime.engines}
    return tuple(name for name in use_case_runtime.use_case.engines if name in available)


def _of_catalogue(pins: Sequence[Artifact], catalogue: str) -> dict[str, Artifact]:
    return {entry.manifest.kind: entry for entry in pins if entry.manifest.catalogue == catalogue}


def _log_key(settings: Settings) -> bytes:
    """Return the key that hashes user ids in the log in production. None in development: the log has the ids."""
    return b"" if settings.env == "dev" else next(iter(settings.keys().values()), b"")


def build_service(settings: Settings) -> RecommendationService:
    """Return the service for a command or a test. It does not load versions that are published later."""
    return build_live(settings).serving.recommender
