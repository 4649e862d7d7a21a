"""A surface as it runs: its router, chain and stages, built and checked when the service starts."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from recommendation_service.core.numeric import Bools
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates, Skip
from recommendation_service.engines.router import Policy, Router, build_router
from recommendation_service.errors import ConfigurationError
from recommendation_service.pipeline.rerank import RERANKERS, Rescore, Rescored
from recommendation_service.pipeline.rules import MASKS, TRIMS, WHERE_ALL_WAS_SEEN
from recommendation_service.rankers.base import Ranker
from recommendation_service.use_cases.options import checked, find_kind
from recommendation_service.use_cases.schema import Part, Surface, UseCase

RESCORE = "rescore"
Mask = Callable[[Query], Bools]
Stage = Callable[[Query, Candidates], Candidates]
Rerank = Callable[[Query, Candidates], Rescored]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What one surface does with a query."""

    use_case: str
    name: str
    surface: Surface
    router: Router
    masks: tuple[Mask, ...]
    masks_again: tuple[Mask, ...]  # the same for whoever has seen all that `masks` would let through
    rerankers: tuple[tuple[str, Rerank], ...]  # kind and stage
    trims: tuple[Stage, ...]
    switched_off: frozenset[str]  # engines that are defined but must not answer

    @classmethod
    def build(
        cls, use_case: UseCase, name: str, rankers: Mapping[str, Ranker | Skip] | None = None, policy: Policy | None = None
    ) -> "Plan":
        """The plan of one surface. Raises ConfigurationError naming use case, surface and the words allowed.

        `rankers` are those that are ready, by name, and `policy` what a bandit learned; without them the surface runs
        as it would on its first day.
        """
        surface = use_case.surfaces[name]
        where = f"{use_case.name}: surface '{name}'"
        router = build_router(surface.router, place=where, policy=policy)
        unknown = sorted(set(router.engines()) - set(use_case.engines))
        if unknown:
            known = ", ".join(sorted(use_case.engines))
            raise ConfigurationError(f"{where}, router {surface.router.kind} names '{unknown[0]}'; engines are {known}")
        rules: Mapping[str, Any] = {**MASKS, **TRIMS}
        before = [part for part in surface.rules if part.kind not in TRIMS]
        return cls(
            use_case=use_case.name,
            name=name,
            surface=surface,
            router=router,
            masks=_stages(before, rules, f"{where}, rule"),
            masks_again=_stages(before, WHERE_ALL_WAS_SEEN, f"{where}, rule"),
            rerankers=tuple(_rerank(part, use_case, rankers or {}, f"{where}, rerank") for part in surface.rerank),
            trims=_stages([part for part in surface.rules if part.kind in TRIMS], rules, f"{where}, rule"),
            switched_off=frozenset(use_case.switched_off),
        )

    def chain(self, query: Query) -> tuple[str, ...]:
        """Engine names in the order they are asked: the router's, then the fallbacks after it."""
        first = query.strategy or self._for_newcomers(query) or self.router.choose(query)
        names = self.surface.fallback
        rest = names[names.index(first) + 1 :] if first in names else names
        return (first, *rest)

    def chances(self, query: Query) -> Mapping[str, float]:
        """With what chance each engine would have gone first; empty when the choice left nothing to chance."""
        return {} if query.strategy or self._for_newcomers(query) else self.router.probabilities(query)

    def _for_newcomers(self, query: Query) -> str | None:
        history = query.history
        known = history.rows.size or history.older.size or any(query.profile.values()) or query.subject.size
        return None if known or query.context is not None else self.surface.cold_start_engine


def _rerank(part: Part, use_case: UseCase, rankers: Mapping[str, Ranker | Skip], where: str) -> tuple[str, Rerank]:
    if part.kind != RESCORE:
        (stage,) = _stages([part], {**RERANKERS, RESCORE: Rescore}, where)
        return part.kind, lambda query, candidates: Rescored(stage(query, candidates), "", ())
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
