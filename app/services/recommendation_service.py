"""Recommends with the strategy that is asked for; each one loads its models once."""

from app.recommenders.base import BaseRecommender
from app.services.recommender_factory import create_recommender
from recommendation_service.domain.answer import Answer
from recommendation_service.domain.request import DEFAULT_LIMIT
from recommendation_service.settings import Settings, load_settings

HYBRID, BANDIT = "hybrid", "bandit"


class RecommendationService:
    """Lists of courses by strategy: two_tower, popularity, content or hybrid."""

    def __init__(self, *, settings: Settings | None = None) -> None:
        """DEFAULT_RECOMMENDER of the settings answers where no strategy is asked for; unset, or the bandit: hybrid."""
        self._settings = settings or load_settings()
        self._recommenders: dict[str, BaseRecommender] = {}

    def recommend(self, user_id: str, limit: int = DEFAULT_LIMIT, *, strategy: str | None = None) -> Answer:
        """Return a learner's list. Raises InvalidInput for an unknown strategy or a wrong limit, NotFound without an export."""
        name = strategy or self._settings.default_recommender.replace(BANDIT, "") or HYBRID
        if name not in self._recommenders:
            self._recommenders[name] = create_recommender(name, settings=self._settings)
        return self._recommenders[name].recommend(user_id, limit)
