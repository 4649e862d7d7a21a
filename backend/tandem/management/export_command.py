"""What the four export commands share: options, one line a stage, and errors that tell the fix."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError

from recommendation_service.datasets.export import PARTS
from recommendation_service.errors import DatasetError
from tandem.conf import tandem_settings
from tandem.exports.datasets import catalogues_of, chosen_sources, export_catalogue
from tandem.management.failures import told
from tandem.sources import ItemSource


class ExportCommand(BaseCommand):
    """Publishes an export of every chosen catalogue; the parts that are not `fresh` are taken over from the last one."""

    fresh: ClassVar[tuple[str, ...]] = PARTS

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which catalogues, and where to."""
        parser.add_argument(
            "--catalogue",
            action="append",
            default=[],
            metavar="NAME",
            help="only this one, or those of this use case; may be repeated",
        )
        parser.add_argument("--output", type=Path, metavar="FOLDER", help="the data folder; default: TANDEM['DATA_DIR']")

    def handle(self, *args: Any, **options: Any) -> None:
        """One catalogue after the other; the last line is the next command."""
        data_dir = options["output"] or tandem_settings().data_dir
        with told(elsewhere="with --output"):
            refused = [
                problem for source in self._with_items(options["catalogue"]) if (problem := self._export(source, data_dir))
            ]
        if refused:
            raise CommandError("; ".join(refused))
        self._line("next: python -m recommendation_service.train_all")

    def _export(self, source: type[ItemSource], data_dir: Path) -> str:
        """Why there is no new export of this catalogue, which keeps its last one; "" when there is."""
        self._line(f"{source.catalogue}:")
        try:
            done = export_catalogue(source=source, data_dir=data_dir, fresh=self.fresh, say=self._stage)
        except DatasetError as error:
            self._line(f"  not exported: {error.message}")
            return error.message
        self._report(done.folder, done.summary)
        return ""

    def _with_items(self, named: list[str]) -> list[type[ItemSource]]:
        """The named catalogues; with none named, all that have items, as long as there is one."""
        sources = chosen_sources(catalogues_of(named))
        if named:
            return sources
        filled = [source for source in sources if source.items().exists()]
        for source in sources:
            if source not in filled:
                self._line(f"{source.catalogue}: no items yet, skipped")
        if not filled:
            raise CommandError("no catalogue has items; add some, for example with: manage.py generate_startups_data")
        return filled

    def _stage(self, stage: str, rows: int, seconds: float) -> None:
        self._line(f"  {stage:<13}{rows:>12,} rows {seconds:>8.2f} s")

    def _report(self, folder: Path, summary: Any) -> None:
        counts = summary["counts"]
        told = f"{counts['users']:,} users, {counts['items']:,} items, {counts['interactions']:,} interactions"
        self._line(f"  {folder.name}: {told}; fresh: {', '.join(summary['fresh_parts'])}")
        left = {name.replace("_", " "): count for name, count in summary["left_out"].items() if count}
        if left:
            self._line("  left out or put right: " + ", ".join(f"{count:,} {name}" for name, count in left.items()))

    def _line(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
