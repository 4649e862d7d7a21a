"""Base class of the four export commands."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError

from recommendation_service.errors import DatasetError
from tandem.conf import tandem_settings
from tandem.management.errors import as_command_errors
from tandem.sources import ItemSource, catalogues_of, chosen_sources
from tandem.trust.quarantine import check_velocity


class ExportCommand(BaseCommand):
    """Publishes a new export of every chosen catalogue. Parts that are not `fresh` are copied from the last export."""

    fresh: ClassVar[tuple[str, ...]] = ("catalogue", "als", "two_tower")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which catalogues, and the output folder."""
        parser.add_argument(
            "--catalogue",
            action="append",
            default=[],
            metavar="NAME",
            help="export only this catalogue, or those of this use case; may be repeated",
        )
        parser.add_argument("--output", type=Path, metavar="FOLDER", help="the data folder; default: TANDEM['DATA_DIR']")

    def handle(self, *args: Any, **options: Any) -> None:
        """Export one catalogue after the other. The last line names the next command."""
        data_dir = options["output"] or tandem_settings().data_dir
        self._check_velocity()
        with as_command_errors():
            errors = [self._export(source, data_dir) for source in self._with_items(options["catalogue"])]
        if any(errors):
            raise CommandError("; ".join(filter(None, errors)))
        self._line("next: tandem train all")

    def _check_velocity(self) -> None:
        new = check_velocity()
        if new:
            self._line(f"{len(new)} accounts act like bots and are new in quarantine: manage.py quarantine")

    def _export(self, source: type[ItemSource], data_dir: Path) -> str:
        """Return why this catalogue keeps its last export, or "" after publishing a new one."""
        from tandem.exports.datasets import export_catalogue  # needs pyarrow, which only exports need

        self._line(f"{source.catalogue}:")
        try:
            exported = export_catalogue(source=source, data_dir=data_dir, fresh=self.fresh, say=self._stage)
        except DatasetError as error:
            self._line(f"  not exported: {error.message}")
            return error.message
        self._report(exported.folder, exported.summary)
        return ""

    def _with_items(self, names: list[str]) -> list[type[ItemSource]]:
        """Return the named catalogues, or with no names all that have items. Raises CommandError if none has items."""
        sources = chosen_sources(catalogues_of(names))
        if names:
            return sources
        filled = [source for source in sources if any(part.items().exists() for part in source.parts())]
        for source in sources:
            if source not in filled:
                self._line(f"{source.catalogue}: no items yet, skipped")
        if not filled:
            raise CommandError("no catalogue has items; add some, for example with: manage.py import_items")
        return filled

    def _stage(self, stage: str, rows: int, seconds: float) -> None:
        self._line(f"  {stage:<13}{rows:>12,} rows {seconds:>8.2f} s")

    def _report(self, folder: Path, summary: Any) -> None:
        totals = ", ".join(f"{summary['counts'][name]:,} {name}" for name in ("users", "items", "interactions"))
        self._line(f"  {folder.name}: {totals}; fresh: {', '.join(summary['fresh_parts'])}")
        corrections = {name.replace("_", " "): count for name, count in summary["left_out"].items() if count}
        if corrections:
            self._line("  left out or corrected: " + ", ".join(f"{count:,} {name}" for name, count in corrections.items()))

    def _line(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
