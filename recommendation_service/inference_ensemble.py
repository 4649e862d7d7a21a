"""Both models together: `EnsembleInference(als_model_path=..., two_tower_model_path=..., als_weight=0.6)`."""

from pathlib import Path

from recommendation_service.errors import InvalidInput
from recommendation_service.inference import Inference
from recommendation_service.settings import Settings


class EnsembleInference(Inference):
    """Recommends with the weighted mean of ALS and two-tower scores; if one has no prediction, the other one answers."""

    kind = "ensemble"

    def __init__(
        self,
        als_model_path: Path | str | None = None,
        two_tower_model_path: Path | str | None = None,
        als_weight: float = 0.6,
        *,
        use_case: str = "startups",
        settings: Settings | None = None,
    ) -> None:
        """Load both model folders, or the published models where None; the two-tower weight is 1 - als_weight.

        Raises InvalidInput for a weight outside 0 to 1.
        """
        if not 0 <= als_weight <= 1:
            raise InvalidInput(f"als_weight must be from 0 to 1, not {als_weight}")
        super().__init__(
            use_case=use_case,
            settings=settings,
            model_paths={"als": als_model_path, "two_tower": two_tower_model_path},
            weights={"als": als_weight, "two_tower": 1 - als_weight},
        )
