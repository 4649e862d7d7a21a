"""Candidates and their reasons: what the pipeline hands from stage to stage."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.domain.answer import Skip


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Rows between retrieval and answer, best first, with the parts of each score."""

    rows: Ints  # (k,) unique
    scores: Floats  # (k,) finite, descending as the engine made them
    parts: Mapping[str, Floats] = field(default_factory=dict)  # name -> (k,) share of the score, NaN: none

    def __len__(self) -> int:
        return int(self.rows.size)

    @classmethod
    def none(cls) -> "Candidates":
        """Return a list without candidates."""
        return cls(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))

    def take(self, indices: Ints) -> "Candidates":
        """Return the candidates at `indices`, in that order."""
        parts = {name: part[indices] for name, part in self.parts.items()}
        return Candidates(self.rows[indices], self.scores[indices], parts)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item is shown, as text for the user. Never names another user."""

    engine: str
    text: str
    strength: float  # comparable between the reasons of one engine only
    personal: bool = True  # False: the same for every user


SEEN_EVERYTHING = "seen_everything"  # code of the Skip where seen items are shown again
ALL_SEEN = "you have seen everything here, so popular items are shown again"
SEEN_BEFORE = "You have seen everything here; popular again"  # the reason of each of those items


@dataclass(frozen=True, slots=True, eq=False)
class Retrieved:
    """What one engine retrieved for a query, with everything that later stages need of it."""

    candidates: Candidates  # with the parts of each score
    skips: tuple[Skip, ...] = ()  # parts of the engine that were missing, such as members of an ensemble
    timings: Mapping[str, float] = field(default_factory=dict)  # stage -> ms, of engines that work in stages
    basis: Any = None  # what the scores were computed from; `Engine.explain` takes it back
