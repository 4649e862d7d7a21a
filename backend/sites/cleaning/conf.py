"""How the marketplace's lists are scored, as the settings say: by which mode, with which weights, kept for how long."""

import math
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from recommendation_service.errors import InvalidInput

RULE_BASED, NEURAL, ENSEMBLE = "rule_based", "neural", "ensemble"
MODES = (RULE_BASED, NEURAL, ENSEMBLE)
MEMBERS = (RULE_BASED, NEURAL)  # what an ensemble is made of


def mode_word(asked: str | None = None) -> str:
    """The mode that was asked for; None: the setting RECOMMENDATION_MODE.

    Raises InvalidInput for another word, ImproperlyConfigured where it is the setting that is wrong.
    """
    if asked is None:
        mode: Any = settings.RECOMMENDATION_MODE
        if mode not in MODES:
            raise ImproperlyConfigured(f"RECOMMENDATION_MODE is {mode!r}; it must be one of {', '.join(MODES)}")
        return str(mode)
    if asked not in MODES:
        told = f"must be one of {', '.join(MODES)}"
        raise InvalidInput(f"mode {told}, not {asked!r}", fields={"/mode": told})
    return asked


def ensemble_weights() -> dict[str, float]:
    """RECOMMENDATION_ENSEMBLE_WEIGHTS scaled to a sum of 1. Raises ImproperlyConfigured that tells the fix."""
    told: Any = settings.RECOMMENDATION_ENSEMBLE_WEIGHTS
    fix = 'RECOMMENDATION_ENSEMBLE_WEIGHTS must look like {"rule_based": 0.6, "neural": 0.4}'
    if not isinstance(told, Mapping) or set(told) != set(MEMBERS):
        raise ImproperlyConfigured(f"{fix}: both names, and no other")
    for name in MEMBERS:
        weight = told[name]
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight) or weight < 0:
            raise ImproperlyConfigured(f"{fix}: {name} is {weight!r}, not a number of 0 or more")
    total = sum(told.values())
    if total <= 0:
        raise ImproperlyConfigured(f"{fix}: at least one must be above 0")
    return {name: told[name] / total for name in MEMBERS}


def cache_seconds() -> int:
    """RECOMMENDATION_CACHE_TTL; 0 keeps nothing. Raises ImproperlyConfigured that tells the fix."""
    seconds: Any = settings.RECOMMENDATION_CACHE_TTL
    if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds < 0:
        raise ImproperlyConfigured(f"RECOMMENDATION_CACHE_TTL is {seconds!r}; it must be whole seconds, 0 or more")
    return seconds
