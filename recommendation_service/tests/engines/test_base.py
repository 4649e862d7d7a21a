"""call_safely: an engine that fails is skipped, and one that knows only the rows of the export never sees other rows."""

from dataclasses import replace

import pytest

from recommendation_service import wiring
from recommendation_service.domain.answer import Skip
from recommendation_service.domain.query import Query
from recommendation_service.domain.request import Offer
from recommendation_service.engines.base import ENGINE_ERRORS, Engine, call_safely
from recommendation_service.pipeline.resolve import offered
from recommendation_service.tests.engines import board
from recommendation_service.tests.engines.says import Breaks, Says

READS_OFFERS = {"attributes", "neural", "ensemble"}


class Reads(Says):
    reads_offers = True


def with_offers() -> Query:
    items, side = offered([Offer(item_id="item-001"), Offer(item_id="stranger")], "board")
    return replace(board.query(items), offered=side)


def test_what_the_engine_gives_is_given_on() -> None:
    assert call_safely(Says("als", [1.0]), board.query(board.catalogue(1)), lambda: "said") == "said"


def test_an_engine_bound_to_the_exports_rows_has_no_turn_with_offers() -> None:
    engine = Says("als", [1.0, 2.0])
    given = call_safely(engine, with_offers(), lambda: engine.scores(with_offers()))
    assert given == Skip(engine="als", code="no_prediction", detail="als knows only the items of the export, not the offers")
    assert engine.asked == 0


def test_an_engine_that_reads_offers_has_its_turn() -> None:
    engine = Reads("rule_based", [1.0, 2.0])
    given = call_safely(engine, with_offers(), lambda: engine.scores(with_offers()))
    assert given is engine.given


def test_only_kinds_without_rows_of_their_own_read_offers() -> None:
    kinds = {kind: getattr(make, "__self__", make) for kind, make in wiring.ENGINES.items()}
    assert all(issubclass(engine, Engine) for engine in kinds.values())
    assert {kind for kind, engine in kinds.items() if engine.reads_offers} == READS_OFFERS & set(kinds)


def test_a_bug_becomes_a_value_in_service_and_shows_in_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, query = Breaks("als", None), board.query(board.catalogue(1))
    with pytest.raises(ZeroDivisionError):
        call_safely(engine, query, lambda: engine.scores(query))
    monkeypatch.setattr(ENGINE_ERRORS, "reraise", False)
    given = call_safely(engine, query, lambda: engine.scores(query))
    assert given == Skip(engine="als", code="failed", detail="als failed (ZeroDivisionError); the log has the traceback")
