"""A small use case over the checkerboard, and engines that say what a test tells them to."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.domain.answer import Skip
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.base import Engine, Scored
from recommendation_service.use_cases.schema import UseCase

CHAIN = ("ensemble", "als", "two_tower", "content_based", "popular")
BY_COUNT = {"kind": "by_count", "options": {"cold": "content_based", "warm": "als", "hot": "ensemble"}}


def use_case(**surface: Any) -> UseCase:
    """One surface, "home", as the startups file routes it, changed by `surface`; engines of the five kinds."""
    home = {"catalogue": "board", "router": BY_COUNT, "fallback": CHAIN, **surface}
    return UseCase.model_validate(
        {
            "name": "tiles",
            "catalogues": ["board"],
            "events": {"view": 1.0, "like": 3.0, "dismiss": -3.0},
            "engines": {
                "als": {"kind": "als"},
                "two_tower": {"kind": "two_tower"},
                "content_based": {"kind": "content"},
                "popular": {"kind": "popularity"},
                "ensemble": {"kind": "ensemble", "options": {"members": {"als": 0.6, "two_tower": 0.4}}},
            },
            "surfaces": {"home": home},
        }
    )


class Says(Engine):
    """The given scores, NaN where a row is not named; None: it can say nothing."""

    label = "says"

    def __init__(self, name: str, scores: Mapping[int, float] | None, missing: Sequence[Skip] = ()) -> None:
        super().__init__(name, f"{name}_v1")
        self.given = scores
        self.missing = tuple(missing)
        self.explained: list[int] = []

    def scores(self, query: Query) -> Floats | None:
        if self.given is None:
            return None
        scores = np.full(len(query.catalogue), np.nan, dtype=np.float32)
        scores[list(self.given)] = list(self.given.values())
        return scores

    def scored(self, query: Query) -> Scored:
        return Scored(self.scores(query), self.missing)

    def explain(
        self, query: Query, rows: Ints, parts: Mapping[str, Floats] | None = None, basis: object = None
    ) -> list[tuple[Reason, ...]]:
        self.explained += rows.tolist()
        return [(Reason(self.name, f"{self.name} says so", 1.0),)] * rows.size


class Breaks(Says):
    """Raises whatever it is asked."""

    def __init__(self, name: str) -> None:
        super().__init__(name, {})

    def scores(self, query: Query) -> Floats | None:
        raise ZeroDivisionError("a bug in one engine")


def all_rows(n: int, *, top: int = 0) -> dict[int, float]:
    """Scores for every row, best at `top` and falling from there on, round the end."""
    return {(top + place) % n: float(n - place) for place in range(n)}
