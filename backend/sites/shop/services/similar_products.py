"""Similar products from the stored vectors, used while the service is unavailable.

A database with pgvector searches itself. Otherwise each process caches the vectors for a minute, because reading three
thousand of them is the slowest part; the caller leaves out products that were sold out since.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from recommendation_service.core.numeric import Floats, top_rows, weighted_direction
from sites.shop.models import ProductEmbedding
from sites.shop.services.user_preference import UserPreferenceService
from tandem.vectors import nearest, postgres, unpacked

CACHE_S = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class _VectorCache:
    """All vectors of one model; row i of `matrix`, (n, d), is of the product keys[i]."""

    made_by: str
    read_at: float  # monotonic seconds
    keys: list[str]
    matrix: Floats


_cache: _VectorCache | None = None
_lock = threading.Lock()


def nearest_products(*, user_id: str | None, item_ids: Sequence[str], limit: int) -> list[tuple[str, float]]:
    """Return product ids with their cosine, the nearest first: to the items if there are any, else to the customer."""
    target = _of_items(item_ids) if item_ids else _of_customer(user_id)
    if target is None or limit <= 0:
        return []
    direction, made_by = target
    rows = ProductEmbedding.objects.filter(made_by=made_by, is_available=True)
    if postgres.is_prepared(ProductEmbedding, using=rows.db):
        return [(str(near.key), near.score) for near in nearest(rows, direction, limit=limit)]
    cache = _read(made_by)
    if not cache.keys:
        return []
    scores = (cache.matrix @ direction).astype(np.float32)
    return [(cache.keys[row], round(float(scores[row]), 7)) for row in top_rows(scores, limit).tolist()]


def forget_vectors() -> None:
    """Drop the cache; for tests and after a sync."""
    global _cache
    _cache = None


def _read(made_by: str) -> _VectorCache:
    global _cache
    cached = _cache
    if cached is not None and cached.made_by == made_by and time.monotonic() - cached.read_at < CACHE_S:
        return cached
    with _lock:
        rows = ProductEmbedding.objects.filter(made_by=made_by, is_available=True).order_by("pk")
        pairs = list(rows.values_list("pk", "vector"))
        matrix = np.stack([unpacked(raw) for _, raw in pairs]) if pairs else np.empty((0, 0), dtype=np.float32)
        _cache = cached = _VectorCache(made_by, time.monotonic(), [str(key) for key, _ in pairs], matrix)
    return cached


def _of_items(item_ids: Sequence[str]) -> tuple[Floats, str] | None:
    wanted = [UUID(item_id) for item_id in item_ids if _is_uuid(item_id)]
    rows = list(ProductEmbedding.objects.filter(pk__in=wanted, dimension__gt=0).order_by("pk"))
    rows = [row for row in rows if row.made_by == rows[0].made_by]
    if not rows:
        return None
    direction = weighted_direction(np.stack([row.array() for row in rows]), np.ones(len(rows), dtype=np.float32))
    return None if direction is None else (direction, rows[0].made_by)


def _of_customer(user_id: str | None) -> tuple[Floats, str] | None:
    stored = None if user_id is None else UserPreferenceService().preference_of(user_id)
    return (stored.array(), stored.made_by) if stored is not None and stored.dimension else None


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
