"""Recommendations from one kind of engine in any Python program: the base of the inference_* modules."""

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from recommendation_service.domain.answer import Answer
from recommendation_service.domain.request import DEFAULT_LIMIT, create_request
from recommendation_service.errors import ConfigurationError, TandemError
from recommendation_service.services.serving import pinned
from recommendation_service.settings import Settings, load_settings
from recommendation_service.use_cases.schema import Part, UseCase
from recommendation_service.wiring import assemble, build_live, histories_of

log = logging.getLogger(__name__)


class Inference:
    """Recommends with one kind of engine first, then with the other engines of the fallback chain.

    If a model is missing or damaged, its engine is skipped. The slate lists what was skipped, and popular items are the
    last resort.
    """

    kind = ""

    def __init__(
        self,
        *,
        use_case: str = "startups",
        settings: Settings | None = None,
        model_paths: Mapping[str, Path | str | None] | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        """Load the models. `model_paths` are by kind, None: the published model; `weights` are by kind.

        Raises ConfigurationError for an unknown use case, and for one without such an engine or without a surface for
        users.
        """
        changes: dict[str, Path | float] = {
            f"{kind}_model_path": Path(path) for kind, path in (model_paths or {}).items() if path is not None
        }
        changes |= {f"ensemble_{kind}_weight": weight for kind, weight in (weights or {}).items()}
        chosen = (settings or load_settings()).model_copy(update={"use_cases": use_case, **changes})
        live = build_live(chosen)
        self._use_case = _first_asked(live.use_cases[use_case], self.kind)
        self._surface = _about_user(self._use_case)
        serving = assemble(chosen, {use_case: self._use_case}, histories_of(chosen), pinned(chosen), live.loaded_catalogues)
        self._service = serving.recommender
        self.engines = serving.engines.get(use_case, ())

    def recommend(
        self,
        user_id: str,
        limit: int = DEFAULT_LIMIT,
        *,
        filters: Mapping[str, Sequence[str]] | None = None,
        exclude: Sequence[str] = (),
        explain: bool = False,
    ) -> Answer:
        """Return the slate for one user, whose history is read from the export or from the live database.

        `filters` are facet -> allowed values. Raises InvalidInput for a limit outside 1 to 100 or an unknown filter,
        and NotFound while the use case has no export.
        """
        chosen = {name: tuple(values) for name, values in (filters or {}).items()}
        request = create_request(user_id=user_id, limit=limit, filters=chosen, exclude=tuple(exclude), explain=explain)
        return self._service.recommend(request, use_case=self._use_case.name, surface=self._surface, now=time.time())

    def try_recommend(self, user_id: str, limit: int = DEFAULT_LIMIT) -> Answer | None:
        """Return the result of `recommend`, or None with a logged reason if it raises an error."""
        try:
            return self.recommend(user_id, limit)
        except TandemError as error:
            log.error("no recommendations: %s", error.message)
            return None


def _about_user(use_case: UseCase) -> str:
    """Return the name of the first surface that is about a user."""
    found = next((name for name, surface in use_case.surfaces.items() if surface.about == "user"), None)
    if found is None:
        raise ConfigurationError(f"{use_case.name} has no list for a user; ask for one with: tandem recommend --about ID")
    return found


def _first_asked(use_case: UseCase, kind: str) -> UseCase:
    """Return the use case with every surface routed to its engine of that kind."""
    found = use_case.engine_of_kind(kind)
    if found is None:
        raise ConfigurationError(f"{use_case.name} has no engine of kind {kind}; it has {', '.join(use_case.engines)}")
    router = Part(kind="fixed", options={"engine": found[0]})
    surfaces = {name: surface.model_copy(update={"router": router}) for name, surface in use_case.surfaces.items()}
    return use_case.model_copy(update={"surfaces": surfaces})
