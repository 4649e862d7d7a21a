"""Which estimator answers, and what is said where none can."""

import numpy as np
import pytest

from recommendation_service.core.numeric import AnyArray
from recommendation_service.domain.request import Context, EstimateRequest, Offer
from recommendation_service.domain.side import PairSide
from recommendation_service.errors import InvalidInput, NotFound, Unavailable
from recommendation_service.estimators.base import Estimator
from recommendation_service.services.estimate_service import EstimateService
from recommendation_service.use_cases.loader import load

REQUEST = EstimateRequest(context=Context(id="5"), offers=(Offer(item_id="7"), Offer(item_id="8")))
USE_CASES = {name: load(name) for name in ("cleaning", "startups")}


class Flat(Estimator):
    """Says the same of every pair."""

    needs = ("hours",)

    def __init__(self, *amounts: float) -> None:
        super().__init__("bid", "bid_v3")
        self.amounts = amounts

    def estimate(self, first: PairSide, second: PairSide) -> AnyArray:
        return np.tile(np.array(self.amounts), (len(second), 1))


def service(*amounts: float) -> EstimateService:
    return EstimateService(USE_CASES, {"cleaning": {"bid": Flat(*amounts)}} if amounts else {})


def test_it_says_which_model_said_what_of_whom() -> None:
    found = service(1, 2, 3).estimate(REQUEST, use_case="cleaning", name="bid", request_id="r-1")
    assert (found.model_version, [one.item_id for one in found.estimates]) == ("bid_v3", ["7", "8"])
    assert {(one.minimum, one.optimal, one.maximum) for one in found.estimates} == {(1, 2, 3)}


@pytest.mark.parametrize(("use_case", "name"), [("cleaning", "rent"), ("startups", "bid"), ("nowhere", "bid")])
def test_what_no_file_names_is_not_there_and_what_is_there_is_told(use_case: str, name: str) -> None:
    with pytest.raises(NotFound, match=r"no such estimator, or you have no permission to use it; there are cleaning/bid$"):
        service(1, 2, 3).estimate(REQUEST, use_case=use_case, name=name, request_id="r-1")


def test_without_a_model_the_message_says_how_to_get_one() -> None:
    with pytest.raises(Unavailable, match=r"no model for cleaning/bid yet; run: tandem train all --use-case cleaning"):
        service().estimate(REQUEST, use_case="cleaning", name="bid", request_id="r-1")


def test_what_cannot_be_said_names_the_column_that_is_missing() -> None:
    with pytest.raises(InvalidInput, match="hours must be known") as caught:
        service(1, np.nan, 3).estimate(REQUEST, use_case="cleaning", name="bid", request_id="r-1")
    assert list(caught.value.fields) == ["/context/numbers/hours"]
