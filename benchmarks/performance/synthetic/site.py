"""A synthetic site of any size, with an export, a model of every kind, and one surface for each engine."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.performance.synthetic.artifacts import content, item_rows, similar_users, windowed_rows
from recommendation_service.core.numeric import AnyArray
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.domain.history import PastEvent
from recommendation_service.tests.support.exports import NOW, Happening, write_export
from recommendation_service.tests.support.service import als_arrays, publish, two_tower_arrays
from recommendation_service.use_cases.loader import load_file

SHIPPED = ("popular", "content_based", "als", "two_tower", "ensemble")
METHODS = ("popular", "content_based", "als", "two_tower", "ease", "next_item", "similar_users", "ensemble", "learned")
PEOPLE = 200
EVENTS_EACH = 30

HEAD = """
name = "bench"
title = "Bench"
catalogues = ["bench"]
[events]
like = 1.0
[engines]
als = { kind = "als" }
two_tower = { kind = "two_tower" }
content_based = { kind = "content" }
popular = { kind = "popularity" }
ease = { kind = "ease" }
next_item = { kind = "next_item" }
similar_users = { kind = "similar_users" }
[engines.ensemble]
kind = "ensemble"
options = { members = { als = 0.6, two_tower = 0.4 }, weights = "configured" }
[engines.learned]
kind = "ensemble"
options = { members = { als = 0.1, two_tower = 0.15, ease = 0.2, next_item = 0.35, content_based = 0.1, popular = 0.1 } }
"""
SURFACE = """
[surfaces.{name}]
catalogue = "bench"
fallback = ["{engine}", "popular"]
[surfaces.{name}.router]
kind = "fixed"
options = {{ engine = "{engine}" }}
"""


def surface_of(method: str) -> str:
    """The surface of this engine."""
    return "by-" + method.replace("_", "-")


def past_of(person: int, items: int) -> tuple[PastEvent, ...]:
    """EVENTS_EACH likes, newest first, of random items."""
    places = ((person * 7919 + step * 104729) % items for step in range(EVENTS_EACH))
    return tuple(PastEvent(f"i{row:06d}", "like", NOW - step * 60.0) for step, row in enumerate(places))


def make_world(
    root: Path, *, items: int, methods: Sequence[str] = METHODS, factors: int = 128, dimension: int = 64, seed: int = 0
) -> None:
    """Write use case, export and the models that `methods` need under `root`; random arrays cost as much as trained ones."""
    rng = np.random.default_rng(seed)
    folder = root / "use_cases"
    folder.mkdir(parents=True)
    (folder / "bench.toml").write_text(
        HEAD + "".join(SURFACE.format(name=surface_of(method), engine=method) for method in METHODS)
    )
    records = [
        ItemRecord(f"i{row:06d}", f"Item {row}", f"word{row % 97} common", f"c{row % 20}", (f"t{row % 50}",))
        for row in range(items)
    ]
    chosen = rng.integers(0, items, size=(PEOPLE, EVENTS_EACH))
    happenings = [
        Happening(f"u{person:04d}", f"i{row:06d}", "like", NOW - step * 3600.0)
        for person, rows in enumerate(chosen.tolist())
        for step, row in enumerate(rows)
    ]
    write_export(root / "data", load_file(folder / "bench.toml"), records, happenings)
    item_ids = [record.item_id for record in records]
    makes: Mapping[str, Callable[[], Mapping[str, AnyArray]]] = {
        "als": lambda: als_arrays(seed, item_ids, factors),
        "two_tower": lambda: two_tower_arrays(seed, item_ids, dimension, 2 * dimension),
        "content": lambda: content(item_ids, rng),
        "ease": lambda: item_rows(item_ids, rng),
        "next_item": lambda: windowed_rows(item_ids, rng),
        "similar_users": lambda: similar_users(item_ids, rng),
    }
    for kind in kinds_of(methods):
        publish(root, kind, makes[kind](), "bench")


READ = {"popular": (), "content_based": ("content",), "ensemble": ("als", "two_tower")}
READ["learned"] = ("als", "two_tower", "ease", "next_item", "content")


def kinds_of(methods: Sequence[str]) -> list[str]:
    """The kinds of models that engines of these names read, each once."""
    return list(dict.fromkeys(kind for method in methods for kind in READ.get(method, (method,))))
