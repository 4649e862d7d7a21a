"""Estimates with a range, such as suggested bids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommendation_service.domain.answer import EstimatedRange, EstimatesAnswer
from recommendation_service.domain.request import Context, EstimateRequest, Offer
from recommendation_service.domain.side import PairSide
from recommendation_service.errors import InvalidInput, NotFound, Unavailable
from recommendation_service.estimators.base import Estimator
from recommendation_service.use_cases.schema import UseCase


@dataclass(frozen=True, slots=True, eq=False)
class EstimateService:
    """Answers for every estimator of the use cases; `ready` are those with a model, by use case and name."""

    use_cases: Mapping[str, UseCase]
    ready: Mapping[str, Mapping[str, Estimator]]

    def estimate(self, request: EstimateRequest, *, use_case: str, name: str, request_id: str) -> EstimatesAnswer:
        """Return one estimate per offer, in their order.

        Raises NotFound for an estimator that no file defines, Unavailable without a model, InvalidInput if a column that the
        estimator needs is unknown.
        """
        known = self.use_cases.get(use_case)
        if known is None or name not in known.estimators:
            raise self.not_found()
        estimator = self.ready.get(use_case, {}).get(name)
        if estimator is None:
            train = f"tandem train all --use-case {use_case}"
            raise Unavailable(f"no model for {use_case}/{name} yet; run: {train}")
        context = _side([request.context.id], [request.context])
        offers = _side([offer.item_id for offer in request.offers], request.offers)
        amounts = estimator.estimate(context, offers)
        if not np.isfinite(amounts).all():
            rule = "must be known, above 0, and not too large for a price"
            fields = {f"/context/numbers/{column}": rule for column in estimator.needs}
            raise InvalidInput(f"{' and '.join(estimator.needs) or 'the columns'} {rule}", fields=fields)
        ranges = [
            EstimatedRange(item_id=item_id, minimum=low, optimal=middle, maximum=high)
            for item_id, (low, middle, high) in zip(offers.ids, amounts.tolist(), strict=True)
        ]
        return EstimatesAnswer(
            request_id=request_id, use_case=use_case, estimator=name, model_version=estimator.version, estimates=ranges
        )

    def not_found(self) -> NotFound:
        """Return the same error for estimators that do not exist and for those that the caller may not use."""
        known = ", ".join(
            f"{case}/{name}" for case, entry in sorted(self.use_cases.items()) for name in sorted(entry.estimators)
        )
        return NotFound(f"no such estimator, or you have no permission to use it; there are {known or 'no estimators'}")


def _side(ids: Sequence[str], entries: Sequence[Context | Offer]) -> PairSide:
    return PairSide.of(ids, [entry.numbers for entry in entries], [entry.text_columns for entry in entries])
