"""Numbers with a range that the recommendation service works out, such as what to bid: asked for, and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import ValidationError

from recommendation_service.domain.answer import EstimatesAnswer
from recommendation_service.domain.request import Context, EstimateRequest, Offer, invalid_input
from recommendation_service.domain.side import PairSide
from tandem.service_client.client import ServiceFailed, client
from tandem.service_client.responses import BadAnswer


@dataclass(frozen=True, slots=True)
class Estimate:
    """minimum <= optimal <= maximum, finite and above 0."""

    minimum: float
    optimal: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Estimated:
    """One estimate for each offer, in their order, by one model."""

    model_version: str
    estimates: tuple[Estimate, ...]


def estimate(*, use_case: str, name: str, context: PairSide, offers: PairSide) -> Estimated:
    """Of one thing, `context`, met by each of up to 100 offers. Raises ServiceFailed, as the client does.

    What is not known of them is left out of the question.
    """
    (about,) = _rows(context)
    items = zip(offers.ids, _rows(offers), strict=True)
    try:
        request = EstimateRequest(
            context=Context(id=context.ids[0], **about),
            offers=tuple(Offer(item_id=item_id, **columns) for item_id, columns in items),
        )
    except ValidationError as error:
        raise ServiceFailed("invalid_request", invalid_input(error).message) from error
    check = partial(checked, use_case=use_case, name=name, item_ids=offers.ids)
    answer = client().estimate(request, use_case=use_case, name=name, check=check)
    rows = (Estimate(entry["minimum"], entry["optimal"], entry["maximum"]) for entry in answer["estimates"])
    return Estimated(answer["model_version"], tuple(rows))


def checked(body: bytes, *, use_case: str, name: str, item_ids: Sequence[str]) -> dict[str, Any]:
    """The answer as a dict, or BadAnswer: wrong shape, other ids than those asked for, numbers out of order."""
    try:
        served = EstimatesAnswer.model_validate_json(body)
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors()[0]["loc"]) or "body"
        raise BadAnswer(f"{where} has not the documented shape") from error
    if (served.use_case, served.estimator) != (use_case, name):
        raise BadAnswer("it answers another request")
    if [entry.item_id for entry in served.estimates] != list(item_ids):
        raise BadAnswer("it is not about the offers that were asked about")
    if any(not entry.minimum <= entry.optimal <= entry.maximum for entry in served.estimates):
        raise BadAnswer("an estimate is out of order")
    return served.model_dump()


def _rows(side: PairSide) -> list[dict[str, Any]]:
    """Numbers and text columns of each item; NaN and "" are unknown."""
    numbers = {name: column.tolist() for name, column in side.numbers.items()}
    categories = {name: column.tolist() for name, column in side.text_columns.items()}
    return [
        {
            "numbers": {name: column[row] for name, column in numbers.items() if column[row] == column[row]},
            "text_columns": {name: column[row] for name, column in categories.items() if column[row]},
        }
        for row in range(len(side))
    ]
