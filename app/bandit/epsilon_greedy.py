"""The epsilon-greedy choice of a strategy: `recommendation_service.engines.bandit`."""

from recommendation_service.engines.bandit import Bandit as EpsilonGreedy
from recommendation_service.engines.router import Policy

__all__ = ["EpsilonGreedy", "Policy"]
