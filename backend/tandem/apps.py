"""The Django app that a site installs: add "tandem" to INSTALLED_APPS."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig
from django.conf import settings


class TandemConfig(AppConfig):
    """Registers system checks, and reads the item sources that installed apps declare."""

    name = "tandem"
    verbose_name = "Tandem"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks, import every `recommendation_sources.py`, and connect the signals of the event tables."""
        # models can be imported only when the apps are ready
        from tandem import cache, checks, signals, sources
        from tandem.event_sync import live
        from tandem.services import impressions

        checks.register_all()
        sources.autodiscover()
        _import_project_sources()
        live.connect_all()
        impressions.connect_requests()
        signals.interaction_recorded.connect(cache.forget_recorded, dispatch_uid="tandem.cache")


def _import_project_sources() -> None:
    """Import `recommendation_sources.py` beside the project's URLs, for sites whose items are models of installed packages."""
    package = str(getattr(settings, "ROOT_URLCONF", "")).rpartition(".")[0]
    name = f"{package}.recommendation_sources"
    if package and find_spec(name) is not None:
        import_module(name)
