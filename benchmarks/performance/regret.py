"""Cost of learning: regret of the bandit router in simulated rounds with known arm values, compared with plain rules.

python -m benchmarks.performance.regret [--rounds 10000] [--seeds 20]

The router, its tally of lists and its batches are the product's own; only the people are made up. Regret is counted in
expected reward (pseudo-regret), so that luck in single clicks does not blur it.
"""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.history import History
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.query import Query
from recommendation_service.engines.bandit import Bandit
from recommendation_service.engines.router import Policy
from recommendation_service.histories.outcomes import NOTHING, Played
from recommendation_service.training.models.bandit import arrays_of, tally

REWARDS = {"enroll": 1.0, "click": 0.3, "view": 0.1}
OUTCOMES = ("enroll", "click", "view", NOTHING)
ARMS: Mapping[str, tuple[float, ...]] = {  # chance of each outcome of a list, in the order of OUTCOMES
    "hybrid": (0.04, 0.12, 0.25, 0.59),
    "two_tower": (0.06, 0.16, 0.24, 0.54),
    "content": (0.03, 0.10, 0.25, 0.62),
    "popularity": (0.02, 0.08, 0.30, 0.60),
}
OPTIONS = {"default": "hybrid", "epsilon": 0.1, "floor": 0.02, "least_plays": 20}  # as courses.toml
LISTS_AN_UPDATE = 100
Chooser = Callable[[int, float], str]  # round, chance in [0, 1) -> arm


def values() -> dict[str, float]:
    """The true mean reward of each arm."""
    worth = [REWARDS.get(outcome, 0.0) for outcome in OUTCOMES]
    return {arm: float(np.dot(chances, worth)) for arm, chances in ARMS.items()}


def play(choose: Chooser, learn: Callable[[Played], None], *, rounds: int, seed: int) -> Ints:
    """(rounds,) the arm of each round, as an index into ARMS. Equal seeds give equal users for every rule."""
    rng = np.random.default_rng(seed)
    chances, luck = rng.random(rounds), rng.random(rounds)
    edges, names = {arm: np.cumsum(chances) for arm, chances in ARMS.items()}, list(ARMS)
    chosen = np.empty(rounds, dtype=np.int64)
    for at in range(rounds):
        arm = choose(at, float(chances[at]))
        outcome = OUTCOMES[min(int(np.searchsorted(edges[arm], luck[at], side="right")), len(OUTCOMES) - 1)]
        learn(Played(arm, 1.0, outcome))
        chosen[at] = names.index(arm)
    return chosen


class Learning:
    """The real router, updated with the outcomes after every batch of lists."""

    def __init__(self, *, every: int = LISTS_AN_UPDATE) -> None:
        self._every, self._log = every, list[Played]()
        self._bandit = Bandit(None, arms=tuple(ARMS), **OPTIONS)  # type: ignore[arg-type]  # a dictionary of mixed options
        nothing = np.empty(0, dtype=np.float32)
        catalogue = Catalogue("none", IdMap.of([]), (), nothing, nothing)
        no_past = History(np.empty(0, dtype=np.int64), nothing, 0)
        self._query = Query(catalogue, no_past, 10, 0.0, np.empty(0, dtype=np.bool_))

    def choose(self, at: int, chance: float) -> str:
        """Return the arm of one round, after an update if one is due."""
        if at and at % self._every == 0:
            arrays = arrays_of(tally(self._log), tuple(ARMS), REWARDS)
            plays, rewards = arrays["plays"].tolist(), arrays["rewards"].tolist()
            policy = Policy("simulated", dict(zip(ARMS, plays, strict=True)), dict(zip(ARMS, rewards, strict=True)))
            self._bandit = Bandit(policy, arms=tuple(ARMS), **OPTIONS)  # type: ignore[arg-type]  # as above
        return self._bandit.choose(replace(self._query, chance=chance))

    def learn(self, played: Played) -> None:
        """Record the outcome of one list."""
        self._log.append(played)


def regret(chosen: Ints) -> Floats:
    """(rounds,) cumulative expected reward lost compared with always playing the best arm."""
    worth = np.array(list(values().values()))
    return np.asarray(np.cumsum(worth.max() - worth[chosen]), dtype=np.float32)


def uniform(_at: int, chance: float) -> str:
    """Choose any arm with equal probability."""
    return list(ARMS)[int(chance * len(ARMS))]


def fixed(arm: str) -> Chooser:
    """Choose always the same arm."""
    return lambda _at, _chance: arm


def simulate(name: str, *, rounds: int, seed: int) -> Ints:
    """The arms that one rule chooses: "bandit", "uniform" or the name of an arm."""
    if name == "bandit":
        learning = Learning()
        return play(learning.choose, learning.learn, rounds=rounds, seed=seed)
    return play(uniform if name == "uniform" else fixed(name), lambda _played: None, rounds=rounds, seed=seed)


def table(*, rounds: int, seeds: int) -> str:
    """One line per rule: regret at a tenth and at the end, its spread over seeds, and how often the best arm was played."""
    best = max(values(), key=lambda arm: values()[arm])
    early, late = f"regret at {rounds // 10:,}", f"at {rounds:,}"
    lines = [
        f"{rounds:,} rounds, {seeds} seeds, an update every {LISTS_AN_UPDATE} lists;"
        f" arms: {', '.join(f'{arm} {value:.3f}' for arm, value in values().items())}",
        f"{'rule':<22} {early:>18} {late:>14} {'sd':>7} {'best arm':>9}",
    ]
    for name in ("bandit", "uniform", *ARMS):
        runs = [simulate(name, rounds=rounds, seed=seed) for seed in range(seeds)]
        lost = np.array([regret(chosen)[[rounds // 10 - 1, -1]] for chosen in runs])
        share = float(np.mean([chosen == list(ARMS).index(best) for chosen in runs]))
        word = name if name in ("bandit", "uniform") else f"always {name}"
        lines.append(f"{word:<22} {lost[:, 0].mean():>18.1f} {lost[:, 1].mean():>14.1f} {lost[:, 1].std():>7.1f} {share:>9.1%}")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.performance.regret", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args(None if argv is None else list(argv))
    if options.rounds < 10 or options.seeds < 1:
        parser.error("rounds must be 10 or more, seeds 1 or more")
    print(table(rounds=options.rounds, seeds=options.seeds))
    return 0


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
