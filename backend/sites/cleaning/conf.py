"""The settings of the marketplace's lists: their mode, the weights of the ensemble, and how long a list is cached."""

import math
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from recommendation_service.errors import InvalidInput
from tandem.use_cases import load

RULE_BASED, NEURAL, ENSEMBLE = "rule_based", "neural", "ensemble"
MODES = (RULE_BASED, NEURAL, ENSEMBLE)
MEMBERS = (RULE_BASED, NEURAL)  # of the ensemble


def check_mode(requested: str | None = None) -> str:
    """Return the requested mode; None: the setting RECOMMENDATION_MODE.

    Raises InvalidInput for an unknown mode, ImproperlyConfigured if the setting is wrong.
    """
    if requested is None:
        mode: Any = settings.RECOMMENDATION_MODE
        if mode not in MODES:
            raise ImproperlyConfigured(f"RECOMMENDATION_MODE is {mode!r}; it must be one of {', '.join(MODES)}")
        return str(mode)
    if requested not in MODES:
        message = f"must be one of {', '.join(MODES)}"
        raise InvalidInput(f"mode {message}, not {requested!r}", fields={"/mode": message})
    return requested


def ensemble_weights() -> dict[str, float]:
    """Return RECOMMENDATION_ENSEMBLE_WEIGHTS scaled to a sum of 1; without the setting, the weights of cleaning.toml.

    Raises ImproperlyConfigured that tells the fix.
    """
    if hasattr(settings, "RECOMMENDATION_ENSEMBLE_WEIGHTS"):
        weights: Any = settings.RECOMMENDATION_ENSEMBLE_WEIGHTS
    else:
        weights = load("cleaning").engines[ENSEMBLE].options["members"]
    fix = 'RECOMMENDATION_ENSEMBLE_WEIGHTS must look like {"rule_based": 0.6, "neural": 0.4}'
    if not isinstance(weights, Mapping) or set(weights) != set(MEMBERS):
        raise ImproperlyConfigured(f"{fix}: both names, and no other")
    for name in MEMBERS:
        weight = weights[name]
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight) or weight < 0:
            raise ImproperlyConfigured(f"{fix}: {name} is {weight!r}, not a number of 0 or more")
    total = sum(weights.values())
    if total <= 0:
        raise ImproperlyConfigured(f"{fix}: at least one must be above 0")
    return {name: weights[name] / total for name in MEMBERS}


def cache_seconds() -> int:
    """Return RECOMMENDATION_CACHE_TTL; 0 disables the cache. Raises ImproperlyConfigured that tells the fix."""
    seconds: Any = settings.RECOMMENDATION_CACHE_TTL
    if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds < 0:
        raise ImproperlyConfigured(f"RECOMMENDATION_CACHE_TTL is {seconds!r}; it must be whole seconds, 0 or more")
    return seconds
