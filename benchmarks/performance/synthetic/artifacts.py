"""Random sparse models of a synthetic site, as dense as trained ones."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Ints
from recommendation_service.tests.support.service import ids
from recommendation_service.training.models.ease import EaseParameters
from recommendation_service.training.models.item_to_item import arrays_of
from recommendation_service.training.models.next_item import NextItemParameters
from recommendation_service.training.models.similar_users import SimilarUsersParameters

TERMS = 5_000
TERMS_EACH = 20
TASTES, ITEMS_EACH = 6_000, 60  # people that similar users are looked for among, and the items of each


def content(item_ids: Sequence[str], rng: np.random.Generator) -> dict[str, AnyArray]:
    """TERMS_EACH random terms per item, rows of unit length."""
    n_items = len(item_ids)
    return {
        "item_ids": ids(item_ids),
        "terms": np.array([f"term{number:05d}".encode() for number in range(TERMS)]),
        "indptr": np.arange(n_items + 1, dtype=np.int64) * TERMS_EACH,
        "indices": _spread(n_items, TERMS, TERMS_EACH, rng).astype(np.int32),
        "values": np.full(n_items * TERMS_EACH, TERMS_EACH**-0.5, dtype=np.float32),
    }


def item_rows(item_ids: Sequence[str], rng: np.random.Generator, blocks: int = 1) -> dict[str, AnyArray]:
    """Arrays of EASE: as many random entries per row as its training publishes, for `blocks` stacked tables."""
    n_items = len(item_ids)
    per_row = min(EaseParameters().top_k, n_items)
    return {
        "item_ids": ids(item_ids),
        "item_counts": np.ones(n_items, dtype=np.int32),
        "indptr": np.arange(blocks * n_items + 1, dtype=np.int64) * per_row,
        "indices": _spread(blocks * n_items, n_items, per_row, rng).astype(np.int32),
        "values": rng.normal(size=blocks * n_items * per_row).astype(np.float32),
    }


def windowed_rows(item_ids: Sequence[str], rng: np.random.Generator) -> dict[str, AnyArray]:
    """Arrays of next_item for this number of items: one window or two."""
    windows = NextItemParameters().windows(len(item_ids))
    named = {f"window_{number}": window for number, window in enumerate(windows)}
    return item_rows(item_ids, rng, len(windows)) | named


def similar_users(item_ids: Sequence[str], rng: np.random.Generator) -> dict[str, AnyArray]:
    """TASTES users with ITEMS_EACH likes each."""
    n_items, most = len(item_ids), SimilarUsersParameters().users_per_item
    columns = _spread(TASTES, n_items, ITEMS_EACH, rng)
    bounds = np.arange(TASTES + 1, dtype=np.int64) * ITEMS_EACH
    unit = np.full(columns.size, ITEMS_EACH**-0.5, dtype=np.float32)
    chosen = sparse.csr_array((unit, columns, bounds), shape=(TASTES, n_items)).tocsc()
    newest = np.arange(chosen.nnz) - np.repeat(chosen.indptr[:-1], np.diff(chosen.indptr)) < most
    counts = np.minimum(np.diff(chosen.indptr), most)
    return {
        "item_ids": ids(item_ids),
        "item_counts": counts.astype(np.int32),
        "item_weights": np.ones(n_items, dtype=np.float32),
        "item_indptr": np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        "item_users": chosen.indices[newest].astype(np.int32),
        "lengths": np.ones(TASTES, dtype=np.float32),
    } | arrays_of(sparse.csr_array((unit, columns, bounds), shape=(TASTES, n_items)))


def _spread(rows: int, columns: int, each: int, rng: np.random.Generator) -> Ints:
    """(rows * each,) ascending columns of each row: one random column in each of `each` equal parts."""
    stretch = columns // each
    return (rng.integers(0, stretch, size=(rows, each)) + np.arange(each) * stretch).ravel()
