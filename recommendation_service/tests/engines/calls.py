"""One engine called for one query, as the pipeline calls it."""

from collections.abc import Mapping

import numpy as np

from recommendation_service.core.numeric import Floats
from recommendation_service.domain.answer import Skip
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates, Reason
from recommendation_service.engines.base import Engine
from recommendation_service.engines.ensemble import Ensemble


def candidates(engine: Engine, query: Query, limit: int) -> Candidates | None:
    """The candidates; None where the engine has none."""
    retrieved = engine.retrieve(query, limit)
    return retrieved.candidates if retrieved is not None and len(retrieved.candidates) else None


def skips(engine: Engine, query: Query) -> tuple[Skip, ...]:
    """What was missing from the engine's answer."""
    retrieved = engine.retrieve(query, 10)
    return () if retrieved is None else retrieved.skips


def timings(engine: Engine, query: Query) -> Mapping[str, float]:
    """Stage -> ms of the engine's answer."""
    retrieved = engine.retrieve(query, 10)
    return {} if retrieved is None else retrieved.timings


def reasons(engine: Engine, query: Query, row: int) -> tuple[Reason, ...]:
    """The reasons for one row, with the parts of its score where the engine is an ensemble."""
    (given,) = engine.explain(query, np.array([row]), _parts(engine, query, row))
    return given


def best_reason(engine: Engine, query: Query, row: int) -> Reason | None:
    """The best of them."""
    return next(iter(reasons(engine, query, row)), None)


def _parts(engine: Engine, query: Query, row: int) -> Mapping[str, Floats] | None:
    found = candidates(engine, query, len(query.catalogue)) if isinstance(engine, Ensemble) else None
    return found.take(np.flatnonzero(found.rows == row)).parts if found is not None and row in found.rows else None
