"""What a router promises, and what one that learns has to go by."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from recommendation_service.domain.query import Query
from recommendation_service.engines.alignment import array
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.store import Artifact


@dataclass(frozen=True, slots=True)
class Policy:
    """What a bandit has learned: for each arm how often it was played, and the sum of what that brought."""

    version: str
    plays: Mapping[str, int]
    rewards: Mapping[str, float]

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> "Policy":
        """What an artifact of kind "bandit" says. Raises ArtifactRefused when its numbers cannot be."""
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
    """Names the engine that goes first; the surface's fallback chain says who goes next."""

    @abstractmethod
    def choose(self, query: Query) -> str:
        """The engine's name in the use-case file."""

    @abstractmethod
    def engines(self) -> tuple[str, ...]:
        """Every name it may choose, for checking at start."""

    def probabilities(self, query: Query) -> Mapping[str, float]:
        """With what chance each engine would have been chosen for this query; empty when no chance plays."""
        return {}

    def segment(self, query: Query) -> str:
        """The kind of user in a word for the log, such as "warm"; empty when the router makes no difference."""
        return ""

    def summary(self, labels: Mapping[str, str]) -> str:
        """One line about its rule for the start-up log; `labels` are words for engine names."""
        return ", ".join(labels.get(name, name) for name in self.engines())
