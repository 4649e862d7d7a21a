"""The answer on its way out: candidates, reasons, and the slate of recommendations."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from recommendation_service.core.numeric import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Rows between retrieve and answer, best first, with the score's parts carried along."""

    rows: Ints  # (k,) unique
    scores: Floats  # (k,) finite, descending as the engine made them
    parts: Mapping[str, Floats] = field(default_factory=dict)  # part's name -> (k,) share of the score, NaN: none

    def __len__(self) -> int:
        return int(self.rows.size)

    def take(self, places: Ints) -> "Candidates":
        """The candidates at `places`, in that order."""
        parts = {name: part[places] for name, part in self.parts.items()}
        return Candidates(self.rows[places], self.scores[places], parts)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item is shown, in words a visitor may read. Never names another person."""

    engine: str
    text: str
    strength: float  # comparable between the reasons of one engine only
    personal: bool = True  # False: it would be said to anybody


SEEN_EVERYTHING = "seen_everything"  # code of the Skip where what was seen is shown again
ALL_SEEN = "everything that could be shown was seen, so popular items come again"
SEEN_BEFORE = "You have seen everything here; popular again"  # the reason that each of those items carries


@dataclass(frozen=True, slots=True)
class Skip:
    """An engine that should have answered and did not: `code` is stable, `detail` is for people."""

    engine: str
    code: str  # switched_off | not_trained | refused | cannot_say | seen_everything | failed | timeout | partial
    detail: str


@dataclass(frozen=True, slots=True)
class StageRun:
    """What one stage of the pipeline did for one answer: how long it took, and in words what there is to say."""

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
    """The whole answer to one Ask."""

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
    probabilities: Mapping[str, float] = field(default_factory=dict)  # engine -> chance of having gone first; {}: no chance
    stages: tuple[StageRun, ...] = ()  # told to those who ask why

    @property
    def degraded(self) -> bool:
        """True when the engine that the router named did not answer, or answered only in part."""
        return bool(self.degradation)
