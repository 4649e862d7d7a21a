"""Contexts and offers: what is taken, what is refused, and that rows are never mixed up."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.history import PastEvent
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.query import Query
from recommendation_service.domain.request import MAX_OFFERS, Context, Offer, RecommendationRequest, create_request
from recommendation_service.domain.side import PairSide
from recommendation_service.errors import InvalidInput, NotFound, Unavailable
from recommendation_service.pipeline.resolve import offered, resolve
from recommendation_service.pipeline.surface_pipeline import Plan
from recommendation_service.tests.engines import board
from recommendation_service.tests.pipeline.setting import use_case as about_users
from recommendation_service.use_cases.loader import load

CLEANING = load("cleaning")
IDS = st.text(alphabet="abcXYZ0123456789éЖ", min_size=1, max_size=6)


class Remembers:
    """A history source that must not be asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def history(self, user_id: str) -> tuple[PastEvent, ...] | None:
        self.asked.append(user_id)
        return ()

    def profile(self, user_id: str) -> dict[str, tuple[str, ...]]:
        self.asked.append(user_id)
        return {}


def shelf(name: str, count: int, side: bool = True) -> Catalogue:
    ids = IdMap.of(str(number) for number in range(1, count + 1))
    zeros = np.zeros(count, dtype=np.float32)
    columns = PairSide.of(ids.ids(), [{"size_m2": float(one)} for one in ids.ids()]) if side else None
    return Catalogue(name, ids, tuple(f"{name} {one}" for one in ids.ids()), popularity=zeros, created=zeros, side=columns)


CLEANERS, JOBS = shelf("cleaners", 12), shelf("jobs", 6)


def query(surface: str = "cleaners-for-job", *, met: Catalogue | None = JOBS, source: Any = None, **words: Any) -> Query:
    request = create_request(**words)
    return resolve(request, Plan.build(CLEANING, surface), CLEANING, CLEANERS, source, met, now=board.NOW).query


def refused(**words: Any) -> list[str]:
    with pytest.raises(InvalidInput) as told:
        query(**words)
    return list(told.value.fields)


def test_the_asks_own_context_is_taken_as_it_is() -> None:
    asked = query(context=Context(id="5", numbers={"size_m2": 33.0}, text_columns={"property_type": "flat"}), met=None)
    assert asked.context is not None
    assert asked.context.ids == ("5",)
    assert asked.context.numbers["size_m2"].tolist() == [33.0]
    assert asked.context.text_columns["property_type"].tolist() == ["flat"]
    assert (asked.offered, len(asked.catalogue)) == (None, 12)


def test_an_id_is_looked_up_in_the_other_catalogue() -> None:
    asked = query(item_ids=("5",))
    assert asked.context is not None
    assert asked.context.ids == ("5",)
    assert asked.context.numbers["size_m2"].tolist() == [5.0]


def test_the_contexts_id_takes_nothing_out_of_the_list_although_it_is_an_items_too() -> None:
    asked = query(item_ids=("5",))
    assert asked.eligible.all()
    assert asked.subject.size == 0


def test_an_unknown_context_is_not_found_and_one_without_an_export_says_so() -> None:
    with pytest.raises(NotFound, match="jobs has no item with that id"):
        query(item_ids=("12",))
    with pytest.raises(Unavailable, match="no export of jobs yet, so send `context`"):
        query(item_ids=("5",), met=None)


def test_a_site_without_columns_has_no_context_to_go_by() -> None:
    assert query(item_ids=("5",), met=shelf("jobs", 6, side=False)).context is None


def test_nobodys_past_is_looked_up_for_a_context() -> None:
    source = Remembers()
    asked = query(item_ids=("5",), user_id="ann", source=source)
    assert source.asked == []
    assert asked.history.count == 0


