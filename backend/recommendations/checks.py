"""`manage.py check`: wrong settings of the marketplace's lists, each with a code and the fix."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from sites.cleaning.conf import cache_seconds, check_mode, ensemble_weights

NAMED = ("RECOMMENDATION_ENGINE", "RECOMMENDATION_SCORING")  # settings that name a class by its path


def register_all() -> None:
    """Make `manage.py check` run the checks of this file."""
    register(check_settings)


def check_settings(app_configs: Any = None, **_options: Any) -> list[CheckMessage]:
    """Every setting that cannot be read, and every class that cannot be imported."""
    reads: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("recs.E101", check_mode),
        ("recs.E102", ensemble_weights),
        ("recs.E103", cache_seconds),
    )
    return [*(problem for code, read in reads for problem in _tried(code, read)), *_not_there()]


def _tried(code: str, read: Callable[[], Any]) -> list[CheckMessage]:
    try:
        read()
    except ImproperlyConfigured as error:
        what, _, fix = str(error).partition("; ")
        return [Error(what, hint=f"Fix: {fix}." if fix else None, id=code)]
    return []


def _not_there() -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    for name in NAMED:
        try:
            import_string(getattr(settings, name))
        except ImportError as error:
            problems.append(Error(f"{name}: {error}", hint="Fix: name a class by its path.", id="recs.E104"))
    return problems
