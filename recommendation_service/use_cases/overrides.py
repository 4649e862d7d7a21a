"""Environment variables over a use-case file: switches, thresholds and weights. Pure: file in, file out."""

from typing import Any

from recommendation_service.settings import Settings
from recommendation_service.use_cases.schema import Part, Surface, UseCase


def overridden(use_case: UseCase, settings: Settings) -> UseCase:
    """The use case as these settings want it; the same object when they want nothing.

    ENABLE_ALS, ENABLE_TWO_TOWER and ENABLE_ENSEMBLE switch off every engine of that kind; COLD_START_THRESHOLD and
    WARM_USER_THRESHOLD set the limits of every `by_count` router; ENSEMBLE_ALS_WEIGHT and ENSEMBLE_TWO_TOWER_WEIGHT
    set those members' weights and select stated weights.
    """
    changes: dict[str, Any] = {}
    off = _switched_off(use_case, settings)
    if off != use_case.switched_off:
        changes["switched_off"] = off
    engines = {name: _without(_weighed(part, use_case, settings), off) for name, part in use_case.engines.items()}
    if engines != use_case.engines:
        changes["engines"] = engines
    surfaces = {name: _routed(surface, settings) for name, surface in use_case.surfaces.items()}
    if surfaces != use_case.surfaces:
        changes["surfaces"] = surfaces
    return use_case.model_copy(update=changes) if changes else use_case


def _switched_off(use_case: UseCase, settings: Settings) -> tuple[str, ...]:
    enabled = {"als": settings.enable_als, "two_tower": settings.enable_two_tower, "ensemble": settings.enable_ensemble}
    by_setting = {name for name, part in use_case.engines.items() if not enabled.get(part.kind, True)}
    return tuple(name for name in use_case.engines if name in by_setting or name in use_case.switched_off)


def _weighed(part: Part, use_case: UseCase, settings: Settings) -> Part:
    stated = {"als": settings.ensemble_als_weight, "two_tower": settings.ensemble_two_tower_weight}
    if part.kind != "ensemble" or all(weight is None for weight in stated.values()):
        return part
    members = dict(part.options.get("members", {}))
    for name in members:
        weight = stated.get(use_case.engines[name].kind) if name in use_case.engines else None
        if weight is not None:
            members[name] = weight
    return part.model_copy(update={"options": {**part.options, "members": members, "weights": "stated"}})


def _without(part: Part, off: tuple[str, ...]) -> Part:
    if part.kind != "ensemble" or not off:
        return part
    return part.model_copy(update={"options": {**part.options, "without": list(off)}})


def _routed(surface: Surface, settings: Settings) -> Surface:
    wanted = {"cold_below": settings.cold_start_threshold, "warm_below": settings.warm_user_threshold}
    stated = {name: value for name, value in wanted.items() if value is not None}
    if surface.router.kind != "by_count" or not stated:
        return surface
    router = surface.router.model_copy(update={"options": {**surface.router.options, **stated}})
    return surface.model_copy(update={"router": router})
