"""The answer on its way out: candidates, reasons, and the slate of recommendations."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from recommendation_service.core.numeric import Floats, Ints


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
        """No candidates."""
        return cls(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))

    def take(self, indices: Ints) -> "Candidates":
        """The candidates at `indices`, in that order."""
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
ALL_SEEN = "everything that could be shown was seen, so popular items come again"
SEEN_BEFORE = "You have seen everything here; popular again"  # the reason of each of those items


@dataclass(frozen=True, slots=True)
class Skip:
    """An engine that should have answered and did not: `code` is a stable identifier, `detail` is for people."""

    engine: str
    code: str  # switched_off | not_trained | refused | no_prediction | seen_everything | failed | timeout | partial
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class Retrieved:
    """What one engine retrieved for a query, with all that it learned while scoring."""

    candidates: Candidates  # with the parts of each score
    skips: tuple[Skip, ...] = ()  # parts of the engine that were missing, such as members of an ensemble
    timings: Mapping[str, float] = field(default_factory=dict)  # stage -> ms, of engines that work in stages


@dataclass(frozen=True, slots=True)
class StageRun:
    """What one stage of the pipeline did for one answer, and how long it took."""

    name: str  # resolve | generate | score | retrieve | a reranker's kind | rules | explain
    ms: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One shown item."""

    item_id: str
    score: float
    position: int  # 1 is the top
    reasons: tuple[Reason, ...] = ()
    parts: Mapping[str, float] = field(default_factory=dict)
    title: str = ""


@dataclass(frozen=True, slots=True)
class Slate:
    """The answer to one request."""

    request_id: str
    use_case: str
    surface: str
    user_id: str | None
    method_used: str
    model_version: str
    generated_at: float  # seconds since 1970-01-01 UTC
    recommendations: tuple[Recommendation, ...]
    degradation: tuple[Skip, ...] = ()
    interaction_count: int = 0
    probabilities: Mapping[str, float] = field(default_factory=dict)  # engine -> chance of being chosen first; {}: no chance
    stages: tuple[StageRun, ...] = ()  # filled if the request has `explain`

    @property
    def degraded(self) -> bool:
        """True if the engine that the router chose did not answer, or answered only in part."""
        return bool(self.degradation)
