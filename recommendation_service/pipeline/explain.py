"""Reasons for the rows that are shown, and for these only."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from recommendation_service.domain.answer import Skip
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import SEEN_BEFORE, Candidates, Reason
from recommendation_service.engines.base import call_safely
from recommendation_service.pipeline.retrieve import Source


def explain(
    query: Query, shown: Candidates, sources: Mapping[int, Source]
) -> tuple[dict[int, tuple[Reason, ...]], tuple[Skip, ...]]:
    """Return each row's reasons from the engine that proposed it, and one skip for each engine that failed to give any."""
    reasons: dict[int, tuple[Reason, ...]] = {}
    skips: list[Skip] = []
    rows = shown.rows.tolist()
    for source in dict.fromkeys(sources[row] for row in rows):
        engine = source.engine
        proposed = shown.take(np.array([index for index, row in enumerate(rows) if sources[row] is source]))
        explained = call_safely(engine, query, partial(engine.explain, query, proposed.rows, proposed.parts, source.basis))
        if isinstance(explained, Skip):
            skips.append(Skip(engine=engine.name, code="partial", detail=f"{engine.name} could not give its reasons"))
            explained = [()] * len(proposed)
        reasons |= dict(zip(proposed.rows.tolist(), explained, strict=True))
    if query.seen_again:
        for row, given in reasons.items():
            reasons[row] = (Reason(sources[row].engine.name, SEEN_BEFORE, 0.0), *given)
    return reasons, tuple(skips)
