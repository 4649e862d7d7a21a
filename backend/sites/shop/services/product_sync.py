"""Copy the shop's products into the recommender's table in batches, then their vectors.

Each batch and its progress are written in one transaction, so a run that failed or was killed continues after its last
finished batch. Another run changes nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.db import DatabaseError, transaction
from django.utils import timezone

from recommendation_service.errors import InvalidInput
from sites.shop.models import Product, ProductEmbedding, SyncStatus, UserPreferenceEmbedding
from sites.shop.recommendation_sources import Shop
from tandem.vectors import Published, packed, prepare_pgvector, vectors_of

PRODUCTS_A_BATCH = 100
VECTORS_A_BATCH = 50
ALIVE_S = 60.0  # a running sync writes its progress far more often than this
PRODUCT_FIELDS = ("external_product_id", "name", "category", "price", "text", "is_available", "synced_at")
NO_VECTORS = (
    "no product vectors are published; run: manage.py generate_all_datasets --catalogue shop, then "
    "tandem train all --use-case shop, then manage.py sync_products --no-train"
)

Say = Callable[[str], None]


class ProductSyncService:
    """Copies products and vectors. Each method returns its SyncStatus, or stores the error there and raises it."""

    def __init__(
        self, *, batch: int = PRODUCTS_A_BATCH, vector_batch: int = VECTORS_A_BATCH, say: Say = lambda _line: None
    ) -> None:
        self._batch, self._vector_batch, self._say = batch, vector_batch, say

    def sync_products(self) -> SyncStatus:
        """Write every active product into `product_embeddings`; delete the rows of other products at the end."""
        products = Product.objects.filter(is_active=True).order_by("pk")
        with _status_of_run(SyncStatus.What.PRODUCTS, total=products.count()) as status:
            self._report_progress(status, resumed=bool(status.cursor))
            while batch := list(_after(products, status.cursor)[: self._batch]):
                with transaction.atomic():
                    _write_products(batch)
                    _store_progress(status, str(batch[-1].pk), len(batch))
                self._report_progress(status)
            removed, _ = ProductEmbedding.objects.exclude(product__in=products).delete()
            status.removed = removed
        return status

    def sync_embeddings(self, models_dir: Path) -> SyncStatus:
        """Copy the published product vectors into `product_embeddings`. Raises InvalidInput when there are none."""
        published = vectors_of(models_dir, Shop.catalogue)
        if published is None:
            raise InvalidInput(NO_VECTORS)
        rows = ProductEmbedding.objects.order_by("pk")
        with _status_of_run(SyncStatus.What.EMBEDDINGS, total=rows.count(), version=published.version) as status:
            self._report_progress(status, resumed=bool(status.cursor))
            while batch := list(_after(rows, status.cursor)[: self._vector_batch]):
                with transaction.atomic():
                    _write_vectors(batch, published)
                    _store_progress(status, str(batch[-1].pk), len(batch))
                self._report_progress(status)
            UserPreferenceEmbedding.objects.exclude(made_by=published.version).update(is_stale=True)
            prepare_pgvector(ProductEmbedding)
        return status

    def _report_progress(self, status: SyncStatus, *, resumed: bool = False) -> None:
        if resumed:
            self._say(f"{status.what}: continues after {status.done:,} of {status.total:,}")
        elif status.batches and (status.batches % 10 == 0 or status.done >= status.total):
            self._say(f"{status.what}: {status.done:,} of {status.total:,}")


@contextmanager
def _status_of_run(what: str, *, total: int, version: str = "") -> Iterator[SyncStatus]:
    """Yield a run's status; set it to done, or to failed with the error."""
    status = _start_or_resume(what, total=total, version=version)
    try:
        yield status
    except Exception as error:
        with suppress(DatabaseError):  # the database itself may be what failed
            _end(status, SyncStatus.State.FAILED, error=f"{type(error).__name__}: {error}"[:300])
        raise
    except BaseException:  # Ctrl-C, SystemExit
        with suppress(DatabaseError):
            _end(status, SyncStatus.State.FAILED, error="interrupted")
        raise
    _end(status, SyncStatus.State.DONE)


def _start_or_resume(what: str, *, total: int, version: str) -> SyncStatus:
    """Return the last run if it did not finish, else a new one. Raises InvalidInput while another run is active."""
    now = timezone.now()
    with transaction.atomic():
        last = SyncStatus.objects.select_for_update().filter(what=what).first()
        if last is None or last.state == SyncStatus.State.DONE or last.version != version:
            return SyncStatus.objects.create(what=what, total=total, version=version)
        if last.state == SyncStatus.State.RUNNING and now - last.updated_at < timedelta(seconds=ALIVE_S):
            raise InvalidInput(f"a sync of {what} is running since {last.started_at:%H:%M:%S} UTC; wait until it ends")
        last.state, last.error, last.total, last.updated_at = SyncStatus.State.RUNNING, "", total, now
        last.save()
    return last


def _store_progress(status: SyncStatus, cursor: str, count: int) -> None:
    """Store the progress after a batch, in the transaction of that batch."""
    SyncStatus.objects.filter(pk=status.pk).update(
        cursor=cursor, done=status.done + count, batches=status.batches + 1, updated_at=timezone.now()
    )
    status.cursor, status.done, status.batches = cursor, status.done + count, status.batches + 1


def _end(status: SyncStatus, state: str, *, error: str = "") -> None:
    status.state, status.error, status.updated_at = state, error, timezone.now()
    status.save(update_fields=["state", "error", "removed", "updated_at"])


def _after(rows, cursor: str):  # type: ignore[no-untyped-def]  # the queryset of any model
    return rows.filter(pk__gt=UUID(cursor)) if cursor else rows


def _write_products(products: Sequence[Product]) -> None:
    rows = [
        ProductEmbedding(
            product=product,
            external_product_id=product.sku,
            name=product.name,
            category=product.category,
            price=product.price,
            text=Shop.record(product).text,
            is_available=product.stock > 0,
            vector=b"",
            dimension=0,
        )
        for product in products
    ]
    ProductEmbedding.objects.bulk_create(rows, update_conflicts=True, unique_fields=["product"], update_fields=PRODUCT_FIELDS)


def _write_vectors(rows: Sequence[ProductEmbedding], published: Published) -> None:
    for row in rows:
        row_index = published.ids.row(str(row.pk))
        known = row_index is not None and bool(published.matrix[row_index].any())
        fields = (
            packed(published.matrix[row_index], made_by=published.version)
            if known
            else {"vector": b"", "dimension": 0, "made_by": ""}
        )
        for name, value in fields.items():
            setattr(row, name, value)
    ProductEmbedding.objects.bulk_update(rows, ["vector", "dimension", "made_by", "text_hash", "updated_at"])
