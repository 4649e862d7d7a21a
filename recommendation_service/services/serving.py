"""The published exports and models of one worker: loaded, watched, and replaced as a whole."""

import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path

from recommendation_service.datasets.reader import Dataset, export_folder, open_for_serving
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.engines.ensemble import Ensemble
from recommendation_service.errors import ArtifactRefused, DatasetError
from recommendation_service.estimators.base import Estimator
from recommendation_service.pipeline.surface_pipeline import Plan
from recommendation_service.publishing.store import Artifact, ArtifactStore, read_folder
from recommendation_service.publishing.watcher import Watched
from recommendation_service.services.recommendation_service import RecommendationService
from recommendation_service.settings import Settings
from recommendation_service.use_cases.schema import UseCase

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Export:
    """One verified export, with its items ready to be served."""

    dataset: Dataset
    catalogue: Catalogue


@dataclass(frozen=True, slots=True, eq=False)
class LoadedCatalogue:
    """The export and the models of one catalogue that this worker has loaded."""

    name: str
    export: Watched[Export]
    models: Mapping[str, Watched[Artifact]]  # by kind

    def look(self) -> list[str]:
        """Load new versions, and return the names that changed, such as "startups/als"."""
        watched: dict[str, Watched[Export] | Watched[Artifact]] = {"export": self.export, **self.models}
        return [f"{self.name}/{kind}" for kind, entry in watched.items() if entry.look()]

    def artifacts(self) -> dict[str, Artifact]:
        """Return the models that could be loaded, by kind."""
        return {kind: entry.value for kind, entry in self.models.items() if entry.value is not None}


@dataclass(frozen=True, slots=True, eq=False)
class ServingSnapshot:
    """Everything that one request needs, replaced as a whole, so that no answer mixes two versions."""

    recommender: RecommendationService
    catalogues: Mapping[str, Catalogue]  # those with an export
    engines: Mapping[str, tuple[str, ...]]  # use case that can answer -> its ready engines
    state: str = ""  # changes with every model and export that is loaded or lost
    estimators: Mapping[str, Mapping[str, Estimator]] = field(default_factory=dict)  # use case -> its ready ones, by name


class ServingState:
    """Holds the snapshot of this process and replaces it when a new valid version is published."""

    def __init__(
        self,
        use_cases: Mapping[str, UseCase],
        loaded_catalogues: Mapping[str, LoadedCatalogue],
        assemble: Callable[[Mapping[str, LoadedCatalogue]], ServingSnapshot],
        *,
        swapped: Callable[[], None] = lambda: None,
    ) -> None:
        """Load everything once; `swapped` is called after each later replacement."""
        self.use_cases, self.loaded_catalogues = use_cases, loaded_catalogues
        self._assemble, self._swapped = assemble, swapped
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._unserved: list[str] = []  # loaded, but not yet part of `serving`
        self._watching: int | None = None  # process id of the thread's process
        for loaded in loaded_catalogues.values():
            loaded.look()
        self.serving = assemble(loaded_catalogues)

    def refresh(self) -> list[str]:
        """Load new models and exports now, and return the names that changed."""
        with self._lock:
            self._unserved += [name for loaded in self.loaded_catalogues.values() for name in loaded.look()]
            if not self._unserved:
                return []
            self.serving = self._assemble(self.loaded_catalogues)  # if this raises, the next look tries again
            changed, self._unserved = self._unserved, []
            self._swapped()
            log.info("→ now serving %s", ", ".join(sorted(set(changed))))
            return changed

    def watch(self, every_s: float) -> None:
        """Start refreshing in the background, once per process; call it again after a fork. 0 seconds: never."""
        if every_s <= 0 or self._watching == os.getpid():
            return
        self._watching = os.getpid()
        self._lock = threading.Lock()  # a fork may have copied a locked one
        threading.Thread(target=self._keep_looking, args=(every_s,), name="model-watch", daemon=True).start()

    def close(self) -> None:
        """Stop the background refresh; the current snapshot keeps serving."""
        self._closed.set()

    def _keep_looking(self, every_s: float) -> None:
        while not self._closed.wait(every_s):
            try:
                self.refresh()
            except Exception:  # if the thread ended, this worker would never load a new model again
                log.exception("looking for new models failed; will look again")


def load_catalogue(
    settings: Settings, catalogue: str, kinds: Sequence[str], refused: Callable[[str, str], None]
) -> LoadedCatalogue:
    """Return a catalogue whose export and models are not loaded yet. `refused` is called with catalogue and kind."""
    store = ArtifactStore(settings.models_dir / catalogue)
    on_refused = partial(refused, catalogue)
    return LoadedCatalogue(
        catalogue,
        Watched(export_folder(settings.data_dir, catalogue), partial(_read_export, catalogue), refused=on_refused),
        {kind: Watched(store.folder(kind), partial(_read_model, kind), refused=on_refused) for kind in kinds},
    )


