"""The strategy `popularity`."""

from app.recommenders.base import BaseRecommender


class PopularityRecommender(BaseRecommender):
    """Courses that most learners chose recently."""

    kind = "popularity"
