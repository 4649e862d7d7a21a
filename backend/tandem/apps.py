"""The reusable app a site owner installs."""

from django.apps import AppConfig


class TandemConfig(AppConfig):
    """Registers the checks and the sources that the installed sites declare."""

    name = "tandem"
    verbose_name = "Tandem"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Find every `recommendation_sources.py`, mirror the event tables they name, and register our checks."""
        # models are importable only once the apps are ready
        from tandem import cache, checks, event_sync, signals, sources

        checks.register_all()
        sources.autodiscover()
        event_sync.connect_all()
        signals.interaction_recorded.connect(cache.forget_recorded, dispatch_uid="tandem.cache")
