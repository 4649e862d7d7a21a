"""Applies environment variables to a use case: switches, thresholds, weights and sizes. A variable names its use case."""

from collections.abc import Mapping
from typing import Any

from recommendation_service.errors import ConfigurationError
from recommendation_service.settings import Settings, override_variable
from recommendation_service.use_cases.schema import Part, Surface, UseCase

SWITCHES = {"enable_als": "als", "enable_two_tower": "two_tower", "enable_ensemble": "ensemble"}
"""Override -> the kind of engine that it switches off."""

WEIGHTS = {
    "ensemble_als_weight": "als",
    "ensemble_two_tower_weight": "two_tower",
    "hybrid_two_tower_weight": "two_tower",
    "hybrid_popularity_weight": "popularity",
    "hybrid_content_weight": "content",
    "content_weight": "embedding",
    "collaborative_weight": "ensemble",
    "popularity_weight": "popularity",
}
"""Override -> the kind of the main ensemble's member whose weight it sets."""


def apply_overrides(use_case: UseCase, settings: Settings) -> UseCase:
    """Return the use case with its own overrides applied, or the same object if there are none.

    Raises ConfigurationError for a weight of a member that the main ensemble does not have.
    """
    overrides = settings.overrides_for(use_case.name)
    off_kinds = {kind for name, kind in SWITCHES.items() if overrides.get(name) is False}
    off = tuple(name for name, part in use_case.engines.items() if part.kind in off_kinds or name in use_case.switched_off)
    changes = {
        "switched_off": off,
        "engines": _without(_with_weights(use_case, overrides), off),
        "surfaces": {name: _with_router(surface, overrides) for name, surface in use_case.surfaces.items()},
    }
    changed = {name: value for name, value in changes.items() if value != getattr(use_case, name)}
    return use_case.model_copy(update=changed) if changed else use_case


def apply_training_overrides(use_case: UseCase, settings: Settings) -> UseCase:
    """Return the use case with its own overrides of training parameters, or the same object if there are none."""
    overrides = settings.overrides_for(use_case.name)
    embedding = {"model": overrides.get("embedding_model"), "dimension": overrides.get("embedding_dimension")}
    size = overrides.get("embedding_dim")
    two_tower = {
        "dimension": size,
        "hidden": size and 2 * size,
        "user_feature_dim": overrides.get("user_feature_dim"),
        "item_feature_dim": overrides.get("item_feature_dim"),
    }
    return with_training(with_training(use_case, "embedding", embedding), "two_tower", two_tower)


def with_training(use_case: UseCase, kind: str, parameters: Mapping[str, Any]) -> UseCase:
    """Return the use case with these training parameters for all engines of `kind`; a parameter that is None is ignored."""
    given = {name: value for name, value in parameters.items() if value is not None}
    if not given or use_case.engine_of_kind(kind) is None:
        return use_case
    engines = {
        name: part.model_copy(update={"training": {**part.training, **given}}) if part.kind == kind else part
        for name, part in use_case.engines.items()
    }
    return use_case.model_copy(update={"engines": engines})


def _with_weights(use_case: UseCase, overrides: Mapping[str, Any]) -> dict[str, Part]:
    weights = {name: overrides[name] for name in WEIGHTS if overrides.get(name) is not None}
    engines = dict(use_case.engines)
    if not weights:
        return engines
    ensemble, part = use_case.main_ensemble() or ("", Part(kind="ensemble"))
    members: dict[str, float] = dict(part.options.get("members", {}))
    for override, weight in weights.items():
        member = next((name for name in members if engines[name].kind == WEIGHTS[override]), None)
        if member is None:
            variable = override_variable(override, use_case.name)
            raise ConfigurationError(
                f"{use_case.name}: {variable} is set, but the main ensemble has no member of kind '{WEIGHTS[override]}'"
            )
        members[member] = weight
    options = {**part.options, "members": members, "weights": "configured"}
    return engines | {ensemble: part.model_copy(update={"options": options})}


def _without(engines: Mapping[str, Part], off: tuple[str, ...]) -> dict[str, Part]:
    return {
        name: part.model_copy(update={"options": {**part.options, "without": list(off)}})
        if off and part.kind == "ensemble"
        else part
        for name, part in engines.items()
    }


def _with_router(surface: Surface, overrides: Mapping[str, Any]) -> Surface:
    router, engine = surface.router, overrides.get("default_recommender", "")
    limits = {
        option: overrides[name]
        for option, name in (("cold_below", "cold_start_threshold"), ("warm_below", "warm_user_threshold"))
        if overrides.get(name) is not None
    }
    if router.kind == "bandit" and engine not in ("", "bandit"):
        router = Part(kind="fixed", options={"engine": engine})
    elif router.kind == "by_count" and limits:
        router = router.model_copy(update={"options": {**router.options, **limits}})
    return surface if router is surface.router else surface.model_copy(update={"router": router})
