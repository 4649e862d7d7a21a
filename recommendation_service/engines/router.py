"""Routers choose the first engine for a query."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from recommendation_service.domain.query import Query
from recommendation_service.engines.alignment import array
from recommendation_service.errors import ArtifactRefused, ConfigurationError
from recommendation_service.publishing.store import Artifact


@dataclass(frozen=True, slots=True)
class Policy:
    """What a bandit has learned: the number of plays and the sum of rewards of each arm."""

    version: str
    plays: Mapping[str, int]
    rewards: Mapping[str, float]

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> "Policy":
        """Return the policy of a model of kind "bandit". Raises ArtifactRefused for impossible numbers."""
        arms = [name.decode() for name in array(artifact, "arms", (None,), kinds="S").tolist()]
        plays = array(artifact, "plays", (len(arms),), kinds="iu")
        rewards = array(artifact, "rewards", (len(arms),))
        if plays.min() < 0 or rewards.min() < 0 or (rewards > plays).any() or len(set(arms)) != len(arms):
            raise ArtifactRefused(
                f"{artifact.version}: {plays.tolist()} plays of {', '.join(arms)} cannot have brought {rewards.tolist()};"
                " run: update_bandit --rebuild"
            )
        return cls(
            artifact.version, dict(zip(arms, plays.tolist(), strict=True)), dict(zip(arms, rewards.tolist(), strict=True))
        )


class Router(ABC):
    """Names the first engine; the surface's fallback chain follows it."""

    @abstractmethod
    def choose(self, query: Query) -> str:
        """Return the engine's name in the use-case file."""

    @abstractmethod
    def engines(self) -> tuple[str, ...]:
        """Return every name that it may choose, for the check at start."""

    def probabilities(self, query: Query) -> Mapping[str, float]:
        """Return the probability of each engine for this query; empty without a random choice."""
        return {}

    def segment(self, query: Query) -> str:
        """Return the user's segment for the log, such as "warm"; empty if the router does not distinguish users."""
        return ""

    def summary(self, labels: Mapping[str, str]) -> str:
        """Return one line about its rule for the start-up log; `labels` are by engine name."""
        return ", ".join(labels.get(name, name) for name in self.engines())


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
