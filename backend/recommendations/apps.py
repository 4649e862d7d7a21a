"""The reusable app a site owner installs."""

from django.apps import AppConfig


class RecommendationsConfig(AppConfig):
    """Registers the checks and the sources that the installed sites declare."""

    name = "recommendations"
    verbose_name = "Recommendations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Find every `recommendation_sources.py`, mirror the event tables they name, and register our checks."""
        # models are importable only once the apps are ready
        from recommendations import cache, checks, receivers, setting_checks, signals, sources

        checks.register_all()
        setting_checks.register_all()
        sources.autodiscover()
        receivers.connect_all()
        signals.interaction_recorded.connect(cache.forget_recorded, dispatch_uid="recommendations.cache")
