"""`manage.py check`: wrong settings of the marketplace's lists, each with an id and the fix."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from recommendations.conf import ENGINE, SCORING, configured_class
from sites.cleaning.conf import cache_seconds, check_mode, ensemble_weights

READERS: tuple[tuple[str, Callable[[], Any]], ...] = (
    ("recs.E101", check_mode),
    ("recs.E102", ensemble_weights),
    ("recs.E103", cache_seconds),
    ("recs.E104", partial(configured_class, ENGINE)),
    ("recs.E104", partial(configured_class, SCORING)),
)


@register
def check_settings(app_configs: Any = None, **_options: Any) -> list[CheckMessage]:
    """Return an error for each setting that cannot be read, and for each class that cannot be used."""
    problems: list[CheckMessage] = []
    for code, read in READERS:
        try:
            read()
        except ImproperlyConfigured as error:
            what, _, fix = str(error).partition("; ")
            problems.append(Error(what, hint=f"Fix: {fix}." if fix else None, id=code))
    return problems