def _read_export(catalogue: str, folder: Path, seal: str | None) -> Export:
    dataset, items = open_for_serving(folder, seal=seal)
    if items.name != catalogue:
        raise DatasetError(f"{folder.name}: holds {items.name}, not {catalogue}; move it, or export again")
    return Export(dataset, items)


def _read_model(kind: str, folder: Path, seal: str | None) -> Artifact:
    return read_folder(folder, kind, seal=seal, serving=True)


def damaged_kinds(state: LoadedCatalogue) -> frozenset[str]:
    """Return the kinds whose published model is damaged and that have no older readable version."""
    return frozenset(kind for kind, entry in state.models.items() if entry.problem is not None and entry.value is None)


def state_token(loaded_catalogues: Mapping[str, LoadedCatalogue], pins: Sequence[Artifact]) -> str:
    """Return a token that changes when a model or an export is loaded or removed."""
    state = [
        (name, entry.export.version, sorted(entry.artifacts().items())) for name, entry in sorted(loaded_catalogues.items())
    ]
    seals = [(name, export, [(kind, model.manifest.seal) for kind, model in models]) for name, export, models in state]
    return sha256(repr((seals, [pin.manifest.seal for pin in pins])).encode()).hexdigest()[:16]


def pinned(settings: Settings) -> list[Artifact]:
    """Return the model folders of ALS_MODEL_PATH and TWO_TOWER_MODEL_PATH. A refused folder is logged and left out."""
    artifacts = []
    for kind, path in (("als", settings.als_model_path), ("two_tower", settings.two_tower_model_path)):
        if path is None:
            continue
        try:
            artifacts.append(read_folder(path, kind))
        except ArtifactRefused as error:
            log.error("%s_MODEL_PATH: %s", kind.upper(), error.message)
    return artifacts


WAITING = "configured weights serve until train_all publishes learned ones"


def weights_summary(state: ServingState, use_case: str, catalogue: str) -> str:
    """Return one line about the weights of the use case's main ensemble; empty if it has none."""
    main = state.use_cases[use_case].main_ensemble()
    use_case_runtime = state.serving.recommender.runtime.use_cases.get(use_case)
    runtime = use_case_runtime.catalogues.get(catalogue) if use_case_runtime else None
    engine = runtime.engines.get(main[0]) if runtime and main else None
    if main is None or not isinstance(engine, Ensemble):
        return ""
    if engine.learned:
        return f"{engine.name}: learned weights serve"
    if main[1].options.get("weights") != "learned":
        return f"{engine.name}: configured weights serve, as the file or the environment wants it"
    published = state.loaded_catalogues[catalogue].models["ensemble"]
    if published.value is not None or published.problem is not None:
        return f"{engine.name}: configured weights serve, for the learned ones were refused"
    return f"{engine.name}: {WAITING}"


READY = {"two_tower": "✓ Two-Tower model loaded", "als": "✓ ALS model loaded", "ensemble": "✓ Ensemble model initialized"}


def announce(live: ServingState) -> None:
    """Log what was loaded, what is missing with its fix, and how users are routed."""
    for use_case in live.use_cases.values():
        ready = live.serving.engines.get(use_case.name)
        if ready is None:
            log.warning("✗ %s: no export yet; run: manage.py generate_all_datasets", use_case.name)
            continue
        fix = f"tandem train all --use-case {use_case.name}"
        for name, part in sorted(use_case.engines.items(), key=lambda item: _order(item[1].kind)):
            if name in use_case.switched_off:
                log.info("✗ %s is switched off by a setting (%s)", name, use_case.name)
            elif name in ready and part.kind in READY:
                log.info("%s successfully!", READY[part.kind])
            elif name not in ready:
                log.warning("✗ %s: no %s model; run: %s", use_case.name, name, fix)
        for name in sorted(set(use_case.estimators) - set(live.serving.estimators.get(use_case.name, {}))):
            log.warning("✗ %s: no %s model; run: %s", use_case.name, name, fix)
        for line in _routes(use_case):
            log.info("→ Routing: %s", line)


def _order(kind: str) -> int:
    return list(READY).index(kind) if kind in READY else len(READY)


def _routes(use_case: UseCase) -> list[str]:
    """Return the different routing rules of the use case as text."""
    labels = {"content_based": "content", "als": "ALS", "two_tower": "two-tower"}
    plans = [Plan.build(use_case, name) for name, surface in use_case.surfaces.items() if surface.about == "user"]
    return list(dict.fromkeys(plan.router.summary(labels) for plan in plans))
