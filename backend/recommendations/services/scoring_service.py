"""The marketplace's scoring under the name that sites import it by.

The setting RECOMMENDATION_SCORING says which class it is, and it is looked up by that name: this app is what sites build
on, so the arrow from `sites` to `recommendations` must not be turned round by an import.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

__all__ = ["Scoring", "ScoringService", "configured"]

SETTING = "RECOMMENDATION_SCORING"


class Scoring(Protocol):
    """Works out how everybody who offers their services stands."""

    weights: Mapping[str, float]

    def update_all_cleaner_scores(self) -> Mapping[str, Any]:
        """Score everybody anew; `updated` and `errors` are counts, `error_cleaners` whose score stayed as it was."""
        ...

    def explain(self, cleaner: Any) -> Sequence[Any]:
        """The parts of one score, each with weight, points and a sentence."""
        ...


def configured() -> type[Scoring]:
    """The class that the setting names. Raises ImproperlyConfigured, with the fix, when there is none."""
    path = getattr(settings, SETTING, None)
    fix = "name the class by its path, such as sites.cleaning.scoring.service.ScoringService"
    if not path:
        raise ImproperlyConfigured(f"{SETTING} is not set; {fix}")
    try:
        found = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(f"{SETTING} = {path!r} cannot be imported: {error}; {fix}") from error
    if not callable(getattr(found, "update_all_cleaner_scores", None)):
        raise ImproperlyConfigured(f"{SETTING} = {path!r} has no update_all_cleaner_scores(); {fix}")
    return cast(type[Scoring], found)


ScoringService: type[Scoring] = configured()
