"""Settings of the bid model, in a module of their own so that reading them does not import torch."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from pydantic import ValidationError

from recommendation_service.errors import ConfigurationError
from recommendation_service.use_cases.options import check_keys
from recommendation_service.use_cases.schema import Feature, UseCase

KIND = "bid"


@dataclass(frozen=True, slots=True)
class BidParameters:
    """Inputs and training settings of the bid model.

    Amounts are learned per unit of `per`, as logarithms, so 10 % more is the same step for small and large jobs. `share` of
    the winning bids should lie between minimum and maximum, and the rest in equal parts below and above.
    """

    features: tuple[Feature, ...] = ()
    per: str = "hours"
    share: float = 0.8
    embedding: int = 4  # length of a word's vector, such as a property type's
    hidden: int = 32
    epochs: int = 150
    patience: int = 15
    batch: int = 256
    learning_rate: float = 0.005
    weight_decay: float = 1e-4
    mask_share: float = 0.05  # share of inputs hidden during training, so that the network can do without them
    seed: int = 42

    @property
    def quantiles(self) -> tuple[float, float, float]:
        """Quantile levels of minimum, optimal and maximum."""
        tail = (1 - self.share) / 2
        return tail, 0.5, 1 - tail

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values, for a manifest."""
        plain = {**asdict(replace(self, features=())), "features": [feature.model_dump() for feature in self.features]}
        return dict(sorted(plain.items()))


def bid_parameters(use_case: UseCase, *, seed: int = 42) -> BidParameters:
    """Read `training` of the use case's bid estimator. Raises ConfigurationError for an unknown key or a wrong value."""
    estimator = next(((name, part) for name, part in use_case.estimators.items() if part.kind == KIND), None)
    name, values = (estimator[0], dict(estimator[1].training)) if estimator else (KIND, {})
    context = f"{use_case.name}: estimator '{name}', training"
    check_keys(values, (field.name for field in fields(BidParameters)), where=context)
    values["features"] = _features(values.get("features", ()), context)
    read = replace(BidParameters(seed=seed), **values)
    if not read.features or not 0 < read.share < 1:
        raise ConfigurationError(f"{context} needs features, and a share between 0 and 1")
    return read


def _features(rows: Any, context: str) -> tuple[Feature, ...]:
    try:
        for row in rows:
            check_keys(row, Feature.model_fields, where=f"{context}, features")
        return tuple(Feature.model_validate(row) for row in rows)
    except (ValidationError, TypeError) as error:
        raise ConfigurationError(f'{context}: features are rows such as {{ name = "hours", log1p = true }}') from error
