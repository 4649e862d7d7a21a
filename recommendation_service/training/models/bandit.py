"""A bandit's state from shown lists: counts only, so that it does not depend on the order of the log.

The log is reduced to the number of lists per (arm, probability, outcome). Plays, rewards and estimates are computed from
these counts in a fixed order, so equal logs give equal bytes.
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
    """The number of lists of one arm, chosen with one probability, with one outcome."""

    arm: str
    probability: float
    outcome: str
    lists: int


@dataclass(frozen=True, slots=True)
class Value:
    """Estimated mean reward if every request used one arm."""

    ips: float  # inverse propensity scoring: unbiased, high variance
    snips: float  # self-normalised: small bias, lower variance; always in the range of rewards
    effective_lists: float  # effective sample size (Kish)


def tally(log: Iterable[Played]) -> tuple[Tally, ...]:
    """The log as sorted counts."""
    counts: Counter[tuple[str, float, str]] = Counter()
    for tally in log:
        counts[tally.arm, tally.probability, tally.outcome] += tally.lists
    return tuple(Tally(*key, lists) for key, lists in sorted(counts.items()))


def arrays_of(tallies: Sequence[Tally], arms: Sequence[str], rewards: Mapping[str, float]) -> dict[str, AnyArray]:
    """The published arrays, (a,) each: arms in the order of the file, their plays and their reward sums.

    The arms are compared by plain means: an arm is chosen by the request id alone, so its lists are a random sample of all
    requests, and weights of 1 / probability would only increase the variance.
    """
    by_arm = _by_arm(tallies, arms).values()
    sums = [fsum(tally.lists * rewards.get(tally.outcome, 0.0) for tally in arm_tallies) for arm_tallies in by_arm]
    return {
        "arms": np.array([arm.encode() for arm in arms], dtype=np.bytes_),
        "plays": np.array([_lists(arm_tallies) for arm_tallies in by_arm], dtype=np.int64),
        "rewards": np.array(sums, dtype=np.float64),
    }


def values_of(tallies: Sequence[Tally], arms: Sequence[str], rewards: Mapping[str, float]) -> dict[str, Value]:
    """Off-policy value of each arm that was played, by Horvitz & Thompson (1952) and Hajek's ratio form of it.

    Probabilities matter here: they change between updates, and without them, periods in which an arm was preferred would
    count more.
    """
    by_arm = _by_arm(tallies, arms).items()
    return {arm: _value(arm_tallies, _lists(tallies), rewards) for arm, arm_tallies in by_arm if _lists(arm_tallies)}


def _value(arm_tallies: Sequence[Tally], lists: int, rewards: Mapping[str, float]) -> Value:
    weighed = fsum(tally.lists * rewards.get(tally.outcome, 0.0) / tally.probability for tally in arm_tallies)
    weights = fsum(tally.lists / tally.probability for tally in arm_tallies)
    squares = fsum(tally.lists / tally.probability**2 for tally in arm_tallies)
    return Value(weighed / lists, weighed / weights, weights**2 / squares)


def _by_arm(tallies: Sequence[Tally], arms: Sequence[str]) -> dict[str, list[Tally]]:
    return {arm: [tally for tally in tallies if tally.arm == arm] for arm in arms}


def _lists(tallies: Sequence[Tally]) -> int:
    return sum(tally.lists for tally in tallies)


def state_token(artifact: Artifact) -> dict[str, Any]:
    """A published bandit in readable form: the content of bandit_state.json."""
    manifest = artifact.manifest
    arms = [name.decode() for name in artifact.arrays["arms"].tolist()]
    plays, rewards = artifact.arrays["plays"].tolist(), artifact.arrays["rewards"].tolist()
    return {
        "catalogue": manifest.catalogue,
        "version": artifact.version,
        "seal": manifest.seal,
        "updated_at": manifest.created_at,
        "learned_from": {name: manifest.dataset[name] for name in ("use_case", "surfaces", "since", "until", "lists")},
        "rewards": manifest.parameters["rewards"],
        "arms": {
            arm: {
                "plays": plays[index],
                "reward": rewards[index],
                "mean": rewards[index] / plays[index] if plays[index] else None,
                "value_if_always": manifest.metrics["value_if_always"].get(arm),
            }
            for index, arm in enumerate(arms)
        },
        "tallies": manifest.dataset["tallies"],
    }
