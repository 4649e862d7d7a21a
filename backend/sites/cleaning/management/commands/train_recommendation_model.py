"""Trains the network of pairs: exports, trains, measures and publishes."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from recommendation_service.datasets.export import PARTS
from tandem.conf import tandem_settings
from tandem.exports.datasets import export_catalogue
from tandem.management.errors import as_command_errors
from tandem.services.subprocesses import run_module
from tandem.sources import catalogues_of, chosen_sources

USE_CASE = "cleaning"
PROGRAM, COMMAND = "recommendation_service.cli", ("train", "neural")


class Command(BaseCommand):
    """Training is a process of its own, because it needs torch, which a Django process must not load.

    A network that fails the publish gate is not published, and the present one keeps serving.
    """

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options of acceptance list 000, with its defaults."""
        parser.add_argument("--epochs", type=int, default=50, help="at most; validation may stop earlier (default: 50)")
        parser.add_argument("--batch-size", type=int, default=256, help="pairs per step (default: 256)")
        parser.add_argument("--learning-rate", type=float, default=0.001, help="of Adam (default: 0.001)")
        parser.add_argument("--val-split", type=float, default=0.2, help="share of jobs for validation (default: 0.2)")
        parser.add_argument("--model-version", default="1.0", help="name of the version (default: 1.0)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the training's lines as they come: every epoch, then errors, alpha, version, and the next command."""
        if min(options["epochs"], options["batch_size"]) < 1 or options["learning_rate"] <= 0:
            raise CommandError("--epochs, --batch-size and --learning-rate must be above 0", returncode=2)
        if not 0.01 <= options["val_split"] <= 0.9:
            raise CommandError("--val-split must be 0.01 to 0.9", returncode=2)
        data_dir, models_dir = tandem_settings().data_dir.resolve(), Path(settings.RECOMMENDATION_MODELS_DIR).resolve()
        names = ("epochs", "batch_size", "learning_rate", "val_split", "model_version")
        training = {name.replace("_", "-"): options[name] for name in names}
        with as_command_errors("cannot write the export: {}; choose another folder with RS_DATA_DIR"):
            for source in chosen_sources(catalogues_of([USE_CASE])):
                done = export_catalogue(source=source, data_dir=data_dir, fresh=PARTS, say=lambda *_stage: None)
                counts = done.summary.get("matches") or done.summary["counts"]
                text = ", ".join(f"{count:,} {name}" for name, count in counts.items())
                self._print(f"{source.catalogue} {done.folder.name}: {text}")
            run_module(
                PROGRAM,
                {"use-case": USE_CASE, "data-dir": data_dir, "models-dir": models_dir, **training},
                self._print,
                command=COMMAND,
            )

    def _print(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
