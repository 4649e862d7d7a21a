"""The recommender of the cleaning marketplace, under the import names of acceptance list 000."""

from django.apps import AppConfig


class RecommendationsConfig(AppConfig):
    """RecommendationEngine, ScoringService, their settings, and get_recommended_cleaners."""

    name = "recommendations"
    verbose_name = "Marketplace recommendations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks of the settings."""
        from recommendations import checks  # noqa: F401 - importable only when the apps are ready
