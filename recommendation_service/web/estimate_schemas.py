"""The shapes of estimates on the wire."""

from pydantic import Field

from recommendation_service.web.schemas import Accepted, OfferIn, OutsideId, ThingIn

MAX_OFFERS = 100


class EstimateIn(Accepted):
    """A request for estimates of one thing, such as a job, met by others, such as cleaners."""

    context: ThingIn
    offers: list[OfferIn] = Field(min_length=1, max_length=MAX_OFFERS, description="Ids must differ")
    request_id: OutsideId | None = Field(default=None, description="Comes back in the answer; null: made here")
