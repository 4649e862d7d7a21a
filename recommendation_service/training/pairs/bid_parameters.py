"""Settings of the bid model, apart from it so that reading them does not import torch."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from pydantic import ValidationError

from recommendation_service.errors import ConfigurationError
from recommendation_service.use_cases.options import check_words
from recommendation_service.use_cases.schema import Feature, UseCase

KIND = "bid"


@dataclass(frozen=True, slots=True)
class BidParameters:
    """What the bid model reads and how it is trained.

    Amounts are learned for one unit of `per`, in logarithms: 10 % more is the same step for a flat and for a villa.
    `share` of the winning bids are to lie between minimum and maximum, as many below as above.
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
    untold: float = 0.05  # share of the numbers and words kept from the network while it learns, so that it can do without
    seed: int = 42

    @property
    def quantiles(self) -> tuple[float, float, float]:
        """Of minimum, optimal and maximum."""
        tail = (1 - self.share) / 2
        return tail, 0.5, 1 - tail

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values, for a manifest."""
        plain = {**asdict(replace(self, features=())), "features": [feature.model_dump() for feature in self.features]}
        return dict(sorted(plain.items()))


def bid_parameters(use_case: UseCase, *, seed: int = 42) -> BidParameters:
    """As the use-case file says under `training` of its estimator of this kind. Raises ConfigurationError for a wrong word."""
    found = next(((name, part) for name, part in use_case.estimators.items() if part.kind == KIND), None)
    name, told = (found[0], dict(found[1].training)) if found else (KIND, {})
    place = f"{use_case.name}: estimator '{name}', training"
    check_words(told, (field.name for field in fields(BidParameters)), place=place)
    told["features"] = _features(told.get("features", ()), place)
    read = replace(BidParameters(seed=seed), **told)
    if not read.features or not 0 < read.share < 1:
        raise ConfigurationError(f"{place} needs features, and a share between 0 and 1")
    return read


def _features(rows: Any, where: str) -> tuple[Feature, ...]:
    try:
        for row in rows:
            check_words(row, Feature.model_fields, place=f"{where}, features")
        return tuple(Feature.model_validate(row) for row in rows)
    except (ValidationError, TypeError) as error:
        raise ConfigurationError(f'{where}: features are rows such as {{ name = "hours", log1p = true }}') from error
