"""Numbers with a range, such as what to bid: which estimator, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import AnyArray
from recommendation_service.domain.side import PairSide
from recommendation_service.errors import InvalidInput, NotFound, Unavailable
from recommendation_service.estimators.base import Estimator
from recommendation_service.use_cases.schema import UseCase


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """What one estimator said of `n` pairs."""

    model_version: str
    ids: tuple[str, ...]  # of the things that were met
    amounts: AnyArray  # (n, 3) float64 minimum, optimal and maximum, finite


@dataclass(frozen=True, slots=True, eq=False)
class EstimateService:
    """Answers for every estimator that the use cases name; `ready` are those with a good model, by use case and name."""

    use_cases: Mapping[str, UseCase]
    ready: Mapping[str, Mapping[str, Estimator]]

    def estimate(self, use_case: str, name: str, context: PairSide, offers: PairSide) -> Estimates:
        """One item of the left catalogue with several items of the right one.

        Raises NotFound for what no file names, Unavailable without a model, InvalidInput for a pair of which nothing can
        be said.
        """
        known = self.use_cases.get(use_case)
        if known is None or name not in known.estimators:
            raise self.not_found()
        estimator = self.ready.get(use_case, {}).get(name)
        if estimator is None:
            train = f"python -m recommendation_service.train_all --use-case {use_case}"
            raise Unavailable(f"no model for {use_case}/{name} yet; run: {train}")
        amounts = estimator.estimate(context, offers)
        if not np.isfinite(amounts).all():
            rule = "must be known, above 0, and no more than can be paid for"
            fields = {f"/context/numbers/{column}": rule for column in estimator.needs}
            raise InvalidInput(f"{' and '.join(estimator.needs) or 'what was told'} {rule}", fields=fields)
        return Estimates(estimator.version, offers.ids, amounts)

    def not_found(self) -> NotFound:
        """One error for what does not exist and for what the caller may not see."""
        known = ", ".join(
            f"{case}/{name}" for case, entry in sorted(self.use_cases.items()) for name in sorted(entry.estimators)
        )
        return NotFound(f"nothing here, or not yours to see; there are {known or 'no estimators'}")
