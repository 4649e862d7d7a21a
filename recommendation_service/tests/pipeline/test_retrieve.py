from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendation_service.domain.answer import Skip
from recommendation_service.domain.query import Query
from recommendation_service.engines.base import ENGINE_ERRORS, Engine
from recommendation_service.pipeline.retrieve import NO_METHOD, ChainResult, retrieve
from recommendation_service.pipeline.surface_pipeline import Plan
from recommendation_service.tests.engines import board
from recommendation_service.tests.pipeline.setting import CHAIN, Breaks, Says, all_rows, use_case

N = 24


def found(engines: Mapping[str, Engine], *, off: Sequence[str] = (), count: int = 25, **words) -> ChainResult:  # type: ignore[no-untyped-def]
    plan = Plan.build(use_case().model_copy(update={"switched_off": tuple(off)}), "home")
    query = asked(count=count, **words)
    return retrieve(plan, plan.route(query), query, engines)


def asked(**words) -> Query:  # type: ignore[no-untyped-def]
    again = words.pop("seen_again", False)
    return replace(board.query(board.catalogue(), **words), seen_again=again)


def everyone() -> dict[str, Engine]:
    return {name: Says(name, all_rows(N, top=place)) for place, name in enumerate(CHAIN)}


@pytest.mark.parametrize(("count", "engine"), [(0, "content_based"), (4, "content_based"), (5, "als"), (20, "ensemble")])
def test_the_router_says_who_answers(count: int, engine: str) -> None:
    answer = found(everyone(), count=count)
    assert (answer.method, answer.version, answer.skips) == (engine, f"{engine}_v1", ())


def test_each_level_of_the_chain_stands_in_for_the_one_above_and_says_why() -> None:
    engines = everyone()
    for place, gone in enumerate(CHAIN[:-1]):
        engines[gone] = Says(gone, None)
        answer = found(engines)
        assert answer.method == CHAIN[place + 1]
        assert [(skip.engine, skip.code) for skip in answer.skips] == [(name, "no_prediction") for name in CHAIN[: place + 1]]


def test_the_chain_goes_on_after_the_engine_the_router_named() -> None:
    engines = everyone()
    engines["content_based"] = Says("content_based", None)
    answer = found(engines, count=0)
    assert answer.method == "popular"  # not back up to als for someone who is cold
    assert [skip.engine for skip in answer.skips] == ["content_based"]


def test_a_router_outside_the_chain_is_followed_by_all_of_it() -> None:
    plan = Plan.build(use_case(fallback=["popular"]), "home")
    assert plan.route(asked(count=10)).chain == ("als", "popular")


def test_absence_a_switch_and_silence_are_told_apart() -> None:
    engines = everyone()
    del engines["als"]
    engines["two_tower"] = Says("two_tower", None)
    answer = found(engines, off=["ensemble"])
    assert answer.method == "content_based"
    assert [(skip.engine, skip.code) for skip in answer.skips] == [
        ("ensemble", "switched_off"),
        ("als", "not_trained"),
        ("two_tower", "no_prediction"),
    ]


