"""Products near to others, or to a customer's taste, from the stored vectors alone: what is left when the service is away."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np

from recommendation_service.numeric import Floats, weighted_direction
from recommendations.vectors import nearest
from sites.shop.models import ProductEmbedding
from sites.shop.services.user_preference import UserPreferenceService


def nearest_products(*, user_id: str | None, item_ids: Sequence[str], limit: int) -> list[tuple[str, float]]:
    """Product ids with their cosine, the nearest first; empty where nothing is known. About the items if there are any."""
    found = _of_items(item_ids) if item_ids else _of_customer(user_id)
    if found is None:
        return []
    direction, made_by = found
    rows = ProductEmbedding.objects.filter(made_by=made_by, is_available=True)
    return [(str(near.key), near.score) for near in nearest(rows, direction, limit=limit)]


def _of_items(item_ids: Sequence[str]) -> tuple[Floats, str] | None:
    wanted = [UUID(item_id) for item_id in item_ids if _is_uuid(item_id)]
    rows = list(ProductEmbedding.objects.filter(pk__in=wanted, dimension__gt=0).order_by("pk"))
    rows = [row for row in rows if row.made_by == rows[0].made_by]
    if not rows:
        return None
    found = weighted_direction(np.stack([row.array() for row in rows]), np.ones(len(rows), dtype=np.float32))
    return None if found is None else (found, rows[0].made_by)


def _of_customer(user_id: str | None) -> tuple[Floats, str] | None:
    kept = None if user_id is None else UserPreferenceService().preference_of(user_id)
    return (kept.array(), kept.made_by) if kept is not None and kept.dimension else None


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
