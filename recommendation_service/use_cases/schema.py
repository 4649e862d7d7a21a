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


class Feature(Strict):
    """One number that a network reads of a pair: (column - offset) / scale, of log(1 + column) if `log1p`."""

    name: Word  # a column of either side, or a derived one
    offset: float = 0.0
    scale: float = Field(default=1.0, gt=0)
    log1p: bool = False


class PairConfig(Strict):
    """How the things of two catalogues meet, such as jobs and cleaners: what is worked out of a pair, and what is learned.

    The names of both sides' columns are one set of words: what both have must be called differently. `derived` columns
    are of the pair; `datasets.pair_features` knows their kinds. `features` are what the networks read, in this order.
    """

    left: Word  # catalogue of what is asked for, such as jobs
    right: Word  # catalogue of who does it, such as cleaners; the models of pairs are published there
    owner_column: dict[Word, Word]  # catalogue -> word column that says which person it belongs to; "id": it is the person
    embedding_columns: tuple[Word, ...] = ()  # word columns learned as vectors
    derived: dict[Word, Part] = {}
    features: tuple[Feature, ...] = ()


class Surface(Strict):
    """One place that asks: which catalogue, who goes first, who next, and what happens to the list after.

    About a "context", it is asked for what suits one thing of another catalogue, `context`: cleaners for a job.
    """

    catalogue: Word
    title: str = ""  # its heading for people; empty: its name
    about: Literal["user", "item", "basket", "context"] = "user"
    context: Word | None = None
    router: Part
    fallback: tuple[Word, ...] = Field(min_length=1)
    cold_start_engine: Word | None = None  # engine for somebody of whom nothing at all is known; None: the router decides
    strategies: tuple[Word, ...] = ()  # engines that a caller may put first by name
    candidates: int = Field(default=200, ge=1, le=10_000)
    rerank: tuple[Part, ...] = ()
    rules: tuple[Part, ...] = (Part(kind="exclude_seen"),)
    cache_seconds: int | None = Field(default=None, ge=0)  # how long Django keeps a list; None: its own setting
    track_cache_hits: bool = False  # Django counts how often a kept list was shown again


class UseCase(Strict):
    """One site's whole system."""

    name: Word
    title: str = ""
    catalogues: tuple[Word, ...] = Field(min_length=1)
    events: dict[Word, Annotated[EventWeight, BeforeValidator(_plain_number)]] = Field(min_length=1)
    weighting: Weighting = Weighting()
    engines: dict[Word, Part] = Field(min_length=1)
    rankers: dict[Word, Part] = {}
    pairs: PairConfig | None = None
    estimators: dict[Word, Part] = {}
    surfaces: dict[SurfaceName, Surface] = Field(min_length=1)
    outcomes: Outcomes = Outcomes()
    switched_off: tuple[Word, ...] = ()  # engines that stay defined and trained but do not answer

    @model_validator(mode="after")
    def _names_are_defined(self) -> "UseCase":
        _known("switched_off names", self.switched_off, self.engines, "this file defines")
        self._sides_are_known()
        for name, surface in self.surfaces.items():
            _known(f"surface '{name}' shows", [surface.catalogue], self.catalogues, "catalogues are")
            _known(f"surface '{name}' falls back to", surface.fallback, self.engines, "this file defines")
            _known(
                f"surface '{name}' meets newcomers with",
                filter(None, [surface.cold_start_engine]),
                self.engines,
                "this file defines",
            )
            _known(f"surface '{name}' offers", surface.strategies, self.engines, "this file defines")
            self._context_is_met(name, surface)
        _known("outcomes name", [*self.outcomes.clicks, *self.outcomes.conversions], self.events, "events are")
        return self

    def _context_is_met(self, name: str, surface: Surface) -> None:
        if surface.about == "context" and surface.context not in self._met_by(surface.catalogue):
            raise ValueError(f"surface '{name}' is about a context: [pairs] must pair '{surface.catalogue}' with it")
        if surface.about != "context" and surface.context is not None:
            raise ValueError(
                f"surface '{name}' names a context, '{surface.context}', and is about {surface.about}; say context"
            )

    def _sides_are_known(self) -> None:
        if self.pairs is not None:
            sides = (self.pairs.left, self.pairs.right)
            if sides[0] == sides[1]:
                raise ValueError(f"[pairs] pairs '{sides[0]}' with itself; name two catalogues")
            _known("[pairs] pairs", sides, self.catalogues, "catalogues are")
            _known("[pairs] names the owner column of", self.pairs.owner_column, sides, "it pairs")

    def _met_by(self, catalogue: str) -> tuple[str, ...]:
        """The catalogue whose things meet those of this one; () where none does."""
        if self.pairs is None or catalogue not in (self.pairs.left, self.pairs.right):
            return ()
        return (self.pairs.right if catalogue == self.pairs.left else self.pairs.left,)

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