def test_an_engine_that_fails_costs_only_its_turn(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(ENGINE_ERRORS, "reraise", False)
    answer = found({**everyone(), "ensemble": Breaks("ensemble")})
    assert answer.method == "als"
    assert [(skip.engine, skip.code) for skip in answer.skips] == [("ensemble", "failed")]
    assert "Traceback" in caplog.text
    assert "a bug in one engine" not in answer.skips[0].detail


def test_in_tests_a_failing_engine_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        found({**everyone(), "ensemble": Breaks("ensemble")})


def test_scores_that_are_not_numbers_count_as_failure() -> None:
    answer = found({**everyone(), "ensemble": Says("ensemble", {0: float("inf"), 1: 1.0})})
    assert (answer.method, answer.skips[0].code) == ("als", "failed")


def test_what_an_ensemble_missed_is_in_the_answer() -> None:
    missing = Skip(engine="als", code="partial", detail="als has no prediction")
    answer = found({**everyone(), "ensemble": Says("ensemble", all_rows(N), [missing])})
    assert (answer.method, answer.skips) == ("ensemble", (missing,))


def test_an_ensemble_that_cannot_answer_says_which_members_failed_it() -> None:
    missing = Skip(engine="als", code="partial", detail="als is switched off")
    answer = found({**everyone(), "ensemble": Says("ensemble", None, [missing])})
    assert answer.skips[0].detail == "ensemble has no prediction for this user: als is switched off"


def test_too_few_are_filled_up_from_the_rest_of_the_chain_below_and_once() -> None:
    engines = everyone() | {"als": Says("als", {3: 9.0, 4: 8.0}), "two_tower": Says("two_tower", {4: 7.0, 5: 100.0})}
    answer = found(engines, count=10, limit=6)
    assert answer.method == "als"
    assert answer.skips == ()  # filling is no degradation
    rows, scores = answer.candidates.rows.tolist(), answer.candidates.scores
    assert rows[:3] == [3, 4, 5]
    assert len(rows) == len(set(rows)) == 6
    assert (np.diff(scores) <= 0).all()
    assert [answer.sources[row].engine.name for row in rows[:3]] == ["als", "als", "two_tower"]
    total = np.nansum(list(answer.candidates.parts.values()), axis=0)
    np.testing.assert_allclose(total, scores, rtol=1e-5)


def test_a_list_that_is_long_enough_asks_nobody_else() -> None:
    engines = everyone() | {"als": Says("als", {3: 9.0, 4: 8.0}), "two_tower": Breaks("two_tower")}
    assert found(engines, count=10, limit=2).candidates.rows.tolist() == [3, 4]


def test_filling_never_brings_back_what_must_not_be_shown() -> None:
    eligible = np.zeros(N, dtype=np.bool_)
    eligible[[1, 3, 5]] = True
    answer = found(everyone() | {"als": Says("als", {3: 1.0})}, count=10, limit=10, eligible=eligible)
    assert sorted(answer.candidates.rows.tolist()) == [1, 3, 5]
    assert answer.skips == ()


def test_with_trimming_rules_the_pool_is_filled_deeper_than_the_limit() -> None:
    rules = [{"kind": "exclude_seen"}, {"kind": "max_per_category", "options": {"limit": 2}}]
    plan = Plan.build(use_case(rules=rules, candidates=12), "home")
    engines = everyone() | {"als": Says("als", {0: 9.0, 2: 8.0, 4: 7.0})}
    answer = retrieve(plan, plan.route(asked(count=10)), asked(count=10, limit=3), engines)
    assert len(answer.candidates) == 12


@pytest.mark.parametrize(
    ("mask", "told"), [(np.zeros(N, dtype=np.bool_), "every item is filtered away, excluded, disliked or not available now")]
)
def test_nothing_left_is_an_empty_answer_with_a_reason(mask: np.ndarray, told: str) -> None:
    answer = found(everyone(), eligible=mask)
    assert (answer.method, len(answer.candidates)) == (NO_METHOD, 0)
    assert (answer.skips[0].engine, answer.skips[0].detail) == ("ensemble", told)  # the one that was named
    assert answer.candidates.scores.size == 0


def test_where_everything_was_seen_the_last_of_the_chain_answers_and_it_is_told() -> None:
    answer = found(everyone(), seen_again=True, limit=3)
    assert (answer.method, answer.candidates.rows[:3].tolist()) == ("popular", [4, 5, 6])
    assert [(skip.engine, skip.code) for skip in answer.skips] == [("ensemble", "seen_everything")]


def test_where_everything_was_seen_and_popular_is_switched_off_the_others_answer() -> None:
    answer = found(everyone(), off=["popular"], seen_again=True)
    assert answer.method == "ensemble"
    assert [skip.code for skip in answer.skips] == ["seen_everything", "switched_off"]


def test_an_empty_catalogue_is_an_empty_answer_with_a_reason() -> None:
    plan = Plan.build(use_case(), "home")
    answer = retrieve(plan, plan.route(board.query(board.catalogue(0))), board.query(board.catalogue(0)), everyone())
    assert (answer.method, answer.skips[0].detail) == (NO_METHOD, "board has no items")


def test_a_chain_that_is_silent_to_its_end_is_an_empty_answer_with_every_reason() -> None:
    answer = found({name: Says(name, None) for name in CHAIN})
    assert answer.method == NO_METHOD
    assert [skip.engine for skip in answer.skips] == list(CHAIN)


says = st.one_of(st.none(), st.dictionaries(st.integers(0, N - 1), st.floats(-100, 100, width=32), max_size=N))


@settings(max_examples=80, deadline=None)
@given(
    given=st.dictionaries(st.sampled_from(CHAIN), says),
    off=st.sets(st.sampled_from(CHAIN)),
    mask=st.lists(st.booleans(), min_size=N, max_size=N),
    count=st.integers(0, 30),
    limit=st.integers(1, 30),
)
def test_whatever_engines_say_the_answer_keeps_its_promises(given, off, mask, count, limit) -> None:  # type: ignore[no-untyped-def]
    engines = {name: Says(name, scores) for name, scores in given.items()}
    plan = Plan.build(use_case().model_copy(update={"switched_off": tuple(off)}), "home")
    query = replace(asked(count=count, limit=limit), eligible=np.array(mask))
    answer = retrieve(plan, plan.route(query), query, engines)
    rows, scores = answer.candidates.rows, answer.candidates.scores
    assert query.eligible[rows].all()
    assert np.unique(rows).size == rows.size
    assert np.isfinite(scores).all()
    assert (np.diff(scores) <= 0).all()
    assert bool(answer.skips) == (answer.method != plan.route(query).chain[0])
    assert (answer.method == NO_METHOD) == (rows.size == 0)
    assert {source.engine.name for source in answer.sources.values()}.isdisjoint(off)
    assert set(answer.sources) >= set(rows.tolist())
