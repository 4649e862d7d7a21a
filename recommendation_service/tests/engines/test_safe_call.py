"""Turns: an engine that fails is passed over, and one that knows the export's rows only never sees other rows."""

from dataclasses import replace

import pytest

from recommendation_service import wiring
from recommendation_service.domain.query import Query
from recommendation_service.domain.side import Thing
from recommendation_service.domain.slate import Skip
from recommendation_service.engines.base import Engine
from recommendation_service.engines.safe_call import Turns, take_turn
from recommendation_service.pipeline.contexts import offered
from recommendation_service.tests.engines import board
from recommendation_service.tests.engines.says import Breaks, Says

READS_OFFERS = {"attributes", "neural", "ensemble"}


class Reads(Says):
    reads_offers = True


def with_offers() -> Query:
    items, side = offered([Thing("item-001"), Thing("stranger")], "board")
    return replace(board.query(items), offered=side)


def test_what_the_engine_gives_is_given_on() -> None:
    assert take_turn(Says("als", [1.0]), board.query(board.catalogue(1)), lambda: "said") == "said"


def test_an_engine_bound_to_the_exports_rows_has_no_turn_with_offers() -> None:
    engine = Says("als", [1.0, 2.0])
    given = take_turn(engine, with_offers(), lambda: engine.scores(with_offers()))
    assert given == Skip("als", "cannot_say", "als knows the export's items only, not what was offered")
    assert engine.asked == 0


def test_an_engine_that_reads_offers_has_its_turn() -> None:
    engine = Reads("rule_based", [1.0, 2.0])
    given = take_turn(engine, with_offers(), lambda: engine.scores(with_offers()))
    assert given is engine.given


def test_only_kinds_without_rows_of_their_own_read_offers() -> None:
    kinds = {kind: getattr(make, "__self__", make) for kind, make in wiring.KINDS.items()}
    assert all(issubclass(engine, Engine) for engine in kinds.values())
    assert {kind for kind, engine in kinds.items() if engine.reads_offers} == READS_OFFERS & set(kinds)


def test_a_bug_becomes_a_value_in_service_and_shows_in_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, query = Breaks("als", None), board.query(board.catalogue(1))
    with pytest.raises(ZeroDivisionError):
        take_turn(engine, query, lambda: engine.scores(query))
    monkeypatch.setattr(Turns, "reraise", False)
    given = take_turn(engine, query, lambda: engine.scores(query))
    assert given == Skip("als", "failed", "als failed (ZeroDivisionError); the log has the traceback")
