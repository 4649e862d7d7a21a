"""The schema of a use-case file. An unknown key stops the start, and the error lists the known ones."""

from collections.abc import Collection, Iterable
from math import log
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from recommendation_service.domain.rules import CAPS

SurfaceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Strict(BaseModel):
    """A frozen model that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


LARGEST_AMOUNT = 1e6  # of an event without `neutral`, such as the price of a purchase
LEAST_RANGE = 10.0  # a rating may be this large whatever its neutral value


class EventWeight(Strict):
    """The weight of one event, and what one account may do with it.

    With `neutral`, the event's value counts: weight * (value - neutral), with the value limited to `min_value` and
    `max_value`. Without these two, a rating may be up to 10 or twice `neutral` in size, another value up to 1,000,000.
    """

    weight: float
    neutral: float | None = None
    min_value: float | None = None
    max_value: float | None = None
    verb: str | None = Field(default=None, max_length=40)  # in reasons, "Because you bought ...": bought; None: by its name
    per_day: int = Field(default=20, ge=1)  # of one user with one item on one day (UTC), sent by a browser

    @property
    def bounds(self) -> tuple[float, float]:
        """Return the smallest and the largest value of the event."""
        size = LARGEST_AMOUNT if self.neutral is None else max(LEAST_RANGE, 2 * abs(self.neutral))
        return -size if self.min_value is None else self.min_value, size if self.max_value is None else self.max_value

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> "EventWeight":
        least, most = self.bounds
        if not least <= (least if self.neutral is None else self.neutral) <= most:
            raise ValueError(f"min_value {least:g}, neutral and max_value {most:g} must ascend")
        return self


def _plain_number(raw: Any) -> Any:
    return {"weight": raw} if isinstance(raw, int | float) else raw


class Weighting(Strict):
    """How a user's events with one item are combined into one weight."""

    half_life_days: float | None = Field(default=None, gt=0)  # None: age does not matter
    decay_days: float | None = Field(default=None, gt=0)  # or as the time constant: weight * exp(-days / decay_days)
    cap: float | None = Field(default=None, gt=0)  # largest |weight| of one user and item

    @model_validator(mode="after")
    def _one_decay(self) -> "Weighting":
        if self.half_life_days and self.decay_days:
            raise ValueError("half_life_days and decay_days mean the same; keep one of them")
        return self

    @property
    def halving_days(self) -> float | None:
        """Return the days in which a weight halves, from either key; None if age does not matter."""
        return self.decay_days * log(2) if self.decay_days else self.half_life_days


class Outcomes(Strict):
    """Which events after a shown list count as clicks and as conversions in the statistics."""

    clicks: tuple[Name, ...] = ()
    conversions: tuple[Name, ...] = ()
    window_days: float = Field(default=30, gt=0)  # after the list was shown; a later event is no outcome of it


class Trust(Strict):
    """What one account may do before its events stop counting for others. A service token is not limited by this."""

    back_date_hours: float = Field(default=24, ge=0)  # how old an event may be that a browser sends
    events_per_hour: int = Field(default=600, ge=1)  # an account with more is quarantined: nobody clicks as fast


class Part(Strict):
    """An engine, ranker, router, rule or reranker. `training` replaces defaults of its trainer."""

    kind: Name
    options: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)


class Feature(Strict):
    """One input number of a pair network: (column - offset) / scale, of log(1 + column) if `log1p`."""

    name: Name  # a column of either side, or a derived one
    offset: float = 0.0
    scale: float = Field(default=1.0, gt=0)
    log1p: bool = False


class Budget(Strict):
    """A limit of one column by another, such as a price by a budget. A pair of which either is unknown fits."""

    price: Name
    limit: Name
    tolerance: float = Field(default=0.1, ge=0)  # share above the limit, used only if too few pairs keep to it


class PairConfig(Strict):
    """How items of two catalogues are paired, such as jobs and cleaners.

    Columns of the two sides must have different names. `derived` columns are computed for the pair; their kinds are in
    `datasets.pair_features`. `features` are the inputs of the pair networks, in this order.
    """

    left: Name  # catalogue of the requests, such as jobs
    right: Name  # catalogue of the candidates, such as cleaners; models of pairs are published there
    owner_column: dict[Name, Name]  # catalogue -> text column with the id of the owner; "id": the item is the owner
    embedding_columns: tuple[Name, ...] = ()  # text columns learned as vectors
    derived: dict[Name, Part] = {}
    budget: Budget | None = None  # pairs above it are not shown
    features: tuple[Feature, ...] = ()


