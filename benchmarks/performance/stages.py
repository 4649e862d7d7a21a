"""Time of each stage of a shop's list: candidates, hybrid scores, reranking of the best 20, rules.

The shop is synthetic, with 3,000 products; the use case is the real file, and the models are trained for the benchmark.
The times are of one list in the process, with reasons and without HTTP. The cross-encoder is the folder that
CROSS_ENCODER_MODEL names, or else a model of the required shape with random weights; its budget is 5 s.
"""

import os
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks.performance import click_simulation, learned_ranker
from benchmarks.performance.requests import service_environment
from benchmarks.performance.serving import free_port, served
from recommendation_service.core.numeric import AnyArray
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.datasets.weighting import DAY_S
from recommendation_service.domain.request import RecommendationRequest
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.settings import PACKAGE, load_settings
from recommendation_service.tests.support.exports import NOW, Happening, write_export
from recommendation_service.tests.support.tiny_models import minilm_sized
from recommendation_service.training.data import read_training_data
from recommendation_service.training.parameters import RankerParameters
from recommendation_service.training.ranking import lambdamart
from recommendation_service.training.trainers import fit, stated_for
from recommendation_service.use_cases.loader import load_file
from recommendation_service.use_cases.schema import UseCase
from recommendation_service.wiring import build_service

ITEMS, PEOPLE, CATEGORIES, BASKETS, BASKET = 3_000, 1_000, 24, 8, 3
KINDS = ("embedding", "co_occurrence", "similar_users")
ASKED = 300  # answers a measurement; a fifth of them where the cross-encoder reads
WARM_UP = 20
BUDGET_MS, USUAL_BUDGET_MS = 5_000, 150  # of this benchmark, and the default of a use-case file
STATED = {
    "generate": "001.54 candidates",
    "score": "001.55 hybrid scores",
    "rescore": "001.56 second look",
    "rules": "001.57 rules",
    "total": "001.58 total",
}


def make_shop(root: Path, *, items: int = ITEMS, people: int = PEOPLE, seed: int = 0) -> UseCase:
    """Use case, export and models under `root`: users who buy in two categories, three products at a time."""
    folder = root / "use_cases"
    folder.mkdir(parents=True)
    text = (PACKAGE / "use_cases" / "shop.toml").read_text(encoding="utf-8")
    (folder / "shop.toml").write_text(text.replace("top = 20", f"top = 20, budget_ms = {BUDGET_MS}"), encoding="utf-8")
    use_case, rng = load_file(folder / "shop.toml"), np.random.default_rng(seed)
    records = [
        ItemRecord(
            f"p{row:05d}",
            f"Product {row} of maker {row % 83}",
            " ".join(f"word{number}" for number in rng.integers(0, 900, 12).tolist()) + f" range{row % 5}",
            f"c{row % CATEGORIES}",
            created_at=NOW - float(rng.uniform(1, 900)) * DAY_S,
        )
        for row in range(items)
    ]
    bought = [event for person in range(people) for event in _orders(person, items, rng)]
    dataset = write_export(root / "data", use_case, records, bought)
    material = read_training_data(dataset, dataset.events(), use_case.weighting, NOW)
    store = ArtifactStore(root / "models" / "shop")
    for kind in KINDS:
        made = fit(material, kind, stated_for(use_case, kind, seed=seed)).trained
        store.publish(kind, made.arrays, catalogue="shop", parameters=made.parameters, dataset={}, metrics={})
    store.publish("learned", _trees(root), catalogue="shop", parameters={}, dataset={}, metrics={})
    return use_case


def _orders(person: int, items: int, rng: np.random.Generator) -> list[Happening]:
    """BASKETS orders, some days apart, of BASKET products from two categories of the user, mostly popular ones."""
    in_categories = np.flatnonzero(np.isin(np.arange(items) % CATEGORIES, (person % CATEGORIES, person * 7 % CATEGORIES)))
    draws = (in_categories.size * rng.random((BASKETS, BASKET)) ** 2).astype(np.int64)
    return [
        Happening(f"u{person:04d}", f"p{in_categories[at]:05d}", "purchase", NOW - DAY_S * (3 * order + 1) + 60.0 * step)
        for order, basket in enumerate(draws)
        for step, at in enumerate(basket.tolist())
    ]


def _trees(root: Path) -> Mapping[str, AnyArray]:
    """A learned ranker of the usual size; its cost does not depend on its training data."""
    _, lists, _ = learned_ranker.lists_of(click_simulation.make_world(goods=500), root / "elsewhere")
    return lambdamart.arrays_of(lambdamart.grow(lists, RankerParameters()), lists.names)


def stages_of(root: Path, *, asked: int = ASKED, people: int = PEOPLE, **more: str) -> dict[str, AnyArray]:
    """Stage -> ms of every answer on the homepage, and "total"; `more` are additional settings.

    Raises RuntimeError when an answer was not the whole pipeline's.
    """
    service = build_service(load_settings(service_environment(root, port=free_port(), workers=1, RS_USE_CASES="shop", **more)))
    taken: dict[str, list[float]] = defaultdict(list)
    for number in range(asked + WARM_UP):
        user_id, request_id = f"u{number % people:04d}", f"bench-{number}"
        request = RecommendationRequest(user_id=user_id, limit=12, explain=True, request_id=request_id)
        started = time.perf_counter()
        slate = service.recommend(request, use_case="shop", surface="homepage", now=NOW)
        total = 1000 * (time.perf_counter() - started)
        if slate.degraded or slate.method_used != "hybrid":
            raise RuntimeError(f"{slate.method_used} answered: {[skip.detail for skip in slate.degradation]}")
        if number >= WARM_UP:
            taken["total"].append(total)
            for stage in slate.stages:
                taken[stage.name].append(stage.ms)
    return {name: np.array(ms) for name, ms in taken.items()}


def rows_of(taken: Mapping[str, AnyArray], who: str) -> list[tuple[str, str]]:
    """One row per stage: median, 95th percentile, and share of the median total."""
    whole = float(np.median(taken["total"]))
    rows = []
    for name, ms in taken.items():
        middle, late = np.percentile(ms, [50, 95])
        cell = f"p50 {middle:7.2f} ms  p95 {late:7.2f} ms  {middle / whole:4.0%} of the total"
        rows.append((f"{who}: {STATED.get(name, name)}", cell))
    return rows


def measure(root: Path) -> list[tuple[str, str]]:
    """Rows for `make bench`."""
    make_shop(root)
    rows = rows_of(stages_of(root), "learned")
    named = os.environ.get("CROSS_ENCODER_MODEL")
    folder = Path(named) if named else minilm_sized(root / "encoder")
    port = free_port()
    surroundings = service_environment(root, port=port, workers=1, CROSS_ENCODER_MODEL=str(folder))
    command = [sys.executable, "-m", "recommendation_service.cli", "serve-cross-encoder", "--port", str(port)]
    with served(command, port=port, environment=surroundings, log=root / "encoder.log", ready="/livez"):
        milliseconds = stages_of(root, asked=ASKED // 5, CROSS_ENCODER_URL=f"http://127.0.0.1:{port}")
    in_time = float(np.mean(milliseconds["rescore"] <= USUAL_BUDGET_MS))
    rows += rows_of(milliseconds, "cross-encoder")
    return [*rows, (f"cross-encoder: looks within {USUAL_BUDGET_MS} ms", f"{in_time:.0%}")]
