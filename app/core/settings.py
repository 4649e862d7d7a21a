"""The settings, from the environment: `recommendation_service.settings`."""

from recommendation_service.settings import Settings, load_settings

__all__ = ["Settings", "load_settings"]
