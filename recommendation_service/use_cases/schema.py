"""The shape of a use-case file. Strict: an unknown word stops the start and lists the known ones."""

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

    half_life_days: float | None = Field(default=None, gt=0)  # None: age does not matter
    cap: float | None = Field(default=None, gt=0)  # |weight| of one user and item never exceeds this


class Part(Strict):
    """A named piece of code (engine, router, rule, reranker) with its options, checked where it is built."""

    kind: Word
    options: dict[str, Any] = Field(default_factory=dict)


class Surface(Strict):
    """One place that asks: which catalogue, who goes first, who next, and what happens to the list after."""

    catalogue: Word
    about: Literal["user", "item", "basket"] = "user"
    router: Part
    fallback: tuple[Word, ...] = Field(min_length=1)
    candidates: int = Field(default=200, ge=1, le=10_000)
    rerank: tuple[Part, ...] = ()
    rules: tuple[Part, ...] = (Part(kind="exclude_seen"),)


class UseCase(Strict):
    """One site's whole system."""

    name: Word
    title: str = ""
    catalogues: tuple[Word, ...] = Field(min_length=1)
    events: dict[Word, Annotated[EventWeight, BeforeValidator(_plain_number)]] = Field(min_length=1)
    weighting: Weighting = Weighting()
    engines: dict[Word, Part] = Field(min_length=1)
    surfaces: dict[SurfaceName, Surface] = Field(min_length=1)
    switched_off: tuple[Word, ...] = ()  # engines that stay defined and trained but do not answer

    @model_validator(mode="after")
    def _names_are_defined(self) -> "UseCase":
        for engine in self.switched_off:
            if engine not in self.engines:
                raise ValueError(f"switched_off names '{engine}'; this file defines {_words(self.engines)}")
        for name, surface in self.surfaces.items():
            if surface.catalogue not in self.catalogues:
                raise ValueError(f"surface '{name}' shows '{surface.catalogue}'; catalogues are {_words(self.catalogues)}")
            for engine in surface.fallback:
                if engine not in self.engines:
                    raise ValueError(f"surface '{name}' falls back to '{engine}'; this file defines {_words(self.engines)}")
        return self

    def engine_of_kind(self, kind: str) -> tuple[str, Part] | None:
        """Name and part of the first engine of that kind, or None."""
        return next(((name, part) for name, part in self.engines.items() if part.kind == kind), None)


def _words(names: Any) -> str:
    return ", ".join(sorted(names))
