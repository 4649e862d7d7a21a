"""A second look moves the best few and nothing else; whatever happens to the ranker, there is a list that descends."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.core.numeric import Floats
from recommendation_service.domain.answer import Skip
from recommendation_service.domain.query import Query
from recommendation_service.domain.request import Offer
from recommendation_service.domain.slate import Candidates
from recommendation_service.engines.base import ENGINE_ERRORS
from recommendation_service.pipeline.rerank import Rescore, Rescored
from recommendation_service.pipeline.resolve import offered
from recommendation_service.rankers.base import CannotAnswer, Ranker, TooLate
from recommendation_service.tests.engines.board import catalogue, query

BOARD = catalogue()


class Prefers(Ranker):
    """Likes the given rows best, in their order; remembers what it was asked."""

    def __init__(self, *rows: int, name: str = "careful") -> None:
        super().__init__(name, f"{name}_v1")
        self.rows = rows
        self.asked: list[Candidates] = []
        self.budgets: list[float] = []

    def scores(self, query: Query, found: Candidates, *, budget_s: float) -> Floats | None:
        self.asked.append(found)
        self.budgets.append(budget_s)
        place = {row: len(self.rows) - at for at, row in enumerate(self.rows)}
        return np.array([place.get(row, 0) for row in found.rows.tolist()], dtype=np.float32)


class ReadsOffers(Prefers):
    reads_offers = True


class CannotSay(Ranker):
    def scores(self, query: Query, found: Candidates, *, budget_s: float) -> Floats | None:
        return None


class Late(Ranker):
    def scores(self, query: Query, found: Candidates, *, budget_s: float) -> Floats | None:
        raise TooLate


class Alone(Ranker):
    def scores(self, query: Query, found: Candidates, *, budget_s: float) -> Floats | None:
        raise CannotAnswer("unreachable", "what it asks is not there")


class Breaks(Ranker):
    def scores(self, query: Query, found: Candidates, *, budget_s: float) -> Floats | None:
        raise ZeroDivisionError("a bug in one ranker")


class Babbles(Ranker):
    """Gives what is no score a candidate."""

    def __init__(self, said: Floats) -> None:
        super().__init__("babbles", "babbles_v1")
        self.said = said

    def scores(self, query: Query, found: Candidates, *, budget_s: float) -> Floats | None:
        return self.said


def found_of(count: int = 6) -> Candidates:
    scores = np.array([10.0 - place for place in range(count)], dtype=np.float32)
    return Candidates(np.arange(count), scores, {"als": scores / 10})


def rescored(*rankers: Ranker | Skip, top: int = 4, found: Candidates | None = None, subject: tuple[int, ...] = ()) -> Rescored:
    by_name: Mapping[str, Ranker | Skip] = {one.engine if isinstance(one, Skip) else one.name: one for one in rankers}
    stage = Rescore(by_name, by=list(by_name), top=top, budget_ms=50)
    return stage.run(query(BOARD, subject=subject), found_of() if found is None else found)


def test_the_best_few_are_moved_and_the_others_keep_their_places() -> None:
    done = rescored(Prefers(2, 3))
    assert done.candidates.rows.tolist() == [2, 3, 0, 1, 4, 5]
    assert done.by == "careful"
    assert done.skips == ()


def test_the_scores_that_were_there_still_descend_and_the_engines_own_stay_readable() -> None:
    found = rescored(Prefers(2, 3)).candidates
    assert found.scores.tolist() == [10.0, 9.0, 8.0, 7.0, 6.0, 5.0]
    assert found.parts["score"].tolist() == [8.0, 7.0, 10.0, 9.0, 6.0, 5.0]
    assert found.parts["als"].tolist() == pytest.approx([0.8, 0.7, 1.0, 0.9, 0.6, 0.5])
    assert found.parts["careful"].tolist()[:4] == [1.0, 0.5, 0.0, 0.0]
    assert np.isnan(found.parts["careful"][4:]).all()


def test_what_training_reads_is_kept_whoever_orders_the_list() -> None:
    for ranker in (Prefers(2), CannotSay("silent", "silent_v1")):
        found = rescored(ranker, subject=(1,)).candidates
        row = found.rows.tolist().index(3)
        assert found.parts["standing"][row] == 0.0
        assert found.parts["likeness"][row] == 0.5
        assert found.parts["score"][row] == 7.0
        assert np.isnan(found.parts["standing"][4:]).all()
    assert "standing" in rescored().candidates.parts


def test_the_ranker_sees_the_best_few_only_and_what_is_noted_of_them() -> None:
    ranker = Prefers(0)
    rescored(ranker)
    (asked,) = ranker.asked
    assert asked.rows.tolist() == [0, 1, 2, 3]
    assert asked.parts["standing"].tolist() == pytest.approx([1, 2 / 3, 1 / 3, 0])
    assert ranker.budgets == [0.05]


def test_equal_scores_keep_the_engines_order() -> None:
    assert rescored(Prefers()).candidates.rows.tolist() == list(range(6))


def test_the_first_ranker_that_can_say_orders_the_list_and_the_next_is_not_asked() -> None:
    second, third = Prefers(3, name="second"), Prefers(1, name="third")
    done = rescored(CannotSay("first", "first_v1"), second, third)
    assert (done.by, done.candidates.rows.tolist()[0]) == ("second", 3)
    assert done.skips == ()
    assert third.asked == []


def test_a_ranker_that_nobody_configured_is_passed_over_in_silence() -> None:
    stage = Rescore({}, by=["cross_encoder", "learned"])
    done = stage.run(query(BOARD), found_of())
    assert (done.by, done.skips, done.candidates.rows.tolist()) == ("", (), list(range(6)))


def test_a_damaged_ranker_is_told_and_the_next_one_orders_the_list() -> None:
    damaged = Skip(engine="learned", code="refused", detail="the published model of learned is damaged")
    done = rescored(damaged, Prefers(3, name="second"))
    assert done.skips == (damaged,)
    assert done.by == "second"


def test_a_late_ranker_is_told_and_costs_nothing_but_its_time() -> None:
    done = rescored(Late("late", "late_v1"))
    assert [(skip.engine, skip.code) for skip in done.skips] == [("late", "timeout")]
    assert "50 ms" in done.skips[0].detail
    assert done.candidates.rows.tolist() == list(range(6))


def test_a_ranker_that_has_nobody_to_ask_is_told_in_its_own_words_and_the_next_one_orders_the_list() -> None:
    done = rescored(Alone("alone", "alone_v1"), Prefers(3, name="second"))
    assert [(skip.engine, skip.code, skip.detail) for skip in done.skips] == [
        ("alone", "unreachable", "what it asks is not there")
    ]
    assert (done.by, done.candidates.rows.tolist()[0]) == ("second", 3)


def test_a_failing_ranker_is_told_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ENGINE_ERRORS, "reraise", False)
    done = rescored(Breaks("breaks", "breaks_v1"), Prefers(3, name="second"))
    assert [(skip.engine, skip.code) for skip in done.skips] == [("breaks", "failed")]
    assert "a bug in one ranker" not in done.skips[0].detail
    assert done.by == "second"


def test_in_tests_a_failing_ranker_fails_the_test() -> None:
    with pytest.raises(ZeroDivisionError):
        rescored(Breaks("breaks", "breaks_v1"))


@pytest.mark.parametrize("said", [[1.0, np.nan, 0.0, 0.0], [np.inf, 0.0, 0.0, 0.0], [1.0, 2.0], [[1.0, 2.0, 3.0, 4.0]]])
def test_what_is_no_score_for_each_candidate_is_told_and_not_used(said: list[float]) -> None:
    done = rescored(Babbles(np.array(said, dtype=np.float32)))
    assert [(skip.engine, skip.code) for skip in done.skips] == [("babbles", "failed")]
    assert done.candidates.rows.tolist() == list(range(6))


def test_an_empty_list_asks_nobody() -> None:
    ranker = Prefers(0)
    nothing = Candidates(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
    done = rescored(ranker, found=nothing)
    assert (len(done.candidates), done.by, ranker.asked) == (0, "", [])


@given(
    scores=st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=12),
    liked=st.permutations(range(12)),
    top=st.integers(1, 15),
)
def test_every_list_descends_and_holds_the_same_rows(scores: list[float], liked: list[int], top: int) -> None:
    before = np.array(sorted(scores, reverse=True), dtype=np.float32)
    rows = np.arange(before.size)
    found = rescored(Prefers(*liked), top=top, found=Candidates(rows, before)).candidates
    assert sorted(found.rows.tolist()) == rows.tolist()
    assert (np.diff(found.scores) <= 0).all()
    assert sorted(found.scores.tolist()) == sorted(before.tolist())
    assert found.rows[top:].tolist() == rows[top:].tolist()
    back = np.argsort(found.rows)
    assert found.parts["score"][back].tolist() == before.tolist()


def test_a_ranker_bound_to_the_exports_rows_never_sees_offers_and_it_is_told() -> None:
    items, side = offered([Offer(item_id=f"o{place}", title=f"Offer {place}") for place in range(6)], "board")
    ranker = Prefers(5, 4)
    asked = replace(query(items), offered=side)
    done = Rescore({"careful": ranker}, by=["careful"]).run(asked, found_of())
    assert ranker.asked == []
    assert done.candidates.rows.tolist() == list(range(6))
    assert [(skip.engine, skip.code) for skip in done.skips] == [("careful", "no_prediction")]


def test_a_ranker_that_reads_offers_orders_them() -> None:
    items, side = offered([Offer(item_id=f"o{place}") for place in range(6)], "board")
    ranker = ReadsOffers(5, 4)
    done = Rescore({"careful": ranker}, by=["careful"]).run(replace(query(items), offered=side), found_of())
    assert (done.by, done.candidates.rows.tolist()[:2]) == ("careful", [5, 4])
