"""The shape of a use-case file. Strict: an unknown word stops the start and lists the known ones."""

from collections.abc import Collection, Iterable
from math import log
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

SurfaceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Strict(BaseModel):
    """Frozen, and refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EventWeight(Strict):
    """How much one event says. With `neutral`, the event's value counts: weight * (value - neutral)."""

    weight: float
    neutral: float | None = None


def _plain_number(raw: Any) -> Any:
    return {"weight": raw} if isinstance(raw, int | float) else raw


class Weighting(Strict):
    """How a user's events with one item become one number."""

    half_life_days: float | None = Field(default=None, gt=0)  # halves a weight in so many days; None: age does not matter
    decay_days: float | None = Field(default=None, gt=0)  # or said as the time constant: weight * exp(-days / decay_days)
    cap: float | None = Field(default=None, gt=0)  # |weight| of one user and item never exceeds this

    @model_validator(mode="after")
    def _one_decay(self) -> "Weighting":
        if self.half_life_days and self.decay_days:
            raise ValueError("half_life_days and decay_days say the same thing in two ways; keep one")
        return self

    @property
    def halving_days(self) -> float | None:
        """Days in which a weight halves, whichever way the file says it; None: age does not matter."""
        return self.decay_days * log(2) if self.decay_days else self.half_life_days


class Outcomes(Strict):
    """Which events, answering a shown list, count as clicking and as reaching the goal; statistics are made of these."""

    clicks: tuple[Word, ...] = ()
    conversions: tuple[Word, ...] = ()


class Part(Strict):
    """A named piece of code (engine, ranker, router, rule, reranker) with its options, checked where it is built.

    `options` are of its serving side, `training` the parameters that its trainer takes in place of the stated ones.
    """

    kind: Word
    options: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)


class Surface(Strict):
    """One place that asks: which catalogue, who goes first, who next, and what happens to the list after."""

    catalogue: Word
    title: str = ""  # its heading for people; empty: its name
    about: Literal["user", "item", "basket"] = "user"
    router: Part
    fallback: tuple[Word, ...] = Field(min_length=1)
    newcomers: Word | None = None  # engine for somebody of whom nothing at all is known; None: the router decides
    strategies: tuple[Word, ...] = ()  # engines that a caller may put first by name
    candidates: int = Field(default=200, ge=1, le=10_000)
    rerank: tuple[Part, ...] = ()
    rules: tuple[Part, ...] = (Part(kind="exclude_seen"),)
    cache_seconds: int | None = Field(default=None, ge=0)  # how long Django keeps a list; None: its own setting
    count_hits: bool = False  # Django counts how often a kept list was shown again


class UseCase(Strict):
    """One site's whole system."""

    name: Word
    title: str = ""
    catalogues: tuple[Word, ...] = Field(min_length=1)
    events: dict[Word, Annotated[EventWeight, BeforeValidator(_plain_number)]] = Field(min_length=1)
    weighting: Weighting = Weighting()
    engines: dict[Word, Part] = Field(min_length=1)
    rankers: dict[Word, Part] = {}
    surfaces: dict[SurfaceName, Surface] = Field(min_length=1)
    outcomes: Outcomes = Outcomes()
    switched_off: tuple[Word, ...] = ()  # engines that stay defined and trained but do not answer

    @model_validator(mode="after")
    def _names_are_defined(self) -> "UseCase":
        _known("switched_off names", self.switched_off, self.engines, "this file defines")
        for name, surface in self.surfaces.items():
            _known(f"surface '{name}' shows", [surface.catalogue], self.catalogues, "catalogues are")
            _known(f"surface '{name}' falls back to", surface.fallback, self.engines, "this file defines")
            _known(
                f"surface '{name}' meets newcomers with", filter(None, [surface.newcomers]), self.engines, "this file defines"
            )
            _known(f"surface '{name}' offers", surface.strategies, self.engines, "this file defines")
        _known("outcomes name", [*self.outcomes.clicks, *self.outcomes.conversions], self.events, "events are")
        return self

    def engine_of_kind(self, kind: str) -> tuple[str, Part] | None:
        """Name and part of the first engine of that kind, or None."""
        return next(((name, part) for name, part in self.engines.items() if part.kind == kind), None)

    def main_ensemble(self) -> tuple[str, Part] | None:
        """Name and part of the ensemble that is no other ensemble's member, or None: the one whose weights are learned."""
        blends = {name: part for name, part in self.engines.items() if part.kind == "ensemble"}
        members = {member for part in blends.values() for member in part.options.get("members", {})}
        return next(((name, part) for name, part in blends.items() if name not in members), None)


def _known(who: str, named: Iterable[str], there: Collection[str], are: str) -> None:
    stranger = next((name for name in named if name not in there), None)
    if stranger is not None:
        raise ValueError(f"{who} '{stranger}'; {are} {', '.join(sorted(there))}")
