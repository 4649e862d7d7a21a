"""Rerankers: small functions that move candidates and say by how much, as one more part of the score."""

from collections.abc import Callable, Mapping

import numpy as np

from recommendation_service.core.numeric import Floats, unit_rows
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates

DAY_S = 86_400.0


def freshness(query: Query, found: Candidates, *, days: float = 30.0, boost: float = 0.2, least: float = 0.05) -> Candidates:
    """Newer items up, and only those: an item of today gains `boost` times the list's score range, less each day.

    One just short of `days` old still gains `least` times the range (or `boost`, if that is less); from `days` on, as of
    unknown age, an item gains nothing. One dated in the future counts as new.
    """
    age_days = np.maximum(query.now / DAY_S - query.catalogue.created[found.rows].astype(np.float64), 0.0)
    smallest = min(least, boost)
    share = np.where(age_days < days, boost - (boost - smallest) * age_days / days, 0.0)
    return _moved(found, "freshness", (_range(found.scores) * share).astype(np.float32))


def diversity(query: Query, found: Candidates, *, weight: float = 0.3, facet: str | tuple[str, ...] = "tags") -> Candidates:
    """Items like those already above them down: maximal marginal relevance (Carbonell & Goldstein, 1998).

    Likeness is the cosine of the items' values of `facet`, or of several together. An item loses `weight` times the list's
    score range times its likeness to the most alike item above it, so the scores that come back still descend.
    """
    names = (facet,) if isinstance(facet, str) else facet
    owners = [query.catalogue.facets[name] for name in names if name in query.catalogue.facets]
    if not owners or len(found) < 2:
        return found
    tags = unit_rows(np.hstack([owner.matrix[found.rows].toarray() for owner in owners]))
    alike = tags @ tags.T
    penalty = np.float32(weight) * np.float32(_range(found.scores))
    nearest = np.zeros(len(found), dtype=np.float32)
    loss = np.zeros(len(found), dtype=np.float32)
    waiting = np.ones(len(found), dtype=np.bool_)
    for _ in range(len(found)):
        marginal = np.where(waiting, found.scores - penalty * nearest, -np.inf)
        best = int(np.argmax(marginal))
        waiting[best] = False
        loss[best] = -penalty * nearest[best]
        nearest = np.where(waiting, np.maximum(nearest, alike[best]), nearest)
    return _moved(found, "diversity", loss)


def _range(scores: Floats) -> float:
    """Spread of the scores; 1 where all are equal, so that rerankers still decide."""
    return float(np.ptp(scores)) or 1.0 if scores.size else 1.0


def _moved(found: Candidates, name: str, change: Floats) -> Candidates:
    scores = (found.scores + change).astype(np.float32)
    order = np.argsort(-scores, kind="stable")
    return Candidates(found.rows, scores, {**found.parts, name: change}).take(order)


RERANKERS: Mapping[str, Callable[..., Candidates]] = {"freshness": freshness, "diversity": diversity}
