"""`manage.py startrecommendations`: read the project's models and write the declaration and the use-case file.

manage.py startrecommendations
manage.py startrecommendations catalogue.Product --preset shop --dry-run
"""

from argparse import ArgumentParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from tandem.conf import tandem_settings
from tandem.scaffold.introspection import ItemModel, describe, is_local, item_models
from tandem.scaffold.names import PRESETS, preset_of, words_of
from tandem.scaffold.rendering import declaration, use_case
from tandem.sources import all_sources

FILE = "recommendation_sources.py"


class Command(BaseCommand):
    """Writes two files that you then edit. Existing files are never changed."""

    help = "Read the models of this project, and write recommendation_sources.py and a use-case file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The model, the preset, and where to write."""
        parser.add_argument("model", nargs="?", metavar="APP.MODEL", help="default: the model to which most tables refer")
        parser.add_argument("--preset", choices=PRESETS, help="kind of site; default: chosen by the names of the models")
        parser.add_argument("--name", help="name of the catalogue and the use case; default: the model's name")
        parser.add_argument("--folder", type=Path, help=f"where to write {FILE}; default: the model's app, else the project")
        parser.add_argument("--dry-run", action="store_true", help="print the files instead of writing them")

    def handle(self, *args: Any, **options: Any) -> None:
        """Describe what was found, write, and name the next commands."""
        item = self._item(options["model"])
        name = options["name"] or "_".join(words_of(item.model.__name__)) + "s"
        names = (item.model.__name__, item.model._meta.app_label)
        preset = options["preset"] or preset_of(names, (table.event for table in item.events))
        source = declaration(item, catalogue=name)
        toml = use_case(item, catalogue=name, preset=preset)
        self._report(item, preset)
        files = {
            (options["folder"] or _folder_of(item)) / FILE: source,
            tandem_settings().use_cases_dir / f"{name}.toml": toml,
        }
        if options["dry_run"]:
            for path, text in files.items():
                self.stdout.write(f"\n# {path}\n{text}")
            return
        self._write(files, name)

    def _item(self, label: str | None) -> ItemModel:
        if label:
            try:
                item = describe(apps.get_model(label))
            except (LookupError, ValueError):
                raise CommandError(f"there is no model '{label}'; write app_label.Model, such as shop.Product") from None
            if item is None:
                raise CommandError(f"{label} has no text field that could be a title; write the declaration by hand")
            return item
        candidates = item_models()
        if not candidates:
            raise CommandError(
                "no model of this project has a title and a table that joins it with a user;"
                " name the model to recommend: manage.py startrecommendations app_label.Model"
            )
        for other in candidates[1:4]:
            self.stderr.write(f"also possible: {other.label} ({len(other.events)} event tables)")
        return candidates[0]

    def _report(self, item: ItemModel, preset: str) -> None:
        self.stdout.write(f"items: {item.label}, preset {preset}")
        for table in item.events:
            kinds = f" ({', '.join(dict.fromkeys(table.kinds.values()))})" if table.kinds else ""
            self.stdout.write(f"  {table.event:<12} {table.model._meta.label}{kinds}: item {table.item}, user {table.user}")
        for rule in item.visibility:
            if rule.shown:
                self.stdout.write(f"  shown to     the members in {rule.table._meta.label}")
        if blocks := {rule.table._meta.label for rule in item.visibility if not rule.shown}:
            self.stdout.write(f"  shown to     people without a row in {', '.join(sorted(blocks))}")
        if not item.events:
            self.stdout.write("  no table joins it with a user: send events to the API or by page events")

    def _write(self, files: dict[Path, str], name: str) -> None:
        existing = [path for path in files if path.exists()]
        if existing or any(source.catalogue == name for source in all_sources()):
            place = f"{existing[0]} exists" if existing else f"catalogue '{name}' is declared already"
            raise CommandError(f"{place}; nothing was written. See the files with --dry-run, or use --name and --folder")
        for path, text in files.items():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            except OSError as error:
                raise CommandError(f"cannot write {path}: {error.strerror}") from error
            self.stdout.write(f"wrote {path}")
        self.stdout.write("next: manage.py check, then manage.py check_events, then manage.py tandem_retrain")


def _folder_of(item: ItemModel) -> Path:
    """Return the folder of the app whose model it is, or of the project if the app is an installed package."""
    if is_local(item.model):
        return Path(apps.get_app_config(item.model._meta.app_label).path)
    package = settings.ROOT_URLCONF.rpartition(".")[0]
    spec = find_spec(package) if package else None
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else Path.cwd()
