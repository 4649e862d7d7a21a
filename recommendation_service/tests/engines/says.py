"""Engines that say what they are told to say, and blends of them."""

from collections.abc import Mapping, Sequence

import numpy as np

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.base import Engine
from recommendation_service.engines.ensemble import Ensemble
from recommendation_service.tests.engines import board


class Says(Engine):
    """Always the same scores, whoever asks."""

    label = "says"

    def __init__(self, name: str, scores: Sequence[float] | None, text: str = "") -> None:
        super().__init__(name, f"{name}_v1")
        self.given = None if scores is None else np.array(scores, dtype=np.float32)
        self.text = text
        self.asked = 0

    def scores(self, query: Query) -> Floats | None:
        self.asked += 1
        return self.given

    def explain(
        self, query: Query, rows: Ints, parts: Mapping[str, Floats] | None = None, basis: object = None
    ) -> list[tuple[Reason, ...]]:
        return [(Reason(self.name, self.text, 1.0),) if self.text else ()] * rows.size


class Breaks(Says):
    def scores(self, query: Query) -> Floats | None:
        raise ZeroDivisionError("a bug in one engine")


def asked(n: int = 4, eligible: Sequence[bool] | None = None) -> Query:
    mask = np.ones(n, dtype=np.bool_) if eligible is None else np.array(eligible)
    return board.query(board.catalogue(n), eligible=mask)


def blend_of(members: Mapping[str, Engine], **weights: float) -> Ensemble:
    return Ensemble.from_members("ensemble", members, members=weights)


def pair(one: Sequence[float] | None, other: Sequence[float] | None) -> dict[str, Engine]:
    return {"als": Says("als", one, "Because of A"), "two_tower": Says("two_tower", other, "Because of B")}
