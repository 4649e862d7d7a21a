"""Syncing: batches, their notes, what is taken up again after a failure, and that doing it twice changes nothing."""

import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from recommendation_service.errors import InvalidInput
from sites.shop.models import Product, ProductEmbedding, SyncStatus, UserPreferenceEmbedding
from sites.shop.services import product_sync
from sites.shop.services.product_sync import ProductSyncService
from tandem.vectors import unpacked
from tests.infra.place import ROOT
from tests.support import store

pytestmark = pytest.mark.django_db


class Broken(Exception):
    """What a test lets happen."""


def failing_at(monkeypatch: pytest.MonkeyPatch, name: str, batch: int) -> None:
    """Let the writing of that batch, counted from 1, fail after its rows are written; once."""
    real, seen = getattr(product_sync, name), []

    def write(*args: Any) -> None:
        real(*args)
        seen.append(1)
        if len(seen) == batch:
            raise Broken("the disk is full")

    monkeypatch.setattr(product_sync, name, write)


def told() -> list[tuple[str, str, Decimal, str, bool]]:
    return list(
        ProductEmbedding.objects.order_by("pk").values_list("external_product_id", "name", "price", "text", "is_available")
    )


def test_every_active_product_is_there_with_its_words() -> None:
    products = store.make_products(7)
    Product.objects.filter(pk=products[3].pk).update(is_active=False)
    Product.objects.filter(pk=products[4].pk).update(stock=0)
    status = ProductSyncService(batch=3).sync_products()
    assert (status.state, status.done, status.total, status.batches) == ("done", 6, 6, 2)
    rows = {row.external_product_id: row for row in ProductEmbedding.objects.all()}
    assert sorted(rows) == ["SKU-000", "SKU-001", "SKU-002", "SKU-004", "SKU-005", "SKU-006"]
    assert rows["SKU-001"].text == "Product 001 . It does what it says. . cast iron . 15 to 40"
    assert (rows["SKU-001"].category, rows["SKU-001"].price, rows["SKU-001"].dimension) == ("cast iron", Decimal(20), 0)
    assert [rows[sku].is_available for sku in ("SKU-002", "SKU-004")] == [True, False]


def test_a_batch_is_a_hundred_products_and_fifty_vectors() -> None:
    store.make_products(201)
    assert ProductSyncService().sync_products().batches == 3
    assert (product_sync.PRODUCTS_A_BATCH, product_sync.VECTORS_A_BATCH) == (100, 50)


def test_after_a_failing_batch_the_next_run_begins_where_the_last_finished_batch_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    store.make_products(10)
    with monkeypatch.context() as patch:
        failing_at(patch, "_write_products", 3)
        with pytest.raises(Broken):
            ProductSyncService(batch=3).sync_products()
    (status,) = SyncStatus.objects.all()
    assert (status.state, status.done, status.batches, status.error) == ("failed", 6, 2, "Broken: the disk is full")
    assert ProductEmbedding.objects.count() == 6, "the broken batch left nothing"
    said: list[str] = []
    again = ProductSyncService(batch=3, say=said.append).sync_products()
    assert again.pk == status.pk
    assert (again.state, again.done, again.batches, again.error) == ("done", 10, 4, "")
    assert said[0] == "products: continues after 6 of 10"
    assert ProductEmbedding.objects.count() == 10


def test_a_run_that_was_killed_is_taken_up_again() -> None:
    products = store.make_products(4)
    SyncStatus.objects.create(
        what="products", cursor=str(products[1].pk), done=2, batches=1, updated_at=timezone.now() - timedelta(hours=1)
    )
    status = ProductSyncService(batch=2).sync_products()
    assert (status.state, status.done, status.batches) == ("done", 4, 2)
    assert ProductEmbedding.objects.count() == 2, "what stands before the cursor is not written again"


def test_a_second_sync_at_the_same_time_is_refused() -> None:
    SyncStatus.objects.create(what="products")
    with pytest.raises(InvalidInput, match="is running since"):
        ProductSyncService().sync_products()


def test_syncing_twice_changes_nothing() -> None:
    store.make_products(5)
    first, before = ProductSyncService(batch=2).sync_products(), told()
    second = ProductSyncService(batch=2).sync_products()
    assert told() == before
    assert second.pk != first.pk
    assert (second.done, second.removed) == (5, 0)


def test_changes_and_withdrawals_arrive_and_vectors_stay() -> None:
    products = store.make_products(3)
    ProductSyncService().sync_products()
    ProductEmbedding.objects.all().delete()
    store.embedded(products, np.eye(3))
    Product.objects.filter(pk=products[0].pk).update(name="Renamed", price=Decimal("9.50"))
    Product.objects.filter(pk=products[2].pk).update(is_active=False)
    status = ProductSyncService().sync_products()
    assert status.removed == 1
    first = ProductEmbedding.objects.get(pk=products[0].pk)
    assert (first.name, first.price, first.dimension) == ("Renamed", Decimal("9.50"), 3)
    assert not ProductEmbedding.objects.filter(pk=products[2].pk).exists()


