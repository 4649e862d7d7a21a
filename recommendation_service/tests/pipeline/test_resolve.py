import numpy as np
import pytest

from recommendation_service.domain.history import PastEvent
from recommendation_service.domain.query import Profile, Query
from recommendation_service.domain.request import create_request
from recommendation_service.errors import InvalidInput, NotFound, Unavailable
from recommendation_service.pipeline.resolve import HistorySource, resolve
from recommendation_service.pipeline.surface_pipeline import Plan
from recommendation_service.tests.engines import board
from recommendation_service.tests.pipeline.setting import use_case


class Remembers:
    """A history source that knows one person."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def history(self, user_id: str) -> tuple[PastEvent, ...] | None:
        self.asked.append(user_id)
        return liked(1, 3) if user_id == "ann" else None

    def profile(self, user_id: str) -> Profile:
        return {"taste": ("black",)} if user_id == "ann" else {}


class Fails(Remembers):
    def history(self, user_id: str) -> tuple[PastEvent, ...] | None:
        raise Unavailable("the history database does not answer")


def liked(*items: int) -> tuple[PastEvent, ...]:
    ids = board.item_ids()
    return tuple(PastEvent(ids[item], "like", board.NOW - place * 86_400) for place, item in enumerate(items))


def resolved(source: HistorySource | None = None, surface: dict[str, object] | None = None, **words):  # type: ignore[no-untyped-def]
    one = use_case(**(surface or {}))
    request = create_request(**{"user_id": "ann", **words})
    return resolve(request, Plan.build(one, "home"), one, board.catalogue(), source, now=board.NOW)


def query(*given, **words) -> Query:  # type: ignore[no-untyped-def]
    return resolved(*given, **words).query


def test_the_asks_own_history_is_taken_and_the_source_left_alone() -> None:
    source = Remembers()
    asked = query(source, history=liked(4, 2), profile={})
    assert asked.history.rows.tolist() == [4, 2]
    assert source.asked == []


def test_a_missing_history_is_looked_up_and_an_empty_one_is_not() -> None:
    assert query(Remembers()).history.rows.tolist() == [1, 3]
    assert query(Remembers(), history=()).history.rows.size == 0
    assert query(Remembers(), user_id="nobody").history.rows.size == 0


def test_a_missing_profile_is_looked_up_and_an_empty_one_is_not() -> None:
    assert query(Remembers(), history=()).profile == {"taste": ("black",)}
    assert query(Remembers(), history=(), profile={}).profile == {}


def test_without_a_source_nothing_is_known() -> None:
    assert (query().history.count, query().profile) == (0, {})


def test_nobody_in_particular_has_no_past() -> None:
    source = Remembers()
    assert query(source, user_id=None).history.count == 0
    assert source.asked == []


def test_a_source_that_is_down_makes_a_newcomer_and_says_so() -> None:
    answer = resolved(Fails())
    assert answer.query.history.count == 0
    assert answer.query.profile == {}
    assert [(skip.engine, skip.code) for skip in answer.skips] == [("history", "failed")]


def test_the_count_of_the_ask_decides_over_the_events_it_brought() -> None:
    assert query(history=liked(1, 3), count=40).history.count == 40
    assert query(history=liked(1, 3)).history.count == 2


def test_history_items_gone_from_the_catalogue_are_dropped() -> None:
    gone = (PastEvent("item-999", "like", board.NOW), *liked(2))
    assert query(history=gone).history.rows.tolist() == [2]


def test_seen_excluded_and_filtered_rows_are_not_eligible() -> None:
    asked = query(history=liked(0), exclude=("item-002", "item-999"), filters={"category": ("white",)})
    assert np.flatnonzero(asked.eligible).tolist() == list(range(4, 24, 2))


def test_whoever_has_seen_everything_may_see_it_again_but_not_what_they_disliked() -> None:
    past = (*liked(*range(23)), PastEvent("item-023", "dismiss", board.NOW))
    asked = query(history=past, exclude=("item-002",))
    assert asked.seen_again
    assert np.flatnonzero(~asked.eligible).tolist() == [2, 23]


def test_one_unseen_item_is_enough_to_leave_the_others_out() -> None:
    asked = query(history=liked(*range(23)))
    assert not asked.seen_again
    assert np.flatnonzero(asked.eligible).tolist() == [23]


def test_everything_of_a_filter_seen_is_everything_seen() -> None:
    asked = query(history=liked(*range(0, 24, 2)), filters={"category": ("white",)})
    assert asked.seen_again
    assert np.flatnonzero(asked.eligible).tolist() == list(range(0, 24, 2))


@pytest.mark.parametrize("words", [{"filters": {"category": ("green",)}}, {"exclude": tuple(board.item_ids())}])
def test_what_fits_nothing_stays_empty_for_whoever_has_seen_everything(words: dict[str, object]) -> None:
    asked = query(history=liked(*range(24)), **words)
    assert (asked.seen_again, asked.eligible.any()) == (False, False)


def test_a_surface_may_show_what_was_seen() -> None:
    assert query(history=liked(0), surface={"rules": []}).eligible.all()


@pytest.mark.parametrize("limit", [0, -1, 101, 10**9])
def test_a_limit_outside_1_to_100_is_refused(limit: int) -> None:
    with pytest.raises(InvalidInput, match="limit: Input should be") as refused:
        query(limit=limit)
    assert list(refused.value.fields) == ["/limit"]


@pytest.mark.parametrize("limit", [1, 100])
def test_the_ends_of_the_range_are_allowed(limit: int) -> None:
    assert query(limit=limit, count=0).limit == limit


def test_a_missing_history_is_looked_up_although_the_profile_came_along() -> None:
    asked = query(Remembers(), profile={"taste": ("white",)})
    assert asked.history.rows.tolist() == [1, 3]
    assert asked.profile == {"taste": ("white",)}


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(InvalidInput, match="count"):
        query(count=-1)


def test_an_item_surface_needs_an_item_that_exists() -> None:
    similar = {"about": "item"}
    assert query(surface=similar, item_ids=("item-003",)).subject.tolist() == [3]
    assert not query(surface=similar, item_ids=("item-003",)).eligible[3]
    assert query(surface=similar, item_ids=("item-000",)).subject.tolist() == [0]
    with pytest.raises(InvalidInput, match="name at least one"):
        query(surface=similar)
    with pytest.raises(NotFound):
        query(surface=similar, item_ids=("item-999",))


def test_a_basket_leaves_out_what_is_gone() -> None:
    asked = query(surface={"about": "basket"}, item_ids=("item-003", "item-999", "item-003", "item-000"))
    assert asked.subject.tolist() == [3, 0]
