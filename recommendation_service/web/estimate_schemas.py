"""The shapes of estimates on the wire."""

from pydantic import BaseModel, Field

from recommendation_service.web.schemas import Accepted, OfferIn, OutsideId, ThingIn

MAX_OFFERS = 100


class EstimateIn(Accepted):
    """A request for estimates of one thing, such as a job, met by others, such as cleaners."""

    context: ThingIn
    offers: list[OfferIn] = Field(min_length=1, max_length=MAX_OFFERS, description="Ids must differ")
    request_id: OutsideId | None = Field(default=None, description="Comes back in the answer; null: made here")


class EstimateOut(BaseModel):
    """What it is for one of the offers: minimum <= optimal <= maximum, all above 0."""

    item_id: str
    minimum: float = Field(gt=0)
    optimal: float = Field(gt=0)
    maximum: float = Field(gt=0)


class EstimatesOut(BaseModel):
    """The estimates in the order of the offers."""

    request_id: str
    use_case: str
    estimator: str
    model_version: str
    estimates: list[EstimateOut]
