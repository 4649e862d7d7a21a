"""Environment variables over a use-case file: switches, thresholds and weights. Pure: file in, file out."""

from collections.abc import Mapping
from typing import Any

from recommendation_service.settings import Settings
from recommendation_service.use_cases.schema import Part, Surface, UseCase


def overridden(use_case: UseCase, settings: Settings) -> UseCase:
    """The use case as these settings want it; the same object when they want nothing.

    ENABLE_ALS, ENABLE_TWO_TOWER and ENABLE_ENSEMBLE switch off every engine of that kind; COLD_START_THRESHOLD and
    WARM_USER_THRESHOLD set the limits of every `by_count` router; ENSEMBLE_ALS_WEIGHT and ENSEMBLE_TWO_TOWER_WEIGHT
    set those members' weights and select configured weights where there are such members; HYBRID_WEIGHTS_* do so for a blend
    of exactly the three kinds they name, CONTENT_WEIGHT, COLLABORATIVE_WEIGHT and POPULARITY_WEIGHT for a blend of text
    vectors, another blend and popularity. DEFAULT_RECOMMENDER puts an engine in the place of every bandit.
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


def trained_with(use_case: UseCase, settings: Settings) -> UseCase:
    """The use case as its models shall be trained; the same object when the settings want nothing.

    EMBEDDING_MODEL and EMBEDDING_DIMENSION reach every embedding engine; EMBEDDING_DIM, USER_FEATURE_DIM and
    ITEM_FEATURE_DIM every two-tower engine.
    """
    embedding = {"model": settings.embedding_model or None, "dimension": settings.embedding_dimension}
    towers = {
        "dimension": settings.embedding_dim,
        "hidden": settings.embedding_dim and 2 * settings.embedding_dim,
        "user_feature_dim": settings.user_feature_dim,
        "item_feature_dim": settings.item_feature_dim,
    }
    return trained_as(trained_as(use_case, "embedding", embedding), "two_tower", towers)


def trained_as(use_case: UseCase, kind: str, wanted: Mapping[str, Any]) -> UseCase:
    """The use case whose engines of that kind are trained with these parameters; those that are None stay as they are."""
    stated = {name: value for name, value in wanted.items() if value is not None}
    if not stated or not any(part.kind == kind for part in use_case.engines.values()):
        return use_case
    engines = {
        name: part.model_copy(update={"training": {**part.training, **stated}}) if part.kind == kind else part
        for name, part in use_case.engines.items()
    }
    return use_case.model_copy(update={"engines": engines})


def _switched_off(use_case: UseCase, settings: Settings) -> tuple[str, ...]:
    enabled = {"als": settings.enable_als, "two_tower": settings.enable_two_tower, "ensemble": settings.enable_ensemble}
    by_setting = {name for name, part in use_case.engines.items() if not enabled.get(part.kind, True)}
    return tuple(name for name in use_case.engines if name in by_setting or name in use_case.switched_off)


def _weighed(part: Part, use_case: UseCase, settings: Settings) -> Part:
    if part.kind != "ensemble":
        return part
    members: dict[str, float] = dict(part.options.get("members", {}))
    kinds = {name: use_case.engines[name].kind for name in members if name in use_case.engines}
    stated = _stated_weights(set(kinds.values()), settings)
    told = {name: stated[kind] for name, kind in kinds.items() if stated.get(kind) is not None}
    if not told:
        return part
    return part.model_copy(update={"options": {**part.options, "members": {**members, **told}, "weights": "configured"}})


def _stated_weights(kinds: set[str], settings: Settings) -> dict[str, float | None]:
    """By kind; the lists of courses and shop name their weights otherwise than that of startups, and mean their own blends."""
    stated = {"als": settings.ensemble_als_weight, "two_tower": settings.ensemble_two_tower_weight}
    courses = {
        "two_tower": settings.hybrid_two_tower_weight,
        "popularity": settings.hybrid_popularity_weight,
        "content": settings.hybrid_content_weight,
    }
    shop = {
        "embedding": settings.content_weight,
        "ensemble": settings.collaborative_weight,
        "popularity": settings.popularity_weight,
    }
    own = next((one for one in (courses, shop) if kinds == set(one)), {})
    return {**stated, **{kind: weight for kind, weight in own.items() if weight is not None}}


def _without(part: Part, off: tuple[str, ...]) -> Part:
    if part.kind != "ensemble" or not off:
        return part
    return part.model_copy(update={"options": {**part.options, "without": list(off)}})


def _routed(surface: Surface, settings: Settings) -> Surface:
    if surface.router.kind == "bandit" and settings.default_recommender not in ("", "bandit"):
        fixed = Part(kind="fixed", options={"engine": settings.default_recommender})
        return surface.model_copy(update={"router": fixed})
    wanted = {"cold_below": settings.cold_start_threshold, "warm_below": settings.warm_user_threshold}
    stated = {name: value for name, value in wanted.items() if value is not None}
    if surface.router.kind != "by_count" or not stated:
        return surface
    router = surface.router.model_copy(update={"options": {**surface.router.options, **stated}})
    return surface.model_copy(update={"router": router})
