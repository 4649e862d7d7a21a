"""Makes the recommender of a strategy."""

from app.recommenders.base import BaseRecommender
from app.recommenders.content_based_recommender import ContentBasedRecommender
from app.recommenders.hybrid_recommender import HybridRecommender
from app.recommenders.popularity_recommender import PopularityRecommender
from app.recommenders.two_tower_recommender import TwoTowerRecommender
from recommendation_service.errors import InvalidInput
from recommendation_service.settings import Settings

RECOMMENDERS: dict[str, type[BaseRecommender]] = {
    "two_tower": TwoTowerRecommender,
    "popularity": PopularityRecommender,
    "content": ContentBasedRecommender,
    "hybrid": HybridRecommender,
}


def create_recommender(strategy: str, *, settings: Settings | None = None) -> BaseRecommender:
    """Return the recommender of a strategy. Raises InvalidInput for an unknown one."""
    if strategy not in RECOMMENDERS:
        raise InvalidInput(f"there is no strategy '{strategy}'; use {', '.join(RECOMMENDERS)}")
    return RECOMMENDERS[strategy](settings=settings)
