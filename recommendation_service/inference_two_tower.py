"""Recommendations from the two-tower model alone: `TwoTowerInference("models/startups/two_tower_v1").recommend(user_id)`."""

from pathlib import Path

from recommendation_service.inference import Inference
from recommendation_service.settings import Settings


class TwoTowerInference(Inference):
    """Recommends with the two-tower model, from a user's history and profile."""

    kind = "two_tower"

    def __init__(
        self, model_path: Path | str | None = None, *, use_case: str = "startups", settings: Settings | None = None
    ) -> None:
        """Load the model folder, or the published model if it is None."""
        super().__init__(use_case=use_case, settings=settings, model_paths={"two_tower": model_path})
