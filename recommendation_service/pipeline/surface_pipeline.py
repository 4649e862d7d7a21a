"""A surface as it runs: its router, chain and stages, created and checked when the service starts."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from recommendation_service.domain.answer import Skip
from recommendation_service.domain.query import Query
from recommendation_service.domain.rules import CAPS
from recommendation_service.engines.bandit import Bandit
from recommendation_service.engines.router import ByCount, Fixed, Policy, Router
from recommendation_service.errors import ConfigurationError
from recommendation_service.pipeline.rerank import RERANKERS, Reranker, Rescore
from recommendation_service.pipeline.rules import MASKS, WHERE_ALL_WAS_SEEN, Mask
from recommendation_service.rankers.base import Ranker
from recommendation_service.use_cases.options import checked, find_kind
from recommendation_service.use_cases.schema import Part, Surface, UseCase

RESCORE = "rescore"
ROUTERS: Mapping[str, Callable[..., Router]] = {"by_count": ByCount, "fixed": Fixed}
LEARNING: Mapping[str, Callable[..., Router]] = {"bandit": Bandit}  # kinds that take a Policy, or None, as their first argument


@dataclass(frozen=True, slots=True)
class Route:
    """The engines to try for one query, in order, and how the first one was chosen."""

    chain: tuple[str, ...]
    probabilities: Mapping[str, float] = field(default_factory=dict)  # engine -> of being first; {}: no random choice
    segment: str = ""  # of the user, such as "warm"; empty: the router does not distinguish users


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What one surface does with a query."""

    use_case: str
    name: str
    surface: Surface
    router: Router
    masks: tuple[Mask, ...]
    masks_again: tuple[Mask, ...]  # used if the user has seen every item that `masks` would allow
    rerankers: tuple[tuple[str, Reranker], ...]  # with their kinds
    caps: tuple[Part, ...]
    switched_off: frozenset[str]  # engines that are defined but must not answer

    @classmethod
    def build(
        cls, use_case: UseCase, name: str, rankers: Mapping[str, Ranker | Skip] | None = None, policy: Policy | None = None
    ) -> "Plan":
        """Return the plan of one surface. Raises ConfigurationError with use case, surface and the allowed names.

        `rankers` are the loaded ones by name, and `policy` is what a bandit learned; both may be missing before training.
        """
        surface = use_case.surfaces[name]
        where = f"{use_case.name}: surface '{name}'"
        router = build_router(surface.router, where=where, policy=policy)
        unknown = sorted(set(router.engines()) - set(use_case.engines))
        if unknown:
            known = ", ".join(sorted(use_case.engines))
            raise ConfigurationError(f"{where}, router {surface.router.kind} names '{unknown[0]}'; engines are {known}")
        rules: Mapping[str, Any] = {**MASKS, **CAPS}
        caps = [part for part in surface.rules if part.kind in CAPS]
        for part in caps:
            checked(CAPS[part.kind], part.options, where=f"{where}, rule {part.kind}")
        masks = [part for part in surface.rules if part.kind not in CAPS]
        return cls(
            use_case=use_case.name,
            name=name,
            surface=surface,
            router=router,
            masks=_stages(masks, rules, f"{where}, rule"),
            masks_again=_stages(masks, WHERE_ALL_WAS_SEEN, f"{where}, rule"),
            rerankers=tuple(_reranker(part, use_case, rankers or {}, f"{where}, rerank") for part in surface.rerank),
            caps=tuple(caps),
            switched_off=frozenset(use_case.switched_off),
        )

    def route(self, query: Query) -> Route:
        """Choose the first engine; the surface's fallback engines follow it.

        A requested strategy comes first, then the surface's cold-start engine for unknown users, then the router's choice.
        """
        fixed = query.strategy or self._cold_start_engine(query)
        first, names = fixed or self.router.choose(query), self.surface.fallback
        rest = names[names.index(first) + 1 :] if first in names else names
        return Route((first, *rest), {} if fixed else self.router.probabilities(query), self.router.segment(query))

    def _cold_start_engine(self, query: Query) -> str | None:
        history = query.history
        known = history.rows.size or history.older.size or any(query.profile.values()) or query.subject.size
        return None if known or query.context is not None else self.surface.cold_start_engine


def _reranker(part: Part, use_case: UseCase, rankers: Mapping[str, Ranker | Skip], where: str) -> tuple[str, Reranker]:
    if part.kind != RESCORE:
        return part.kind, _stages([part], {**RERANKERS, RESCORE: Rescore}, where)[0]
    options = checked(Rescore, part.options, where=f"{where} {RESCORE}")
    unknown = sorted(set(options.get("by", ())) - set(use_case.rankers))
    if unknown:
        known = ", ".join(sorted(use_case.rankers)) or "none"
        raise ConfigurationError(f"{where} {RESCORE} names '{unknown[0]}'; rankers are {known}")
    return part.kind, Rescore(rankers, **options).run


def _stages(parts: Iterable[Part], kinds: Mapping[str, Any], where: str) -> tuple[Any, ...]:
    built = []
    for part in parts:
        function = find_kind(kinds, part.kind, where=where)
        built.append(partial(function, **checked(function, part.options, where=f"{where} {part.kind}")))
    return tuple(built)


def build_router(part: Part, *, where: str, policy: Policy | None = None) -> Router:
    """Return the router of a surface. Raises ConfigurationError, which names `where`, the part of the file."""
    where = f"{where}, router {part.kind}"
    build = find_kind({**ROUTERS, **LEARNING}, part.kind, where=where)
    options = checked(build, part.options, where=where)
    try:
        router: Router = build(policy, **options) if part.kind in LEARNING else build(**options)
    except ConfigurationError as error:
        raise error if error.message.startswith(where) else ConfigurationError(f"{where}: {error.message}") from error
    return router
