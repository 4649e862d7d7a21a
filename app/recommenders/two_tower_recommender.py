"""The strategy `two_tower`."""

from app.recommenders.base import BaseRecommender


class TwoTowerRecommender(BaseRecommender):
    """Vectors of learners and courses from the two-tower network."""

    kind = "two_tower"
