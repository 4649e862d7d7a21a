"""Time of a pair network for the offers of one job, compared with the required 20 ms for 10 on a CPU, and time of the rules.

Inside the process, HTTP not counted; reading the columns is. The weights are random, of the sizes that training makes,
and the network knows everybody, so that both of its halves work.
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from recommendation_service.core.numeric import AnyArray
from recommendation_service.datasets.pair_features import join_pairs
from recommendation_service.datasets.pair_network import LAYERS, PairNetwork
from recommendation_service.datasets.pair_rules import RulePart, read_rules, rule_scores
from recommendation_service.domain.side import PairSide
from recommendation_service.tests.support import market
from recommendation_service.use_cases.loader import load

OFFERS = (10, 100, 500)
STATED_MS = {10: 20}
DIMENSION, TOKEN_DIMENSION, HIDDEN = 64, 8, (64, 32)
ROUNDS, WARM_UP = 200, 20


def measure(root: Path) -> list[tuple[str, str]]:
    """Milliseconds for 10, 100 and 500 offers, by network and by rules."""
    scorer = network(max(OFFERS))
    rules = read_rules(load("cleaning").engines["rule_based"].options["parts"], where="cleaning")
    rows = []
    for count in OFFERS:
        sides = market.job(), market.cleaners(count)
        stated = f" (stated: about {STATED_MS[count]})" if count in STATED_MS else ""
        rows.append((f"network, {count} offers", f"{_taken(partial(_judged, scorer, *sides)):.2f} ms{stated}"))
        rows.append((f"rules, {count} offers", f"{_taken(partial(_ruled, rules, *sides)):.2f} ms"))
    return rows


def network(people: int, *, seed: int = 0) -> PairNetwork:
    """A network with random weights for `people` clients c0, c1, ... and as many cleaners w0, w1, ..."""
    arrays, rng = market.network(clients=people, cleaners=people, seed=seed), np.random.default_rng(seed)
    shapes = dict.fromkeys(("first_vectors", "second_vectors"), (people + 1, DIMENSION))
    shapes["token_vectors"] = (arrays["tokens"].size, TOKEN_DIMENSION)
    widths = {"collaborative": 2 * DIMENSION, "content": arrays["feature_mean"].size + TOKEN_DIMENSION}
    for half, width in widths.items():
        sizes = (width, *HIDDEN, 1)
        for layer in LAYERS:
            shapes[f"{half}{layer}_weights"] = (sizes[layer - 1], sizes[layer])
            arrays[f"{half}{layer}_bias"] = np.zeros(sizes[layer], dtype=np.float32)
    drawn: dict[str, AnyArray] = {name: rng.normal(size=shape).astype(np.float32) / 8 for name, shape in shapes.items()}
    ids = {name: np.sort(arrays[name]) for name in ("first_ids", "second_ids")}
    return PairNetwork.from_arrays({**arrays, **drawn, **ids})


def _judged(scorer: PairNetwork, job: PairSide, cleaners: PairSide) -> None:
    """Raises RuntimeError if the network did not use both halves for every pair, because the time would be too short."""
    scores = scorer.score(market.pair_config(), join_pairs(market.pair_config(), job, cleaners))
    if not (np.isfinite(scores.total).all() and np.isfinite(scores.collaborative).all()):
        raise RuntimeError("the network could not judge every pair")


def _ruled(rules: tuple[RulePart, ...], job: PairSide, cleaners: PairSide) -> None:
    rule_scores(rules, join_pairs(market.pair_config(), job, cleaners))


def _taken(act: Callable[[], object]) -> float:
    """Median milliseconds of ROUNDS rounds."""
    taken = []
    for round_ in range(WARM_UP + ROUNDS):
        begun = time.perf_counter()
        act()
        if round_ >= WARM_UP:
            taken.append((time.perf_counter() - begun) * 1e3)
    return median(taken)
