"""Trains the hybrid recommender of the blog: export, train with a margin ranking loss, publish, print lists."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendation_service.domain.request import MAX_LIMIT
from sites.posts.training import EMB_DIM, EPOCHS, TOPN, train_and_save_hybrid
from tandem.management.errors import as_command_errors


class Command(BaseCommand):
    """Run `sites.posts.training`."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the three options of the acceptance list, and the folder of the models."""
        parser.add_argument("--emb_dim", "--emb-dim", type=int, default=EMB_DIM, help="length of the vectors (default: 32)")
        parser.add_argument("--epochs", type=int, default=EPOCHS, help="at most; validation may stop earlier (default: 6)")
        parser.add_argument("--topn", type=int, default=TOPN, help="posts to show for a few people, 0: none (default: 20)")
        parser.add_argument("--models-dir", type=Path, metavar="FOLDER", help="where to publish (default: RS_MODELS_DIR)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print each line of the training; the last one is the next command."""
        if min(options["emb_dim"], options["epochs"]) < 1 or not 0 <= options["topn"] <= MAX_LIMIT:
            raise CommandError(f"--emb_dim and --epochs must be 1 or more, --topn 0 to {MAX_LIMIT}", returncode=2)
        with as_command_errors("cannot write the export: {}; choose another folder with RS_DATA_DIR"):
            train_and_save_hybrid(
                emb_dim=options["emb_dim"],
                epochs=options["epochs"],
                topn=options["topn"],
                models_dir=options["models_dir"],
                say=self._say,
            )

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
