"""Classes that settings name by their dotted path."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

ENGINE, SCORING = "RECOMMENDATION_ENGINE", "RECOMMENDATION_SCORING"
METHODS = {  # what callers of each class use
    ENGINE: ("recommend_cleaners_for_job", "recommend_cleaners_for_jobs", "recommend_jobs_for_cleaner"),
    SCORING: ("update_all_cleaner_scores", "explain"),
}
EXAMPLES = {
    ENGINE: "sites.cleaning.services.recommendations.RecommendationEngine",
    SCORING: "sites.cleaning.scoring.service.ScoringService",
}


def configured_class(setting: str) -> Any:
    """Return the class that the setting names.

    Raises ImproperlyConfigured with the fix if the class cannot be imported or lacks a method.
    """
    path = getattr(settings, setting, None)
    fix = f"name a class by its path, such as {EXAMPLES[setting]}"
    if not path:
        raise ImproperlyConfigured(f"{setting} is not set; {fix}")
    try:
        loaded = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(f"{setting} = {path!r} cannot be imported: {error}; {fix}") from error
    missing = [name for name in METHODS[setting] if not callable(getattr(loaded, name, None))]
    if missing or not isinstance(loaded, type):
        what = f"has no {missing[0]}()" if missing else "is not a class"
        raise ImproperlyConfigured(f"{setting} = {path!r} {what}; {fix}")
    return loaded