@pytest.mark.parametrize(
    ("words", "pointer"),
    [
        ({}, "/item_ids"),
        ({"item_ids": ("5", "6")}, "/item_ids"),
        ({"item_ids": ("6",), "context": Context(id="5")}, "/context/id"),
        ({"context": Context(id="5"), "offers": ()}, "/offers"),
        ({"context": Context(id="5"), "offers": tuple(Offer(item_id=str(one)) for one in range(MAX_OFFERS + 1))}, "/offers"),
        (
            {"context": Context(id="5"), "offers": (Offer(item_id="7"), Offer(item_id="8"), Offer(item_id="7"))},
            "/offers/2/item_id",
        ),
        ({"context": Context(id="5"), "offers": (Offer(item_id="7"),), "filters": {"area": ("x",)}}, "/filters/area"),
    ],
)
def test_what_is_wrong_is_named(words: dict[str, Any], pointer: str) -> None:
    assert refused(**words) == [pointer]


@pytest.mark.parametrize("about", ["user", "item", "basket"])
@pytest.mark.parametrize(
    "brought", [{"context": Context(id="5")}, {"offers": (Offer(item_id="5"),)}], ids=["context", "offers"]
)
def test_other_surfaces_take_neither(about: str, brought: dict[str, Any]) -> None:
    one = about_users(about=about)
    request = RecommendationRequest(user_id="ann", item_ids=("item-003",), **brought)
    with pytest.raises(InvalidInput, match=f"surface 'home' is about {about} ids, so it takes no") as told:
        resolve(request, Plan.build(one, "home"), one, board.catalogue(), None, now=board.NOW)
    assert list(told.value.fields) == [f"/{next(iter(brought))}"]


def test_offers_take_the_place_of_the_catalogue_in_the_order_of_their_ids() -> None:
    offers = (
        Offer(item_id="9", numbers={"size_m2": 9.0}, title="Nine"),
        Offer(item_id="10", numbers={"size_m2": 10.0}, title="Ten"),
    )
    asked = query(context=Context(id="5"), offers=offers)
    assert asked.catalogue.name == "cleaners"
    assert asked.catalogue.ids.ids() == ["10", "9"]
    assert asked.catalogue.titles == ("Ten", "Nine")
    assert asked.offered is not None
    assert asked.offered.ids == ("10", "9")
    assert asked.offered.numbers["size_m2"].tolist() == [10.0, 9.0]
    assert asked.eligible.tolist() == [True, True]


def test_excluded_offers_are_not_eligible() -> None:
    asked = query(context=Context(id="5"), offers=(Offer(item_id="9"), Offer(item_id="10")), exclude=("9", "12"))
    assert asked.eligible.tolist() == [True, False]


def test_the_limit_still_holds() -> None:
    assert refused(context=Context(id="5"), offers=(Offer(item_id="9"),), limit=101) == ["/limit"]


@given(ids=st.lists(IDS, min_size=1, max_size=30, unique=True))
def test_each_offer_keeps_its_own_columns_whatever_its_place(ids: list[str]) -> None:
    numbers = {one: float(place) for place, one in enumerate(ids)}
    items, side = offered(
        [
            Offer(item_id=one, numbers={"size_m2": numbers[one]}, text_columns={"kind": one}, title=f"title {one}")
            for one in ids
        ],
        "cleaners",
    )
    assert items.ids.ids() == list(side.ids)
    assert sorted(side.ids) == sorted(ids)
    assert [numbers[one] for one in side.ids] == side.numbers["size_m2"].tolist()
    assert list(side.ids) == side.text_columns["kind"].tolist()
    assert items.titles == tuple(f"title {one}" for one in side.ids)
    assert len(items) == items.popularity.size == items.created.size


def test_a_surfaces_engine_for_newcomers_does_not_go_first_where_there_is_a_context() -> None:
    surface = CLEANING.surfaces["cleaners-for-job"].model_copy(update={"cold_start_engine": "popular"})
    one = CLEANING.model_copy(update={"surfaces": {"cleaners-for-job": surface}})
    plan = Plan.build(one, "cleaners-for-job")
    assert plan.route(query(context=Context(id="5"))).chain[0] == "ensemble"
    assert plan.route(board.query(board.catalogue())).chain[0] == "popular"
