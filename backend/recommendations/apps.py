"""The recommender of the cleaning marketplace, under the import names that sites use."""

from django.apps import AppConfig


class RecommendationsConfig(AppConfig):
    """Scoring service, recommendation engine and settings of the marketplace."""

    name = "recommendations"
    verbose_name = "Marketplace recommendations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks of the marketplace's settings."""
        from recommendations import checks  # importable only when the apps are ready

        checks.register_all()
