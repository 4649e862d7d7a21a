"""Reasons for the rows that are shown, and for these only."""

from collections.abc import Mapping
from functools import partial

from recommendation_service.core.numeric import Ints
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import SEEN_BEFORE, Reason, Skip
from recommendation_service.engines.base import Engine
from recommendation_service.engines.safe_call import take_turn


def reasons_for(
    query: Query, rows: Ints, sources: Mapping[int, Engine]
) -> tuple[dict[int, tuple[Reason, ...]], tuple[Skip, ...]]:
    """Each row's reasons from the engine that proposed it, and the engines that failed to give any, once each."""
    found: dict[int, tuple[Reason, ...]] = {}
    failed: dict[str, Skip] = {}
    for row in rows.tolist():
        engine = sources[row]
        given = () if engine.name in failed else take_turn(engine, query, partial(engine.reasons, query, row))
        if isinstance(given, Skip):
            failed[engine.name] = Skip(engine.name, "partial", f"{engine.name} could not give its reasons")
        why = (Reason(engine.name, SEEN_BEFORE, 0.0),) if query.seen_again else ()
        found[row] = why if isinstance(given, Skip) else (*why, *given)
    return found, tuple(failed.values())
