"""A simulated shop with known preferences of the visitors: shown lists, and clicks that favour the top positions.

The engine knows which goods are good and next to nothing of who likes what; a ranker that learns from the clicks should
find out. With `noise` the clicks know nothing either, and nothing must be learned from them.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recommendation_service.core.numeric import AnyArray, Ints
from recommendation_service.datasets.event_table import Keys
from recommendation_service.datasets.export import write_export
from recommendation_service.datasets.export_content import Source
from recommendation_service.datasets.impressions import AnswerBatch, ListBatch, ShownBatch, ShownFeed
from recommendation_service.datasets.reader import Dataset
from recommendation_service.datasets.records import EventBatch, ItemRecord
from recommendation_service.domain.idmap import IdMap
from recommendation_service.use_cases.schema import UseCase

NOW = 1_700_000_000.0
DAY_S = 86_400.0
KINDS, TAGS, PRICES = 12, 30, 4
ENGINE_REACH, SHOWN = 20, 10  # candidates that are rescored, and how many of them a visitor sees
CLICKED, BOUGHT = 1, 2  # places in the event names
LOOKED_DAYS, SHOWN_DAYS = (120.0, 40.0), (40.0, 0.0)

USE_CASE = UseCase.model_validate(
    {
        "name": "stall",
        "catalogues": ["stall"],
        "events": {"view": 1.0, "click": 1.5, "purchase": 5.0},
        "weighting": {"decay_days": 60},
        "engines": {"popular": {"kind": "popularity"}},
        "rankers": {"learned": {"kind": "learned"}},
        "surfaces": {
            "home": {
                "catalogue": "stall",
                "router": {"kind": "fixed", "options": {"engine": "popular"}},
                "fallback": ["popular"],
                "rerank": [{"kind": "rescore", "options": {"by": ["learned"], "top": ENGINE_REACH}}],
                "rules": [],
            }
        },
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """v visitors, g goods; lists in the order of time."""

    likes: AnyArray  # (v, g) true preference: higher is liked better
    goods: tuple[ItemRecord, ...]
    looked: EventBatch  # what visitors did before any list
    visitors: Ints  # (lists,)
    times: AnyArray  # (lists,)
    rows: Ints  # (lists, SHOWN) goods as shown, best of the engine first
    scores: AnyArray  # (lists, SHOWN) the engine's
    standing: AnyArray  # (lists, SHOWN) the same within all candidates
    done: Ints  # (lists, SHOWN) 0: nothing, CLICKED, BOUGHT

    def export(self, data_dir: Path) -> Dataset:
        """Write the simulation as an export with the real writer."""
        write_export(data_dir, USE_CASE, "stall", self._source(), now=NOW)
        return Dataset.open(data_dir, "stall")

    def true_gain(self, index: int) -> AnyArray:
        """(SHOWN,) true preference of the visitor of list `index` for the shown items, above 0."""
        return np.asarray(np.exp(self.likes[self.visitors[index], self.rows[index]]))

    def _source(self) -> Source:
        goods, visitors = self.likes.shape[1], self.likes.shape[0]
        return Source(
            items=lambda: self.goods,
            people=lambda: (),
            item_keys=lambda: _keys("g", goods),
            user_keys=lambda: _keys("v", visitors),
            event_names=tuple(USE_CASE.events),
            events=self._events,
            shown=ShownFeed(lambda _most: [self._lists()], lambda _most: [self._items()], lambda _most: [self._answers()]),
        )

    def _events(self) -> Iterator[EventBatch]:
        yield self.looked
        lists, places = np.nonzero(self.done)
        nothing = np.full(lists.size, np.nan, dtype=np.float32)
        rows, times = self.rows[lists, places], self.times[lists] + 60.0
        yield EventBatch(self.visitors[lists], rows, self.done[lists, places], nothing, times)

    def _lists(self) -> ListBatch:
        names = [("home",) * self.times.size, ("popular",) * self.times.size]
        return ListBatch(np.arange(self.times.size), self.visitors, self.times, *names)

    def _items(self) -> ShownBatch:
        lists = self.times.size
        pairs = zip(self.scores.ravel().tolist(), self.standing.ravel().tolist(), strict=True)
        texts = [json.dumps({"score": score, "standing": standing}) for score, standing in pairs]
        numbers, positions = np.repeat(np.arange(lists), SHOWN), np.tile(np.arange(1, SHOWN + 1), lists)
        return ShownBatch(numbers, self.rows.ravel(), positions, self.scores.ravel(), texts)

    def _answers(self) -> AnswerBatch:
        lists, places = np.nonzero(self.done)
        nothing = np.full(lists.size, np.nan, dtype=np.float32)
        return AnswerBatch(lists, self.rows[lists, places], self.done[lists, places], nothing)


def make_world(
    *, visitors: int = 300, goods: int = 240, lists: int = 1_600, bias: float = 0.7, noise: bool = False, seed: int = 0
) -> World:
    """Lists of SHOWN goods: position p is seen with probability p ** -bias, and then clicked according to the preference."""
    rng = np.random.default_rng(seed)
    records, likes, quality = _tastes(rng, visitors, goods)
    chosen = np.sort(rng.uniform(NOW - SHOWN_DAYS[0] * DAY_S, NOW, size=lists))
    people = rng.integers(0, visitors, size=lists)
    candidates = np.argsort(rng.random((lists, goods)), axis=1)[:, : 3 * ENGINE_REACH]
    engine = quality[candidates] + 0.15 * likes[people[:, None], candidates] + rng.normal(0, 0.5, candidates.shape)
    order = np.argsort(-engine, axis=1)[:, :ENGINE_REACH]
    rows, scores = np.take_along_axis(candidates, order, axis=1), np.take_along_axis(engine, order, axis=1)
    standing = (scores - scores[:, -1:]) / (scores[:, :1] - scores[:, -1:])
    shown, liked = rows[:, :SHOWN], likes[people[:, None], rows[:, :SHOWN]]
    wanted = np.full(liked.shape, 0.25) if noise else 0.8 / (1 + np.exp(-2 * (liked - 2.0)))
    seen = rng.random(liked.shape) < np.arange(1, SHOWN + 1) ** -bias
    clicked = seen & (rng.random(liked.shape) < wanted)
    done = np.where(clicked, np.where(rng.random(liked.shape) < 0.2, BOUGHT, CLICKED), 0)
    looked = _looked(rng, likes)
    return World(likes, records, looked, people, chosen, shown, scores[:, :SHOWN], standing[:, :SHOWN], done)


def _tastes(rng: np.random.Generator, visitors: int, goods: int) -> tuple[tuple[ItemRecord, ...], AnyArray, AnyArray]:
    """The goods, the preferences of each visitor, and the general popularity."""
    kind, price = rng.integers(0, KINDS, goods), rng.integers(0, PRICES, goods)
    tags = np.argsort(rng.random((goods, TAGS)), axis=1)[:, :3]
    quality = rng.normal(0, 0.6, goods)
    own_kinds = rng.random((visitors, KINDS)) < 2.5 / KINDS
    own_tags, own_price = rng.random((visitors, TAGS)) < 0.25, rng.integers(0, PRICES, visitors)
    likes = 2.0 * own_kinds[:, kind] + 1.5 * own_tags[:, tags].mean(axis=2) + 0.8 * (own_price[:, None] == price) + quality
    records = tuple(
        ItemRecord(
            f"g{row:04}",
            f"Good {row}",
            category=f"kind{kind[row]}",
            tags=tuple(f"tag{tag}" for tag in tags[row]),
            created_at=NOW - float(rng.uniform(0, 400)) * DAY_S,
            attributes={"price_range": (f"price{price[row]}",)},
        )
        for row in range(goods)
    )
    return records, likes, quality


def _looked(rng: np.random.Generator, likes: AnyArray, each: int = 12) -> EventBatch:
    """Views of liked goods, drawn without repeats (Gumbel trick)."""
    drawn = np.argsort(-(1.5 * likes + rng.gumbel(size=likes.shape)), axis=1)[:, :each]
    people = np.repeat(np.arange(likes.shape[0]), each)
    times = NOW - rng.uniform(LOOKED_DAYS[1], LOOKED_DAYS[0], size=people.size) * DAY_S
    nothing = np.full(people.size, np.nan, dtype=np.float32)
    return EventBatch(people, drawn.ravel(), np.zeros(people.size, dtype=np.int64), nothing, times)


def _keys(letter: str, count: int) -> Keys:
    ids = IdMap.of(f"{letter}{row:04}" for row in range(count))
    return Keys(np.arange(count, dtype=np.int64), ids.array)
