"""A small shop for tests: whose list is right is known without running the code."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from django.contrib.auth.models import User

from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.tests.support.service import embedding_arrays, publish
from sites.shop.models import Customer, Product, ProductEmbedding
from tandem.models import Impression, ImpressionItem, UserInteraction
from tandem.services.id_mapping import catalogue_key, item_keys, user_keys
from tandem.services.record_interactions import record_interactions
from tandem.vectors import packed

CATEGORIES = ("tents", "cast iron", "seeds")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def make_products(count: int, *, stock: int = 10) -> list[Product]:
    """Products with categories in turn; number 0 is the oldest and costs 10, each next one 10 more."""
    return Product.objects.bulk_create(
        Product(
            id=uuid.UUID(int=place + 1),
            sku=f"SKU-{place:03}",
            name=f"Product {place:03}",
            description="It does what it says.",
            category=CATEGORIES[place % len(CATEGORIES)],
            price=Decimal(10 * (place + 1)),
            image_url=None if place % 2 else f"https://shop.example/{place}.jpg",
            stock=stock,
            created_at=NOW - timedelta(days=500 - place),
        )
        for place in range(count)
    )


def make_customer(name: str, account: User | None = None, **more: Any) -> Customer:
    """One customer, perhaps with a Django account."""
    return Customer.objects.create(name=name, email=f"{name.lower()}@example.org", account=account, **more)


def did(customer: Customer, product: Product, event: str, *, at: datetime | None = None, **more: Any) -> None:
    """Record one event through the front door."""
    row = {"user_id": str(customer.pk), "item_id": str(product.pk), "event": event, "catalogue": "shop", **more}
    (result,) = record_interactions([row | ({"time": at} if at else {})], source="test")
    assert result.status == "accepted", result
    assert not result.notes, result


def happened(customer: Customer) -> list[tuple[str, str, float | None]]:
    """Event, item and value of everything a customer did, in order of event and item."""
    rows = UserInteraction.objects.filter(user__user_id=str(customer.pk)).order_by("kind__name", "item__item_id")
    return list(rows.values_list("kind__name", "item__item_id", "value"))


def embedded(products: Sequence[Product], vectors: Any, *, made_by: str = "embedding_v1") -> list[ProductEmbedding]:
    """The products in the recommender's table, with these vectors."""
    return ProductEmbedding.objects.bulk_create(
        ProductEmbedding(
            product=product,
            external_product_id=product.sku,
            name=product.name,
            category=product.category,
            price=product.price,
            text=product.name,
            is_available=product.stock > 0,
            **packed(np.asarray(vector, dtype=np.float32), made_by=made_by),
        )
        for product, vector in zip(products, vectors, strict=True)
    )


def publish_vectors(root: Path, products: Sequence[Product], vectors: Any) -> str:
    """An embedding model of these vectors under `root`/models; gives its version."""
    arrays = embedding_arrays(items=sorted(str(one.pk) for one in products))
    order = sorted(range(len(products)), key=lambda at: str(products[at].pk))
    arrays["item_vectors"] = np.asarray(vectors, dtype=np.float32)[order]
    publish(root, "embedding", arrays, catalogue="shop")
    found = ArtifactStore(root / "models" / "shop").load("embedding")
    assert found is not None
    return found.version


def shown_list(customer: Customer, products: Sequence[Product], *, at: datetime, surface: str = "homepage") -> uuid.UUID:
    """Record that the customer was shown these products, the top first; gives the list's request id."""
    request_id, catalogue = uuid.uuid4(), catalogue_key("shop")
    keys = item_keys(catalogue, [str(one.pk) for one in products])
    Impression.objects.create(
        request_id=request_id, user_id=user_keys([str(customer.pk)])[str(customer.pk)], catalogue_id=catalogue,
        use_case="shop", surface=surface, method_used="hybrid", time=at,
    )  # fmt: skip
    ImpressionItem.objects.bulk_create(
        ImpressionItem(impression_id=request_id, item_id=keys[str(one.pk)], position=place, score=1 / place)
        for place, one in enumerate(products, start=1)
    )
    return request_id