class Surface(Strict):
    """One place that shows a list: its catalogue, router, fallback chain, rerankers and rules.

    A surface about a "context" recommends items for one item of the catalogue `context`, such as cleaners for a job.
    """

    catalogue: Name
    title: str = ""  # heading on pages; empty: its name
    about: Literal["user", "item", "basket", "context"] = "user"
    context: Name | None = None
    router: Part
    fallback: tuple[Name, ...] = Field(min_length=1)
    cold_start_engine: Name | None = None  # engine for users of whom nothing is known; None: the router decides
    strategies: tuple[Name, ...] = ()  # engines that a request may choose by name
    candidates: int = Field(default=200, ge=1, le=10_000)
    rerank: tuple[Part, ...] = ()
    rules: tuple[Part, ...] = (Part(kind="exclude_seen"),)
    # caps among `rules`, by kind or facet, in the order in which they are relaxed if they leave too few items; (): none,
    # None: all of them, the last one first
    relax: tuple[str, ...] | None = None
    cache_seconds: int | None = Field(default=None, ge=0)  # how long Django caches a list; None: its setting
    track_cache_hits: bool = False  # Django counts how often a cached list was shown again


class UseCase(Strict):
    """The whole configuration of one site."""

    name: Name
    title: str = ""
    catalogues: tuple[Name, ...] = Field(min_length=1)
    events: dict[Name, Annotated[EventWeight, BeforeValidator(_plain_number)]] = Field(min_length=1)
    weighting: Weighting = Weighting()
    engines: dict[Name, Part] = Field(min_length=1)
    rankers: dict[Name, Part] = {}
    pairs: PairConfig | None = None
    estimators: dict[Name, Part] = {}
    surfaces: dict[SurfaceName, Surface] = Field(min_length=1)
    outcomes: Outcomes = Outcomes()
    trust: Trust = Trust()
    switched_off: tuple[Name, ...] = ()  # engines that are trained but do not answer

    @model_validator(mode="after")
    def _names_are_defined(self) -> "UseCase":
        _known("switched_off names", self.switched_off, self.engines, "this file defines")
        self._check_pairs()
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
            self._check_context(name, surface)
            caps = [rule for rule in surface.rules if rule.kind in CAPS]
            names = {name for rule in caps for name in (rule.kind, str(rule.options.get("facet", "category")))}
            _known(f"surface '{name}' relaxes", surface.relax or (), names, "caps among its rules are")
        _known("outcomes name", [*self.outcomes.clicks, *self.outcomes.conversions], self.events, "events are")
        return self

    def _check_context(self, name: str, surface: Surface) -> None:
        if surface.about == "context" and surface.context not in self._paired_with(surface.catalogue):
            raise ValueError(f"surface '{name}' is about a context: [pairs] must pair '{surface.catalogue}' with it")
        if surface.about != "context" and surface.context is not None:
            raise ValueError(
                f"surface '{name}' names a context, '{surface.context}', and is about {surface.about}; say context"
            )

    def _check_pairs(self) -> None:
        if self.pairs is not None:
            sides = (self.pairs.left, self.pairs.right)
            if sides[0] == sides[1]:
                raise ValueError(f"[pairs] pairs '{sides[0]}' with itself; name two catalogues")
            _known("[pairs] pairs", sides, self.catalogues, "catalogues are")
            _known("[pairs] names the owner column of", self.pairs.owner_column, sides, "it pairs")

    def _paired_with(self, catalogue: str) -> tuple[str, ...]:
        """Return the catalogue that is paired with this one as a tuple of one name; empty if there is none."""
        if self.pairs is None or catalogue not in (self.pairs.left, self.pairs.right):
            return ()
        return (self.pairs.right if catalogue == self.pairs.left else self.pairs.left,)

    def engine_of_kind(self, kind: str) -> tuple[str, Part] | None:
        """Return name and part of the first engine of that kind, or None."""
        return next(((name, part) for name, part in self.engines.items() if part.kind == kind), None)

    def main_ensemble(self) -> tuple[str, Part] | None:
        """Return name and part of the ensemble whose weights are learned: no other ensemble has it as a member. Or None."""
        blends = {name: part for name, part in self.engines.items() if part.kind == "ensemble"}
        members = {member for part in blends.values() for member in part.options.get("members", {})}
        return next(((name, part) for name, part in blends.items() if name not in members), None)


def _known(subject: str, names: Iterable[str], allowed: Collection[str], introduction: str) -> None:
    unknown = next((name for name in names if name not in allowed), None)
    if unknown is not None:
        raise ValueError(f"{subject} '{unknown}'; {introduction} {', '.join(sorted(allowed))}")
