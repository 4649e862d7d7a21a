"""What the two-tower model knows of a learner: the values of the profile as sorted names and lists of indices into them."""

from recommendation_service.training.models.two_tower import attribute_table

__all__ = ["attribute_table"]
