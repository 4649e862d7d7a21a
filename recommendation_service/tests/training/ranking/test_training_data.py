"""What is learned from is what serving knew: the same numbers, and nothing of later days."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.performance.click_simulation import DAY_S, NOW, USE_CASE, World, make_world
from recommendation_service.core.numeric import Floats
from recommendation_service.datasets.event_table import Keys
from recommendation_service.datasets.export import write_export
from recommendation_service.datasets.export_content import Source
from recommendation_service.datasets.impressions import AnswerBatch, ListBatch, ShownBatch, ShownFeed
from recommendation_service.datasets.reader import Dataset
from recommendation_service.datasets.records import EventBatch
from recommendation_service.domain.answer import Answer
from recommendation_service.domain.features import Features, names_for
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.query import Query
from recommendation_service.domain.request import RecommendationRequest
from recommendation_service.domain.slate import Candidates
from recommendation_service.histories.snapshot import SnapshotHistories
from recommendation_service.rankers.base import Ranker
from recommendation_service.services.recommendation_service import RecommendationService
from recommendation_service.services.runtime import CatalogueRuntime, Runtime, UseCaseRuntime
from recommendation_service.training.data import TrainingData, read_training_data
from recommendation_service.training.ranking.training_data import (
    ShownLists,
    answered_lists,
    grades_of,
    levels_of,
    read_lists,
    surfaces_of,
)
from recommendation_service.training.trainers import RECIPES, fit
from recommendation_service.use_cases.schema import UseCase
from recommendation_service.wiring import build_engines

BLEND = {"kind": "ensemble", "options": {"members": {"content": 0.6, "popular": 0.4}}}
SURFACE = {
    "catalogue": "stall",
    "router": {"kind": "fixed", "options": {"engine": "blend"}},
    "fallback": ["blend", "popular"],
    "candidates": 30,
    "rerank": [{"kind": "rescore", "options": {"by": ["learned"]}}, {"kind": "freshness"}],
    "rules": [{"kind": "max_per_category", "options": {"limit": 2}}],
}
STALL = UseCase.model_validate(
    {
        **USE_CASE.model_dump(),
        "engines": {"content": {"kind": "content"}, "popular": {"kind": "popularity"}, "blend": BLEND},
        "surfaces": {"home": SURFACE, "like-this": {**SURFACE, "about": "item"}},
    }
)


class Watched(Ranker):
    """Turns the list round, and keeps what its features were."""

    def __init__(self, features: Features) -> None:
        super().__init__("learned", "learned_v1")
        self.features = features
        self.tables: list[dict[int, Floats]] = []

    def scores(self, query: Query, found: Candidates, *, budget_s: float) -> Floats | None:
        table = self.features.of(query, found)
        self.tables.append(dict(zip(found.rows.tolist(), table, strict=True)))
        return -found.scores


@dataclass(frozen=True)
class Answered:
    """One slate, when it was given, and the first item clicked."""

    slate: Answer
    now: float


def world_source(world: World, answered: list[Answered], item_ids: IdMap, user_ids: IdMap) -> Source:
    """What the site would export after these answers, each of which was clicked at once."""
    slates = [one.slate for one in answered]
    users = user_ids.rows([slate.user_id or "?" for slate in slates])
    clicked = item_ids.rows([slate.recommendations[0].item_id for slate in slates])
    times = np.array([one.now for one in answered])
    nothing = np.full(len(slates), np.nan, dtype=np.float32)
    clicks = np.ones(len(slates), dtype=np.int64)
    shown = [(number, one) for number, slate in enumerate(slates) for one in slate.recommendations]
    lists = ListBatch(np.arange(len(slates)), users, times, [slate.surface for slate in slates], ["blend"] * len(slates))
    items = ShownBatch(
        np.array([number for number, _ in shown]),
        item_ids.rows([one.item_id for _, one in shown]),
        np.array([one.position for _, one in shown]),
        np.array([one.score for _, one in shown]),
        [json.dumps(dict(one.parts)) for _, one in shown],
    )
    own = users >= 0
    happened = [world.looked, EventBatch(users[own], clicked[own], clicks[own], nothing[own], times[own] + 30)]
    return Source(
        items=lambda: world.goods,
        people=lambda: (),
        item_keys=lambda: Keys(np.arange(len(item_ids)), item_ids.array),
        user_keys=lambda: Keys(np.arange(len(user_ids)), user_ids.array),
        event_names=tuple(STALL.events),
        events=lambda: happened,
        shown=ShownFeed(
            lambda _most: [lists],
            lambda _most: [items],
            lambda _most: [AnswerBatch(np.arange(len(slates)), clicked, clicks, nothing)],
        ),
    )


def material_of(dataset: Dataset) -> TrainingData:
    return read_training_data(dataset, dataset.events(), STALL.weighting, NOW)


def serve(dataset: Dataset, watched: Watched, requests: list[tuple[str, RecommendationRequest]], now: float) -> list[Answered]:
    """The answers of a service over an export, through the whole pipeline."""
    material = material_of(dataset)
    content = fit(material, "content", RECIPES["content"].stated).trained
    engines = build_engines(STALL, material.catalogue, {"content": content.artifact("stall")})
    shelf = CatalogueRuntime(material.catalogue, engines, SnapshotHistories(dataset), rankers={"learned": watched})
    service = RecommendationService(Runtime.of([UseCaseRuntime(STALL, {"stall": shelf})]))
    return [
        Answered(service.recommend(request, use_case="stall", surface=surface, now=now), now) for surface, request in requests
    ]


@pytest.fixture(scope="module")
def both_sides(tmp_path_factory: pytest.TempPathFactory) -> tuple[Watched, ShownLists, list[Answered], Dataset]:
    """What a watched ranker knew while it served, and the same lists as training reads them from the next export."""
    folder = tmp_path_factory.mktemp("stall")
    world = make_world(visitors=30, goods=60, lists=5, seed=3)
    nothing_shown = world_source(world, [], IdMap.of(one.item_id for one in world.goods), IdMap.of([]))
    keys = Keys(np.arange(30), np.array([f"v{row:04}".encode() for row in range(30)]))
    write_export(folder, STALL, "stall", replace(nothing_shown, user_keys=lambda: keys, shown=None), now=NOW)
    before = Dataset.open(folder, "stall")
    catalogue, now = before.catalogue(), float(before.events().times.max()) + 60
    watched = Watched(Features(catalogue, names_for(catalogue, ["content", "popular"])))
    requests = [("home", RecommendationRequest(user_id=f"v{place:04}", explain=True, limit=8)) for place in range(12)]
    requests.append(("home", RecommendationRequest(explain=True)))
    requests.append(("like-this", RecommendationRequest(user_id="v0020", item_ids=("g0007",), explain=True)))
    answered = serve(before, watched, requests, now)
    write_export(folder, STALL, "stall", world_source(world, answered, catalogue.ids, before.user_ids), now=NOW + DAY_S)
    after = Dataset.open(folder, "stall")
    shown = after.shown()
    assert shown is not None
    numbers = answered_lists(shown, surfaces_of(STALL, "learned"))
    return watched, read_lists(shown, numbers, material_of(after), after.events(), STALL), answered, after


def test_training_reads_the_numbers_that_serving_used(both_sides) -> None:
    watched, lists, answered, after = both_sides
    assert len(lists) == len(answered) == 14
    assert lists.names == watched.features.names
    ids = after.catalogue().ids
    for place, (served, one) in enumerate(zip(watched.tables, answered, strict=True)):
        rows = ids.rows([item.item_id for item in one.slate.recommendations])
        expected = np.stack([served[row] for row in rows.tolist()])
        np.testing.assert_allclose(lists.part(place, place + 1).features, expected, rtol=1e-5, atol=1e-6)


def test_the_lists_that_were_compared_say_something_in_every_column(both_sides) -> None:
    _, lists, _, _ = both_sides
    said = ~np.isnan(lists.features)
    assert said.any(axis=0).all()
    home = lists.part(0, 12)
    assert np.isnan(home.features[:, lists.names.index("likeness")]).all()
    assert np.ptp(home.features[:, lists.names.index("standing")]) > 0.2
    anonymous = lists.part(12, 13)
    assert anonymous.people.tolist() == [-1]
    assert np.isnan(anonymous.features[:, lists.names.index("taste:category")]).all()


def test_the_position_of_the_list_that_was_shown_is_kept_beside_the_features(both_sides) -> None:
    _, lists, answered, _ = both_sides
    assert lists.positions.tolist() == [item.position for one in answered for item in one.slate.recommendations]
    assert lists.weights.tolist() == [1.5 * (item.position == 1) for one in answered for item in one.slate.recommendations]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, TrainingData]:
    dataset = make_world(visitors=40, goods=60, lists=200, seed=1).export(tmp_path_factory.mktemp("site"))
    return dataset, read_training_data(dataset, dataset.events(), USE_CASE.weighting, NOW)


def read(site: tuple[Dataset, TrainingData], *, upto: float = np.inf) -> ShownLists:
    """All answered lists, as if nothing after `upto` had happened."""
    dataset, material = site
    shown, events = dataset.shown(), dataset.events()
    assert shown is not None
    numbers = answered_lists(shown, frozenset({"home"}))
    kept = events.times <= upto
    early = replace(
        events,
        users=events.users[kept],
        items=events.items[kept],
        weights=events.weights[kept],
        times=events.times[kept],
        kinds=events.kinds[kept],
    )
    return read_lists(shown, numbers, material, early, USE_CASE)


def test_what_happened_after_a_list_was_shown_changes_nothing_of_it(site) -> None:
    whole = read(site)
    for place in (3, len(whole) // 2, len(whole) - 1):
        moment = float(whole.times[place])
        blind = read(site, upto=np.nextafter(moment, -np.inf))
        np.testing.assert_array_equal(blind.part(0, place + 1).features, whole.part(0, place + 1).features)
    assert not np.array_equal(read(site, upto=float(whole.times[3])).features, whole.features, equal_nan=True)


def test_lists_come_oldest_first_and_a_part_of_them_is_whole(site) -> None:
    lists = read(site)
    assert (np.diff(lists.times) >= 0).all()
    first, second = lists.part(0, 10), lists.part(10, len(lists))
    np.testing.assert_array_equal(np.concatenate([first.features, second.features]), lists.features)
    assert len(first) == 10
    assert second.indptr[0] == 0
    assert second.indptr[-1] == second.weights.size
    assert all(one > 0 for one in np.maximum.reduceat(lists.weights, lists.indptr[:-1]).tolist())


def test_only_lists_of_the_rankers_surfaces_with_a_click_and_a_choice_are_read(site) -> None:
    shown = site[0].shown()
    assert shown is not None
    numbers = answered_lists(shown, frozenset({"home"}))
    assert 0 < numbers.size < len(shown)
    assert shown.answered()[numbers].all()
    assert answered_lists(shown, frozenset({"elsewhere"})).size == 0
    assert surfaces_of(STALL, "learned") == {"home", "like-this"}
    assert surfaces_of(STALL, "another") == frozenset()


def test_items_below_the_rankers_reach_are_left_out(tmp_path: Path) -> None:
    world = make_world(visitors=20, goods=40, lists=30, seed=2)
    standing = world.standing.copy()
    source = replace(world, standing=standing)
    feed = source._source().shown
    assert feed is not None
    (items,) = feed.items(100)
    bare = [text if place % 10 < 6 else "{}" for place, text in enumerate(items.parts)]
    cut = replace(feed, items=lambda _most: [replace(items, parts=bare)])
    write_export(tmp_path, USE_CASE, "stall", replace(source._source(), shown=cut), now=NOW)
    dataset = Dataset.open(tmp_path, "stall")
    shown = dataset.shown()
    assert shown is not None
    numbers = np.arange(3)
    lists = read_lists(shown, numbers, material_of(dataset), dataset.events(), USE_CASE)
    assert np.diff(lists.indptr).tolist() == [6, 6, 6]
    assert lists.positions.max() == 6


def test_grades_are_places_among_the_weights_there_are() -> None:
    weights = np.array([0.0, 1.5, 5.0, 1.5, -1.0, 0.0], dtype=np.float32)
    levels = levels_of(weights)
    assert levels.tolist() == [1.5, 5.0]
    assert grades_of(weights, levels).tolist() == [0, 1, 2, 1, 0, 0]


def test_more_weights_than_grades_are_thinned_out_evenly() -> None:
    weights = np.arange(1, 101, dtype=np.float32)
    levels = levels_of(weights)
    assert (levels.size, levels[-1]) == (30, 100.0)
    grades = grades_of(weights, levels)
    assert (grades.min(), grades.max()) == (1, 30)
    assert (np.diff(grades) >= 0).all()
