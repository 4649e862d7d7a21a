"""The interface of the strategies: `PopularityRecommender().recommend("user1", limit=5)` returns a slate."""

from app.running import USE_CASE
from recommendation_service.inference import Inference
from recommendation_service.settings import Settings


class BaseRecommender(Inference):
    """Recommends courses with one kind of engine first, then with the fallback chain. Subclasses set the kind."""

    def __init__(self, *, settings: Settings | None = None) -> None:
        """Load the published models. Raises ConfigurationError if the use case has no engine of that kind."""
        super().__init__(use_case=USE_CASE, settings=settings)
