"""The two-tower model on its own: `TwoTowerInference("models/startups/two_tower_v1").recommend(user_id)`."""

from pathlib import Path

from recommendation_service.inference import Inference
from recommendation_service.settings import Settings


class TwoTowerInference(Inference):
    """Asks the two-tower model first; it knows people by their past and by their profile."""

    kind = "two_tower"

    def __init__(
        self, model_path: Path | str | None = None, *, use_case: str = "startups", settings: Settings | None = None
    ) -> None:
        """Loads the model folder, or the published model when None."""
        super().__init__(use_case=use_case, settings=settings, model_paths={"two_tower": model_path})
