"""Copies the shop's products and their vectors to the recommender's tables; continues a run that failed."""

import subprocess
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from recommendation_service.errors import TandemError
from sites.shop.models import SyncStatus
from sites.shop.services.product_sync import PRODUCTS_A_BATCH, VECTORS_A_BATCH, ProductSyncService
from tandem.conf import tandem_settings
from tandem.vectors import vectors_of

ROOT = settings.BASE_DIR.parent
TRAINING = [sys.executable, "-m", "recommendation_service.cli", "train", "embedding", "--use-case", "shop"]


class Command(BaseCommand):
    """Run `ProductSyncService`, with the training of the vectors in a process of its own."""

    help = "Sync the shop's products into recommender_product_embeddings, embed them, and copy the vectors there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add batch sizes, and which part to leave out."""
        parser.add_argument("--batch", type=int, default=PRODUCTS_A_BATCH, help="Products per batch (default 100)")
        parser.add_argument("--vector-batch", type=int, default=VECTORS_A_BATCH, help="Vectors per batch (default 50)")
        parser.add_argument("--no-train", action="store_true", help="Copy the published vectors without training")
        parser.add_argument("--words-only", action="store_true", help="Products without vectors")

    def handle(self, *args: Any, **options: Any) -> None:
        """Copy products, train, copy vectors; print the next command."""
        if options["batch"] < 1 or options["vector_batch"] < 1:
            raise CommandError("--batch and --vector-batch must be at least 1")
        service = ProductSyncService(batch=options["batch"], vector_batch=options["vector_batch"], say=self._line)
        try:
            self._report(service.sync_products())
            if not options["words_only"]:
                self._report(self._embedded(service, train=not options["no_train"]))
        except TandemError as error:
            raise CommandError(error.message) from error
        except DatabaseError as error:
            first = str(error).partition("\n")[0]
            raise CommandError(f"the database failed: {first}; run this again, it continues after the last batch") from error
        self._line("next: manage.py update_user_preferences")

    def _embedded(self, service: ProductSyncService, *, train: bool) -> SyncStatus:
        models_dir = tandem_settings().models_dir
        if train:
            call_command("generate_catalogue_dataset", catalogue=["shop"], stdout=self.stdout)
            self._train()
        before = vectors_of(models_dir, "shop")
        self._line(f"vectors: {before.version}" if before else "vectors: none published")
        return service.sync_embeddings(models_dir)

    def _train(self) -> None:
        """Train in another process, because torch must not be loaded here. If it fails, the published vectors stay."""
        self._line("training: " + " ".join(TRAINING[1:]))
        folders = tandem_settings().data_dir, tandem_settings().models_dir
        command = [*TRAINING, "--data-dir", str(folders[0]), "--models-dir", str(folders[1])]
        done = subprocess.run(command, cwd=ROOT, check=False)  # noqa: S603 - our own program, its words from our settings
        if done.returncode:
            self._line(f"training ended with exit status {done.returncode}; the published vectors stay")

    def _report(self, status: SyncStatus) -> None:
        removed = f", {status.removed:,} removed" if status.removed else ""
        self._line(f"{status.what}: {status.state}, {status.done:,} in {status.batches:,} batches{removed}")

    def _line(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
