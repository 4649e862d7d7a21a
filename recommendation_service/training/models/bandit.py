"""What a bandit learns from shown lists: counts only, so that the state is the same whatever the order of the log.

The log is boiled down to how many lists had which (arm, probability, outcome). Plays, rewards and estimates are all
worked out from these whole numbers, in one fixed order: equal logs give equal bytes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

import numpy as np

from recommendation_service.core.numeric import AnyArray
from recommendation_service.histories.outcomes import Played
from recommendation_service.publishing.store import Artifact


@dataclass(frozen=True, slots=True)
class Tally:
    """How many lists of one arm, chosen with one probability, had one outcome."""

    arm: str
    probability: float
    outcome: str
    lists: int


@dataclass(frozen=True, slots=True)
class Value:
    """What sending every request to one arm would bring, by the lists there are."""

    ips: float  # inverse propensity scoring: unbiased, wide
    snips: float  # self-normalised: a little biased, much narrower; never outside the range of rewards
    effective_lists: float  # how many evenly weighed lists say as much (Kish)


def tally(log: Iterable[Played]) -> tuple[Tally, ...]:
    """The log as counts, in the one order they are kept in."""
    found: Counter[tuple[str, float, str]] = Counter()
    for one in log:
        found[one.arm, one.probability, one.outcome] += one.lists
    return tuple(Tally(*key, lists) for key, lists in sorted(found.items()))


def arrays_of(tallies: Sequence[Tally], arms: Sequence[str], rewards: Mapping[str, float]) -> dict[str, AnyArray]:
    """What a server reads, (a,) each: arms in the order of the file, their plays and the sums of their rewards.

    Plain means per arm decide who leads: an arm is chosen by the request id alone, so its lists are a fair sample of
    all requests, and weighing them by 1 / probability would only make the mean shakier.
    """
    own = {arm: [one for one in tallies if one.arm == arm] for arm in arms}
    return {
        "arms": np.array([arm.encode() for arm in arms], dtype=np.bytes_),
        "plays": np.array([sum(one.lists for one in own[arm]) for arm in arms], dtype=np.int64),
        "rewards": np.array([_sum(own[arm], rewards) for arm in arms], dtype=np.float64),
    }


def values_of(tallies: Sequence[Tally], arms: Sequence[str], rewards: Mapping[str, float]) -> dict[str, Value]:
    """Off-policy value of each arm that was played, by Horvitz & Thompson (1952) and Hajek's ratio form of it.

    Here the probabilities do count: while they change from update to update, times in which an arm led would
    otherwise weigh more than others.
    """
    everything = sum(one.lists for one in tallies)
    return {
        arm: _value([one for one in tallies if one.arm == arm], everything, rewards) for arm in arms if _lists(tallies, arm)
    }


def _value(own: Sequence[Tally], everything: int, rewards: Mapping[str, float]) -> Value:
    weighed = fsum(one.lists * rewards.get(one.outcome, 0.0) / one.probability for one in own)
    weights = fsum(one.lists / one.probability for one in own)
    squares = fsum(one.lists / one.probability**2 for one in own)
    return Value(weighed / everything, weighed / weights, weights**2 / squares)


def _lists(tallies: Sequence[Tally], arm: str) -> int:
    return sum(one.lists for one in tallies if one.arm == arm)


def _sum(own: Sequence[Tally], rewards: Mapping[str, float]) -> float:
    return fsum(one.lists * rewards.get(one.outcome, 0.0) for one in own)


def state_of(artifact: Artifact) -> dict[str, Any]:
    """A published bandit in words and numbers for people: the content of bandit_state.json."""
    told = artifact.manifest
    arms = [name.decode() for name in artifact.arrays["arms"].tolist()]
    plays, rewards = artifact.arrays["plays"].tolist(), artifact.arrays["rewards"].tolist()
    return {
        "catalogue": told.catalogue,
        "version": artifact.version,
        "seal": told.seal,
        "updated_at": told.created_at,
        "learned_from": {name: told.dataset[name] for name in ("use_case", "surfaces", "since", "until", "lists")},
        "rewards": told.parameters["rewards"],
        "arms": {
            arm: {
                "plays": plays[place],
                "reward": rewards[place],
                "mean": rewards[place] / plays[place] if plays[place] else None,
                "value_if_always": told.metrics["value_if_always"].get(arm),
            }
            for place, arm in enumerate(arms)
        },
        "tallies": told.dataset["tallies"],
    }
