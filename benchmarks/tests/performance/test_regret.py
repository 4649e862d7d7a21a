"""The bandit in a simulated world whose right answer is known, beside an epsilon-greedy of plain numpy."""

import numpy as np
import pytest

from benchmarks.performance import regret
from benchmarks.performance.regret import ARMS, LISTS_AN_UPDATE, OPTIONS, OUTCOMES, REWARDS
from recommendation_service.core.numeric import Ints

ROUNDS = 10_000


def oracle(seed: int, every: int) -> Ints:
    """Epsilon-greedy over the same people and chances, written from the textbook: no code of the product."""
    rng = np.random.default_rng(seed)
    chances, luck = rng.random(ROUNDS), rng.random(ROUNDS)
    edges = np.cumsum(list(ARMS.values()), axis=1)
    worth = np.array([REWARDS.get(outcome, 0.0) for outcome in OUTCOMES])
    plays, sums = np.zeros(len(ARMS)), np.zeros(len(ARMS))
    first = list(ARMS).index(str(OPTIONS["default"]))
    shares = np.full(len(ARMS), 0.025)
    shares[first] += 0.9
    chosen = np.empty(ROUNDS, dtype=np.int64)
    for at in range(ROUNDS):
        if at and at % every == 0:
            means = np.where(plays >= 20, sums / np.maximum(plays, 1), -1)
            shares = np.full(len(ARMS), 0.025)
            shares[int(np.argmax(means))] += 0.9
        arm = min(int(np.searchsorted(np.cumsum(shares), chances[at], side="right")), len(ARMS) - 1)
        outcome = min(int((edges[arm] <= luck[at]).sum()), len(OUTCOMES) - 1)
        plays[arm] += 1
        sums[arm] += worth[outcome]
        chosen[at] = arm
    return chosen


@pytest.mark.parametrize("seed", range(3))
def test_it_chooses_what_an_epsilon_greedy_of_plain_numpy_chooses(seed: int) -> None:
    product, textbook = regret.simulate("bandit", rounds=ROUNDS, seed=seed), oracle(seed, LISTS_AN_UPDATE)
    assert (product == textbook).mean() > 0.999  # a chance that falls on the seam of two shares may round either way


def test_it_loses_far_less_than_choosing_blindly_and_finds_the_best_arm() -> None:
    runs = [regret.simulate("bandit", rounds=ROUNDS, seed=seed) for seed in range(5)]
    lost = np.mean([regret.regret(chosen)[-1] for chosen in runs])
    blind = regret.regret(regret.simulate("uniform", rounds=ROUNDS, seed=0))[-1]
    assert lost < blind / 2
    best = list(ARMS).index("two_tower")
    assert np.mean([chosen[-1_000:] == best for chosen in runs]) > 0.85


def test_the_best_arm_alone_loses_nothing_and_every_other_one_the_same_each_round() -> None:
    assert regret.regret(regret.simulate("two_tower", rounds=100, seed=1))[-1] == 0
    lost = regret.regret(regret.simulate("content", rounds=100, seed=1))
    np.testing.assert_allclose(np.diff(lost), lost[0], rtol=1e-4)


def test_equal_seeds_give_equal_runs() -> None:
    first, second = (regret.simulate("bandit", rounds=500, seed=9) for _ in range(2))
    assert np.array_equal(first, second)


def test_the_table_has_a_line_for_every_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert regret.main(["--rounds", "200", "--seeds", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["bandit", "uniform", "always", "always", "always", "always"]
