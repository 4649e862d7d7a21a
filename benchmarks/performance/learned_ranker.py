"""The learned ranker on simulated users with known preferences, and the cost of twenty candidates.

Clicks in the simulation favour the top positions. "True" is the NDCG@10 of held-out lists by the true preferences, which
no site can measure; the table also has the figures that the gate uses.
"""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.performance.click_simulation import ENGINE_REACH, NOW, USE_CASE, World, make_world
from recommendation_service.core.numeric import AnyArray
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.features import noted
from recommendation_service.domain.history import History
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates
from recommendation_service.publishing.manifest import Manifest
from recommendation_service.publishing.store import Artifact
from recommendation_service.rankers.lambdamart import from_artifact
from recommendation_service.settings import load_settings
from recommendation_service.training.data import TrainingData, read_training_data
from recommendation_service.training.parameters import RankerParameters
from recommendation_service.training.ranking import lambdamart
from recommendation_service.training.ranking.trainer import HELD_OUT, SHARE, Gain, gain_of
from recommendation_service.training.ranking.training_data import ShownLists, answered_lists, read_lists

ROUNDS = 2_000
EVERYBODY_LOOKS = np.ones(1)
WORLDS: Sequence[tuple[str, float, bool]] = (
    ("clicks, places 1/p^0.7", 0.7, False),
    ("clicks, places 1/p", 1.0, False),
    ("clicks, places alike", 0.0, False),
    ("noise, places 1/p^0.7", 0.7, True),
    ("noise, places alike", 0.0, True),
)


@dataclass(frozen=True, slots=True)
class Judged:
    """The figures of the gate for one simulation, and the true ones."""

    gate: Gain  # clicks corrected for their places
    clicked: Gain  # clicks as they are
    true: Gain  # what people really like
    looked: AnyArray


def judged(world: World, folder: Path, parameters: RankerParameters | None = None) -> Judged:
    """Train on the older lists of a simulation and measure the newer ones in three ways."""
    chosen = parameters or RankerParameters()
    numbers, lists, _ = lists_of(world, folder)
    border = round(len(lists) * (1 - HELD_OUT))
    older, newer = lists.part(0, border), lists.part(border, len(lists))
    scores = lambdamart.predicted(lambdamart.grow(older, chosen), newer.features)
    looked = lambdamart.examination_of(older, chosen) if chosen.correct_positions else EVERYBODY_LOOKS
    liked = np.concatenate([world.true_gain(int(number)) for number in numbers[border:]]).astype(np.float32)
    return Judged(
        gain_of(newer, scores, looked),
        gain_of(newer, scores, EVERYBODY_LOOKS),
        gain_of(replace(newer, weights=liked), scores, EVERYBODY_LOOKS),
        looked,
    )


def lists_of(world: World, folder: Path) -> tuple[AnyArray, ShownLists, TrainingData]:
    """The answered lists of a simulation, read from its export: their numbers, the training rows, and the site."""
    dataset = world.export(folder)
    shown, events = dataset.shown(), dataset.events()
    if shown is None:
        raise RuntimeError("the world was exported without its lists")
    numbers = answered_lists(shown, frozenset({"home"}))
    material = read_training_data(dataset, events, USE_CASE.weighting, NOW)
    return numbers, read_lists(shown, numbers, material, events, USE_CASE), material


def milliseconds(folder: Path, *, goods: int = 3_000, history_size: int = 200) -> AnyArray:
    """(ROUNDS,) seconds to order ENGINE_REACH candidates of a shop with `goods` items for a user with a long history."""
    _, lists, material = lists_of(make_world(goods=goods), folder)
    arrays = lambdamart.arrays_of(lambdamart.grow(lists, RankerParameters()), lists.names)
    artifact = Artifact("learned_v1", Manifest("learned", "stall", "", {}, {}, {}, {}), arrays)
    ranker = from_artifact("learned", artifact, material.catalogue, load_settings({}))
    if ranker is None:
        raise RuntimeError("there is no ranker")
    query, result = _request(material.catalogue, history_size)
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        ranker.scores(query, result, budget_s=1.0)
        taken.append(1000 * (time.perf_counter() - started))
    return np.array(taken)


def _request(catalogue: Catalogue, history_size: int) -> tuple[Query, Candidates]:
    rows = np.random.default_rng(0).permutation(len(catalogue))
    history = History(rows[:history_size], np.ones(history_size, dtype=np.float32), history_size)
    query = Query(catalogue, history, 10, NOW, np.ones(len(catalogue), dtype=np.bool_))
    scores = np.linspace(1, 0, ENGINE_REACH, dtype=np.float32)
    return query, noted(query, Candidates(rows[history_size : history_size + ENGINE_REACH], scores))


def measure(root: Path) -> list[tuple[str, str]]:
    """Rows for `make bench`."""
    rows = []
    for index, (name, bias, noise) in enumerate(WORLDS):
        result = judged(make_world(bias=bias, noise=noise), root / f"world{index}")
        rows.append((name, f"published: {'yes' if result.gate.sure else 'no'}"))
        rows += [(f"  {what}", _gain_text(gain)) for what, gain in (("true", result.true), ("corrected clicks", result.gate))]
        rows.append(("  clicks as they are", _gain_text(result.clicked)))
        rows.append(("  looked at, places 1 3 6 10", " ".join(f"{result.looked[at]:.2f}" for at in (0, 2, 5, 9))))
    taken = milliseconds(root / "speed")
    middle, late = np.percentile(taken, [50, 99])
    return [*rows, (f"{ENGINE_REACH} candidates of 3,000 goods", f"p50 {middle:.2f} ms, p99 {late:.2f} ms")]


def _gain_text(gain: Gain) -> str:
    return f"engine {gain.engine:.3f}, learned {gain.learned:.3f} ({SHARE:.0%} {gain.low:+.3f} to {gain.high:+.3f})"


def often(seeds: int) -> list[str]:
    """A Markdown table: every kind of simulation with this number of seeds, with and without the correction of positions."""
    head = ["world", "true, engine", "true, learned", "true, learned uncorrected", "published", "by raw clicks"]
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
    for name, bias, noise in WORLDS:
        result, plain = [], []
        for seed in range(seeds):
            with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
                world = make_world(bias=bias, noise=noise, seed=seed)
                result.append(judged(world, Path(folder)))
                plain.append(judged(world, Path(folder), RankerParameters(correct_positions=False)))
        true = [
            float(np.mean([entry.true.engine for entry in result])),
            float(np.mean([entry.true.learned for entry in result])),
        ]
        true.append(float(np.mean([entry.true.learned for entry in plain])))
        published = [sum(entry.gate.sure for entry in result), sum(entry.clicked.sure for entry in result)]
        cells = [*(f"{entry:.3f}" for entry in true), *(f"{entry} of {seeds}" for entry in published)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table of `often`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.performance.learned_ranker", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="worlds of each kind (default: %(default)s)")
    print("\n".join(often(parser.parse_args(argv).seeds)))
    return 0


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
