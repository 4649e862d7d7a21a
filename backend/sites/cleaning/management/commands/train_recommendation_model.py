"""Trains the network of the cleaning marketplace: exports, trains, measures, publishes, says what is next."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sites.cleaning.model_training import export_and_train
from tandem.management.errors import as_command_errors


class Command(BaseCommand):
    """Thin: `sites.cleaning.model_training` does it."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The words of the acceptance list, with its defaults."""
        parser.add_argument("--epochs", type=int, default=50, help="at most; validation may stop earlier (default: 50)")
        parser.add_argument("--batch-size", type=int, default=256, help="pairs a step (default: 256)")
        parser.add_argument("--learning-rate", type=float, default=0.001, help="of Adam (default: 0.001)")
        parser.add_argument("--val-split", type=float, default=0.2, help="share of jobs that only measure (default: 0.2)")
        parser.add_argument("--model-version", default="1.0", help="what to call it (default: 1.0)")

    def handle(self, *args: Any, **options: Any) -> None:
        """The lines of the training as they come: every epoch, then the errors, alpha, the version, and the next command."""
        if min(options["epochs"], options["batch_size"]) < 1 or options["learning_rate"] <= 0:
            raise CommandError("--epochs, --batch-size and --learning-rate must be above 0", returncode=2)
        if not 0.01 <= options["val_split"] <= 0.9:
            raise CommandError("--val-split must be 0.01 to 0.9", returncode=2)
        names = ("epochs", "batch_size", "learning_rate", "val_split", "model_version")
        with as_command_errors("cannot write the export: {}; choose another folder with RS_DATA_DIR"):
            export_and_train({name.replace("_", "-"): options[name] for name in names}, say=self._say)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
