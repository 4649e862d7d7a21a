"""The request model: what Django serialises is what the service parses, and every limit is declared in it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from recommendation_service.domain.history import PastEvent
from recommendation_service.domain.request import (
    Context,
    EstimateRequest,
    Offer,
    RecommendationRequest,
    create_request,
    invalid_input,
)
from recommendation_service.errors import InvalidInput

IDS = st.from_regex(r"\A[a-z0-9_][a-z0-9_.:@+=~-]{0,20}\Z")
FACETS = st.dictionaries(st.text(max_size=40), st.lists(st.text(min_size=1, max_size=30), max_size=3).map(tuple), max_size=3)
EVENTS = st.builds(
    PastEvent,
    item_id=IDS,
    event=st.sampled_from(["like", "view"]),
    time=st.integers(0, 4_000_000_000_000_000).map(lambda micros: micros / 1e6),
    value=st.none() | st.floats(-5, 5, allow_nan=False),
)


@given(
    request=st.builds(
        RecommendationRequest,
        user_id=st.none() | IDS,
        item_ids=st.lists(IDS, max_size=3).map(tuple),
        history=st.none() | st.lists(EVENTS, max_size=3).map(tuple),
        profile=st.none() | FACETS,
        filters=FACETS,
        limit=st.integers(1, 100),
        exclude=st.lists(IDS, max_size=3).map(tuple),
        explain=st.booleans(),
    )
)
def test_a_request_survives_the_way_to_the_service(request: RecommendationRequest) -> None:
    parsed = RecommendationRequest.model_validate_json(request.model_dump_json(exclude_none=True))
    assert parsed.model_copy(update={"history": None}) == request.model_copy(update={"history": None})
    assert [event.time for event in parsed.history or ()] == pytest.approx([event.time for event in request.history or ()])
    assert [(event.item_id, event.event, event.value) for event in parsed.history or ()] == [
        (event.item_id, event.event, event.value) for event in request.history or ()
    ]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"limit": 0}, "/limit"),
        ({"limit": 101}, "/limit"),
        ({"limit": True}, "/limit"),
        ({"count": -1}, "/count"),
        ({"user_id": "None"}, "/user_id"),
        ({"exclude": ("a", "")}, "/exclude/1"),
        ({"filters": {"a": ("",)}}, "/filters/a/0"),
        ({"filters": {"a~/b": 5}}, "/filters/a~0~1b"),
        ({"offers": ()}, "/offers"),
        ({"offers": (Offer(item_id="7"), Offer(item_id="8"), Offer(item_id="7"))}, "/offers/2/item_id"),
        ({"surprise": 1}, "/surprise"),
    ],
)
def test_a_wrong_field_is_named_by_its_pointer(fields: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        create_request(**fields)
    assert list(caught.value.fields) == [pointer]


def test_an_id_is_normalised_where_the_request_is_created() -> None:
    assert create_request(user_id="Zoe\u0308").user_id == "Zo\u00eb"


def test_an_estimate_takes_at_most_a_hundred_offers() -> None:
    with pytest.raises(ValidationError) as caught:
        EstimateRequest(context=Context(id="1"), offers=tuple(Offer(item_id=str(number)) for number in range(101)))
    assert list(invalid_input(caught.value).fields) == ["/offers"]
