"""The strategy `hybrid`."""

from app.recommenders.base import BaseRecommender


class HybridRecommender(BaseRecommender):
    """A weighted combination of the other strategies."""

    kind = "ensemble"
