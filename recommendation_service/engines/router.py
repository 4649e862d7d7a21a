"""Routers choose the first engine for a query."""

from collections.abc import Callable, Mapping

from recommendation_service.domain.query import Query
from recommendation_service.engines.bandit import Bandit
from recommendation_service.engines.router_base import Policy, Router
from recommendation_service.errors import ConfigurationError
from recommendation_service.use_cases.options import checked, find_kind
from recommendation_service.use_cases.schema import Part

__all__ = ["LEARNING", "ROUTERS", "ByCount", "Fixed", "Policy", "Router", "build_router"]


class ByCount(Router):
    """Chooses by the number of counted interactions: below `cold_below`, below `warm_below`, or more.

    datasets/weighting.py counts them: positive events with items of the catalogue, repeats of the same item and event within
    a day once.
    """

    def __init__(self, *, cold: str, warm: str, hot: str, cold_below: int = 5, warm_below: int = 20) -> None:
        """Raises ConfigurationError if a threshold is negative or cold_below is above warm_below."""
        if not 0 <= cold_below <= warm_below:
            raise ConfigurationError(f"cold_below {cold_below} must be 0 or more and not above warm_below {warm_below}")
        self._names = {"cold": cold, "warm": warm, "hot": hot}
        self._cold_below = cold_below
        self._warm_below = warm_below

    def choose(self, query: Query) -> str:
        """Return the engine of the user's segment."""
        return self._names[self.segment(query)]

    def engines(self) -> tuple[str, ...]:
        """Return the engines of the three segments."""
        return tuple(self._names.values())

    def segment(self, query: Query) -> str:
        """Return "cold", "warm" or "hot"."""
        if query.history.count < self._cold_below:
            return "cold"
        return "warm" if query.history.count < self._warm_below else "hot"

    def summary(self, labels: Mapping[str, str]) -> str:
        """Return a text such as "cold start(<5) → content, warm(5-19) → ALS, hot(20+) → ensemble"."""
        cold, warm, hot = (labels.get(name, name) for name in self.engines())
        low, high = self._cold_below, self._warm_below
        if low == high:
            return f"cold start(<{low}) → {cold}, from {high} on → {hot}"
        return f"cold start(<{low}) → {cold}, warm({low}-{high - 1}) → {warm}, hot({high}+) → {hot}"


class Fixed(Router):
    """Always chooses the same engine."""

    def __init__(self, *, engine: str) -> None:
        self._engine = engine

    def choose(self, query: Query) -> str:
        """Return that engine."""
        return self._engine

    def engines(self) -> tuple[str, ...]:
        """Return that engine."""
        return (self._engine,)


ROUTERS: Mapping[str, Callable[..., Router]] = {"by_count": ByCount, "fixed": Fixed}
LEARNING: Mapping[str, Callable[..., Router]] = {"bandit": Bandit}  # kinds that take a Policy, or None, as their first argument


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
