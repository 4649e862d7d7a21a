"""What the two-tower model knows of a course: its category, tags, words and attributes as one sparse row."""

from recommendation_service.training.models.content import item_features

__all__ = ["item_features"]
