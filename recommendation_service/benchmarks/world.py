"""A made-up site of any size, with an export and a model of every kind, and one surface for each engine."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from recommendation_service.datasets.records import ItemRecord
from recommendation_service.domain.idmap import IdMap
from recommendation_service.numeric import AnyArray
from recommendation_service.tests.support.exports import NOW, Happening, write_export
from recommendation_service.tests.support.service import als_arrays, publish, two_tower_arrays
from recommendation_service.use_cases.loader import load_file

METHODS = ("popular", "content_based", "als", "two_tower", "ensemble")
PEOPLE = 200
EVENTS_EACH = 30
TERMS = 5_000
TERMS_EACH = 20

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
[engines.ensemble]
kind = "ensemble"
options = { members = { als = 0.6, two_tower = 0.4 }, weights = "stated" }
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
    """The surface on which that engine answers."""
    return "by-" + method.replace("_", "-")


def make_world(root: Path, *, items: int, factors: int = 128, dimension: int = 64, seed: int = 0) -> None:
    """Write use case, export and models under `root`; random factors cost what trained ones cost."""
    rng = np.random.default_rng(seed)
    folder = root / "use_cases"
    folder.mkdir(parents=True)
    surfaces = "".join(SURFACE.format(name=surface_of(method), engine=method) for method in METHODS)
    (folder / "bench.toml").write_text(HEAD + surfaces)
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
    user_ids = [f"u{person:04d}" for person in range(PEOPLE)]
    publish(root, "als", als_arrays(seed, item_ids, user_ids, factors), "bench")
    publish(root, "two_tower", two_tower_arrays(seed, item_ids, dimension, 2 * dimension), "bench")
    publish(root, "content", _content(item_ids, rng), "bench")


def _content(item_ids: Sequence[str], rng: np.random.Generator) -> dict[str, AnyArray]:
    """TERMS_EACH random terms an item, rows of unit length."""
    n_items = len(item_ids)
    indices = np.sort(
        rng.integers(0, TERMS // TERMS_EACH, size=(n_items, TERMS_EACH)) + np.arange(TERMS_EACH) * (TERMS // TERMS_EACH)
    )
    return {
        "item_ids": IdMap.of(item_ids).array,
        "terms": np.array([f"term{place:05d}".encode() for place in range(TERMS)]),
        "indptr": np.arange(n_items + 1, dtype=np.int64) * TERMS_EACH,
        "indices": indices.astype(np.int32).ravel(),
        "values": np.full(n_items * TERMS_EACH, TERMS_EACH**-0.5, dtype=np.float32),
    }
