"""Recommendations from ALS alone: `ALSInference("models/startups/als_v1").recommend(user_id)`."""

from pathlib import Path

from recommendation_service.inference import Inference
from recommendation_service.settings import Settings


class ALSInference(Inference):
    """Recommends with ALS; popular items replace it for an unknown user."""

    kind = "als"

    def __init__(
        self, model_path: Path | str | None = None, *, use_case: str = "startups", settings: Settings | None = None
    ) -> None:
        """Load the model folder, or the published model if it is None."""
        super().__init__(use_case=use_case, settings=settings, model_paths={"als": model_path})
