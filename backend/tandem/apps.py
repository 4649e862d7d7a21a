"""The Django app that a site installs: add "tandem" to INSTALLED_APPS."""

from django.apps import AppConfig


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

        checks.register_all()
        sources.autodiscover()
        live.connect_all()
        signals.interaction_recorded.connect(cache.forget_recorded, dispatch_uid="tandem.cache")
