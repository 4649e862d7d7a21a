"""What one worker serves right now, and how that is exchanged while it serves."""

import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from recommendation_service.datasets.reader import Dataset
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.estimators.base import Estimator
from recommendation_service.publishing.store import Artifact
from recommendation_service.publishing.watcher import Watched
from recommendation_service.services.recommendation_service import RecommendationService
from recommendation_service.use_cases.schema import UseCase

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Export:
    """One verified export, with its items ready to be served."""

    dataset: Dataset
    catalogue: Catalogue


@dataclass(frozen=True, slots=True, eq=False)
class Holding:
    """All that is published for one catalogue, as this worker holds it."""

    name: str
    export: Watched[Export]
    models: Mapping[str, Watched[Artifact]]  # by kind

    def look(self) -> list[str]:
        """Take up what is new; returns the names that changed, such as "startups/als"."""
        watched: dict[str, Watched[Export] | Watched[Artifact]] = {"export": self.export, **self.models}
        return [f"{self.name}/{kind}" for kind, one in watched.items() if one.look()]

    def artifacts(self) -> dict[str, Artifact]:
        """The good models by kind."""
        return {kind: one.value for kind, one in self.models.items() if one.value is not None}


@dataclass(frozen=True, slots=True, eq=False)
class Serving:
    """Everything one request needs, built together and replaced whole, so that no answer mixes two versions."""

    recommender: RecommendationService
    catalogues: Mapping[str, Catalogue]  # those with an export
    engines: Mapping[str, tuple[str, ...]]  # use case that can answer -> its ready engines
    state: str = ""  # a word that changes with every model and export taken up or lost
    estimators: Mapping[str, Mapping[str, Estimator]] = field(default_factory=dict)  # use case -> its ready ones, by name


class Live:
    """Holds the Serving of this process and replaces it when something new and good is published."""

    def __init__(
        self,
        use_cases: Mapping[str, UseCase],
        holdings: Mapping[str, Holding],
        assemble: Callable[[Mapping[str, Holding]], Serving],
        *,
        swapped: Callable[[], None] = lambda: None,
    ) -> None:
        """Looks once, so that `serving` is ready; `swapped` is called after each later exchange."""
        self.use_cases, self.holdings = use_cases, holdings
        self._assemble, self._swapped = assemble, swapped
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._unserved: list[str] = []  # taken up by a holding, not yet by `serving`
        self._watching: int | None = None  # process id of the thread's process
        for holding in holdings.values():
            holding.look()
        self.serving = assemble(holdings)

    def refresh(self) -> list[str]:
        """Look for new models and exports now; returns the names that changed."""
        with self._lock:
            self._unserved += [name for holding in self.holdings.values() for name in holding.look()]
            if not self._unserved:
                return []
            self.serving = self._assemble(self.holdings)  # if this raises, the next look tries again
            changed, self._unserved = self._unserved, []
            self._swapped()
            log.info("→ now serving %s", ", ".join(sorted(set(changed))))
            return changed

    def watch(self, every_s: float) -> None:
        """Refresh in the background, once per process: call it again after a fork. 0 seconds: never."""
        if every_s <= 0 or self._watching == os.getpid():
            return
        self._watching = os.getpid()
        self._lock = threading.Lock()  # a fork may have copied a held one
        threading.Thread(target=self._keep_looking, args=(every_s,), name="model-watch", daemon=True).start()

    def close(self) -> None:
        """Stop looking; what serves now goes on serving."""
        self._closed.set()

    def _keep_looking(self, every_s: float) -> None:
        while not self._closed.wait(every_s):
            try:
                self.refresh()
            except Exception:  # the thread must outlive any surprise, or this worker never sees a new model again
                log.exception("looking for new models failed; will look again")
