"""The interface of routers, and the policy of routers that learn."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from recommendation_service.domain.query import Query
from recommendation_service.engines.alignment import array
from recommendation_service.errors import ArtifactRefused
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
