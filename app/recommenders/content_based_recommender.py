"""The strategy `content`."""

from app.recommenders.base import BaseRecommender


class ContentBasedRecommender(BaseRecommender):
    """Courses whose text and attributes match the learner (TF-IDF)."""

    kind = "content"
