"""The router that learns: epsilon-greedy over engines ("arms"), by the rewards of their lists.

The arm with the best mean reward comes first most of the time; with probability epsilon any arm does, so that each one is
tried again. Sutton & Barto, "Reinforcement Learning" (2018), section 2.2.
"""

from collections.abc import Mapping, Sequence

from recommendation_service.domain.query import Query
from recommendation_service.engines.router import Policy, Router
from recommendation_service.errors import ConfigurationError

MIN_ARMS = 2


class Bandit(Router):
    """Chooses by `query.chance` alone, so the same request always gets the same arm.

    The probabilities at the time of the choice are recorded with the list, because the estimates divide by them.
    """

    def __init__(
        self,
        policy: Policy | None,
        *,
        arms: Sequence[str],
        epsilon: float = 0.1,
        default: str = "",
        least_plays: int = 20,
        floor: float = 0.01,
        rewards: Mapping[str, float] | None = None,
    ) -> None:
        """`policy` is what was learned; without one, `default` (else the first arm) leads.

        No arm leads before `least_plays` of its lists were shown, and no arm has a probability below `floor`. `rewards` are
        the rewards of events that answer a list, 0 to 1; update_bandit reads them from the file. Raises ConfigurationError
        for options that contradict each other.
        """
        _check(arms, epsilon, default, least_plays, floor, rewards or {})
        self._arms = tuple(arms)
        self._epsilon = max(epsilon, floor * len(arms))
        self._leader = leader(policy, self._arms, default=default or arms[0], least_plays=least_plays)
        even = self._epsilon / len(arms)
        self._probabilities = {arm: even + (1.0 - self._epsilon) * (arm == self._leader) for arm in self._arms}

    def choose(self, query: Query) -> str:
        """Return the arm whose share of [0, 1) contains the query's chance."""
        left = query.chance
        for arm, share in self._probabilities.items():
            left -= share
            if left < 0:
                return arm
        return self._leader  # because of rounding, the shares may sum to slightly less than 1

    def engines(self) -> tuple[str, ...]:
        """Return the arms."""
        return self._arms

    def probabilities(self, query: Query) -> Mapping[str, float]:
        """Return the probabilities, the same for every query until the next update; they sum to 1."""
        return self._probabilities

    def summary(self, labels: Mapping[str, str]) -> str:
        """Return a text such as "bandit: hybrid leads with 0.925, content, popular and two-tower are tried (epsilon 0.1)"."""
        others = ", ".join(labels.get(arm, arm) for arm in self._arms if arm != self._leader)
        share = self._probabilities[self._leader]
        first = labels.get(self._leader, self._leader)
        return f"bandit: {first} leads with {share:.3g}, tried besides: {others} (epsilon {self._epsilon:g})"


def leader(policy: Policy | None, arms: Sequence[str], *, default: str, least_plays: int) -> str:
    """Return the arm with the best mean reward of those with enough plays; `default` if there is none, and among equals."""
    if policy is None:
        return default
    means = {arm: policy.rewards[arm] / policy.plays[arm] for arm in arms if policy.plays.get(arm, 0) >= max(least_plays, 1)}
    return max(means, key=lambda arm: (means[arm], arm == default), default=default)


def _check(
    arms: Sequence[str], epsilon: float, default: str, least_plays: int, floor: float, rewards: Mapping[str, float]
) -> None:
    if len(arms) < MIN_ARMS or len(set(arms)) != len(arms):
        raise ConfigurationError(f"arms must be {MIN_ARMS} or more different engines, not {', '.join(arms) or 'none'}")
    if default and default not in arms:
        raise ConfigurationError(f"default '{default}' is not one of its arms {', '.join(arms)}")
    if not 0 <= epsilon <= 1 or not 0 <= floor <= 1 / len(arms) or least_plays < 0:
        raise ConfigurationError(
            f"epsilon must be 0 to 1, floor 0 to {1 / len(arms):g} and least_plays 0 or more,"
            f" not {epsilon:g}, {floor:g} and {least_plays}"
        )
    wrong = sorted(event for event, reward in rewards.items() if not 0 <= reward <= 1)
    if wrong:
        raise ConfigurationError(f"the reward of {wrong[0]} must be 0 to 1, not {rewards[wrong[0]]:g}")