def test_published_vectors_are_copied_and_those_without_one_say_so(tmp_path: Path) -> None:
    products = store.make_products(5)
    ProductSyncService().sync_products()
    vectors = np.diag([1, 2, 3, 0]).astype(np.float32)  # the fourth knows nothing, the fifth is not in the model
    version = store.publish_vectors(tmp_path, products[:4], vectors)
    status = ProductSyncService(vector_batch=2).sync_embeddings(tmp_path / "models")
    assert (status.state, status.done, status.batches, status.version) == ("done", 5, 3, version)
    rows = list(ProductEmbedding.objects.order_by("pk"))
    assert [row.dimension for row in rows] == [4, 4, 4, 0, 0]
    np.testing.assert_allclose(unpacked(rows[1].vector), [0, 1, 0, 0], atol=1e-6)
    assert {row.made_by for row in rows[:3]} == {version}


def test_copying_vectors_goes_on_after_a_failure_and_begins_anew_for_a_newer_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    products = store.make_products(5)
    ProductSyncService().sync_products()
    store.publish_vectors(tmp_path, products, np.eye(5))
    with monkeypatch.context() as patch:
        failing_at(patch, "_write_vectors", 2)
        with pytest.raises(Broken):
            ProductSyncService(vector_batch=2).sync_embeddings(tmp_path / "models")
    assert ProductEmbedding.objects.filter(dimension=5).count() == 2
    again = ProductSyncService(vector_batch=2).sync_embeddings(tmp_path / "models")
    assert (again.done, again.batches) == (5, 3)
    with monkeypatch.context() as patch:
        failing_at(patch, "_write_vectors", 2)
        with pytest.raises(Broken):
            ProductSyncService(vector_batch=2).sync_embeddings(tmp_path / "models")
    newer = store.publish_vectors(tmp_path, products, 2 * np.eye(5)[::-1])
    last = ProductSyncService(vector_batch=2).sync_embeddings(tmp_path / "models")
    assert (last.done, last.version) == (5, newer)
    assert set(ProductEmbedding.objects.values_list("made_by", flat=True)) == {newer}


def test_new_vectors_make_preferences_stale(tmp_path: Path) -> None:
    products = store.make_products(2)
    ada = store.make_customer("Ada")
    UserPreferenceEmbedding.objects.create(customer=ada, vector=b"", dimension=0, made_by="embedding_v0")
    ProductSyncService().sync_products()
    store.publish_vectors(tmp_path, products, np.eye(2))
    ProductSyncService().sync_embeddings(tmp_path / "models")
    assert UserPreferenceEmbedding.objects.get().is_stale


def test_without_published_vectors_the_error_tells_the_commands(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"manage\.py sync_products --no-train"):
        ProductSyncService().sync_embeddings(tmp_path / "models")


def test_the_command_syncs_words_and_copies_what_is_published(tmp_path: Path, settings: Any, capsys: Any) -> None:
    products = store.make_products(3)
    store.publish_vectors(tmp_path, products, np.eye(3))
    settings.TANDEM = {**settings.TANDEM, "MODELS_DIR": tmp_path / "models"}
    call_command("sync_products", "--no-train")
    assert "products: done, 3 in 1 batches\nvectors: embedding_v1\n" in capsys.readouterr().out
    assert ProductEmbedding.objects.filter(dimension=3).count() == 3
    with pytest.raises(CommandError, match="at least 1"):
        call_command("sync_products", "--batch", "0")


def test_the_command_trains_in_a_program_of_its_own(tmp_path: Path, settings: Any, capsys: Any) -> None:
    call_command("generate_shop_data", "--users", "40", "--items", "90", "--until", "2026-11-20")
    folders = {"DATA_DIR": tmp_path / "data", "MODELS_DIR": tmp_path / "models"}
    settings.TANDEM = {**settings.TANDEM, **folders}
    call_command("sync_products")
    out = capsys.readouterr().out
    assert "training: -m recommendation_service.cli train embedding --use-case shop" in out
    assert "vectors: embedding_v1" in out
    assert ProductEmbedding.objects.filter(dimension__gt=0).count() == Product.objects.filter(is_active=True).count()


def test_the_script_is_the_command() -> None:
    script = [sys.executable, str(ROOT / "scripts" / "sync_products.py"), "--help"]
    done = subprocess.run(script, capture_output=True, text=True, timeout=60, check=True, cwd=ROOT)
    assert "--words-only" in done.stdout
    assert done.stdout.startswith("usage: sync_products.py sync_products")
