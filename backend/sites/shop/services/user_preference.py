"""A customer's preferences from their history: one vector, and their categories and price ranges.

Weights and decay are those of shop.toml, by the functions that weigh an export: a purchase has weight 5, taking a product
out of the cart -1, each times exp(-days / 30); the same event on the same product counts once a day.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from django.utils import timezone

from recommendation_service.core.numeric import weighted_direction
from recommendation_service.datasets.weighting import capped, decay, event_weights, first_of_day
from recommendation_service.domain.history import PastEvent
from recommendation_service.use_cases.schema import UseCase
from sites.shop.models import Customer, ProductEmbedding, UserPreferenceEmbedding
from tandem.models import UserInteraction, UserKey
from tandem.selectors.history import count_of, history_of, history_version
from tandem.sources import source_of
from tandem.use_cases import load
from tandem.vectors import packed, upsert

CATALOGUE = "shop"
MAX_ENTRIES = 5  # categories and price ranges that are stored


class UserPreferenceService:
    """Works out preferences and keeps them; `now` is seconds since 1970 and only tests give it."""

    def __init__(self, *, now: float | None = None) -> None:
        self._now = now
        self._use_case: UseCase = load(CATALOGUE)

    def update_user_preference(self, user_id: str) -> UserPreferenceEmbedding | None:
        """Work out one customer's preferences anew; None for somebody who is no customer or never did anything.

        The vector is of dimension 0 where no product of their past has one, or where likes and dislikes cancel out.
        """
        key = _key(user_id)
        if key is None or not Customer.objects.filter(pk=key).exists():
            return None
        before = history_version(user_id=user_id, catalogue=CATALOGUE)
        events, count = history_of(user_id=user_id, catalogue=CATALOGUE, use_case=self._use_case)
        if not events:
            UserPreferenceEmbedding.objects.filter(pk=key).delete()
            return None
        weights = weights_of(events, self._use_case, now=time.time() if self._now is None else self._now)
        row = self._row(key, weights, count_of(events, self._use_case, source_of(CATALOGUE)) if count is None else count)
        upsert([row], key="customer_id")
        if history_version(user_id=user_id, catalogue=CATALOGUE) != before:  # they did something while this was worked out
            mark_stale(user_id=user_id, catalogue=CATALOGUE)
        return row

    def preference_of(self, user_id: str) -> UserPreferenceEmbedding | None:
        """Return the stored preferences; calculate them first if they are stale or missing."""
        key = _key(user_id)
        stored = None if key is None else UserPreferenceEmbedding.objects.filter(pk=key).first()
        return stored if stored is not None and not stored.is_stale else self.update_user_preference(user_id)

    def _row(self, key: UUID, weights: dict[str, float], count: int) -> UserPreferenceEmbedding:
        products = list(
            ProductEmbedding.objects.filter(pk__in=[_key(item_id) for item_id in weights]).select_related("product")
        )
        liked = [(product, weight) for product in products if (weight := weights[str(product.pk)]) > 0]
        return UserPreferenceEmbedding(
            customer_id=key,
            top_categories=_weightiest((product.category, weight) for product, weight in liked),
            price_ranges=_weightiest((product.product.price_range, weight) for product, weight in liked),
            interaction_count=count,
            is_stale=False,
            **_vector(products, weights),
        )


def weights_of(events: Sequence[PastEvent], use_case: UseCase, *, now: float) -> dict[str, float]:
    """Return the weight of each item in one user's history, by item id, without items of weight 0."""
    ids = sorted({event.item_id for event in events})
    names = sorted({event.event for event in events})
    items = np.array([ids.index(event.item_id) for event in events], dtype=np.int64)
    codes = np.array([names.index(event.event) for event in events], dtype=np.int64)
    values = np.array([np.nan if event.value is None else event.value for event in events], dtype=np.float32)
    times = np.array([event.time for event in events], dtype=np.float64)
    each = event_weights(use_case, codes, values, names) * decay(times, now, use_case.weighting.halving_days)
    once = first_of_day(np.zeros_like(items), items, codes, times)
    sums = np.bincount(items, weights=np.where(once, each, 0.0), minlength=len(ids)).astype(np.float32)
    total = capped(sums, use_case.weighting.cap)
    return {item_id: float(weight) for item_id, weight in zip(ids, total, strict=True) if weight}


def mark_stale(*, user_id: str, catalogue: str, sender: Any = None, **_ignored: Any) -> None:
    """Mark a customer's preferences as stale after an event; delete them if the customer was erased."""
    key = _key(user_id) if catalogue == CATALOGUE else None
    if key is None:
        return
    stored = UserPreferenceEmbedding.objects.filter(pk=key)
    if sender is UserKey:  # the person was erased
        stored.delete()
    else:
        stored.update(is_stale=True)


def outdated() -> Iterator[str]:
    """Yield ids of customers whose preferences are stale, or missing although they have interactions; in order of id."""
    stale = set(UserPreferenceEmbedding.objects.filter(is_stale=True).values_list("pk", flat=True))
    known = set(UserPreferenceEmbedding.objects.values_list("pk", flat=True))
    active = UserInteraction.objects.filter(catalogue__name=CATALOGUE).order_by()
    seen = {_key(user_id) for user_id in active.values_list("user__user_id", flat=True).distinct()}
    customers = Customer.objects.values_list("pk", flat=True).order_by("pk")
    return (str(key) for key in customers if key in stale or (key in seen and key not in known))


def _vector(products: Sequence[ProductEmbedding], weights: dict[str, float]) -> dict[str, Any]:
    """Return the fields of the vector, from products whose vectors are of the newest model among them."""
    newest = max((product.made_by for product in products if product.dimension), key=_by_number, default="")
    known = [product for product in products if product.dimension and product.made_by == newest]
    if known:
        signed = np.array([weights[str(product.pk)] for product in known], dtype=np.float32)
        direction = weighted_direction(np.stack([product.array() for product in known]), signed)
        if direction is not None:
            return packed(direction, made_by=newest)
    return {"vector": b"", "dimension": 0, "made_by": "", "updated_at": timezone.now()}


def _by_number(version: str) -> tuple[int, str]:
    digits = version.rpartition("_v")[2]
    return (int(digits) if digits.isdigit() else 0, version)


def _weightiest(pairs: Iterator[tuple[str, float]]) -> list[list[Any]]:
    total: Counter[str] = Counter()
    for name, weight in pairs:
        total[name] += weight  # type: ignore[assignment]  # a Counter adds up any numbers
    return [
        [name, round(weight, 3)] for name, weight in sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_ENTRIES]
    ]


def _key(user_id: str) -> UUID | None:
    try:
        return UUID(user_id)
    except ValueError:
        return None
