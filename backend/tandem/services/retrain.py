"""Makes new models from the tables of the site: record missed events, export, train, announce.

Training runs in a separate process, because torch and implicit should not be loaded in a Django process. The service
loads new models as soon as they are published.
"""

import json
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.core.management import call_command
from django.utils import timezone

from recommendation_service.publishing.versions import VersionedFolder, write_whole
from tandem.conf import tandem_settings
from tandem.models import UserInteraction
from tandem.selectors.quarantined import counted
from tandem.services.subprocesses import run_module
from tandem.signals import models_published
from tandem.sources import all_sources, catalogues_of, chosen_sources, use_case_of

STATE_FILE = "retrain.json"
ENOUGH = 0.01  # share of the interactions of the last training that must be new for another one
TRAINING = "recommendation_service.train_all"

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Retrained:
    """The result of one run."""

    trained: tuple[str, ...]  # use cases
    skipped: tuple[str, ...]  # use cases without enough new interactions
    published: dict[str, list[str]]  # catalogue -> models with a new version


def retrain(*, names: Sequence[str] = (), min_new: int | None = None, say: Say = print) -> Retrained:
    """Sync, export and train the named catalogues or use cases, or all of them.

    A use case with fewer than `min_new` interactions since its last training is exported, so that new items can be
    recommended, but not trained, and `say` gets the reason. None: ENOUGH of the interactions that it was trained with,
    and at least one. Sends `models_published` for each catalogue with a new model. Raises CommandError and
    TrainingFailed; models that were published before stay.
    """
    conf = tandem_settings()
    call_command("sync_interactions", stdout=_Lines(say))
    catalogues = catalogues_of(names)
    call_command("generate_all_datasets", catalogue=catalogues, stdout=_Lines(say))
    before, newest = _versions(conf.models_dir), _newest_row()
    last = _last_rows(conf.data_dir)
    trained, skipped = [], []
    for use_case in dict.fromkeys(use_case_of(source) for source in chosen_sources(catalogues)):
        after = last.get(use_case, 0)
        new = _rows(use_case, after=after)
        needed = _enough(_rows(use_case) - new) if min_new is None else min_new
        if new < needed:
            known = f"1 % of the {_rows(use_case) - new} known ones" if min_new is None else f"--min-new is {min_new}"
            say(
                f"{use_case}: not trained; {new} new interactions since the last training, {needed} are needed ({known});"
                " to train now: tandem_retrain --min-new 0"
            )
            skipped.append(use_case)
            continue
        say(f"{use_case}: {new} new interactions; training")
        run_module(TRAINING, {"use-case": use_case}, say, environment=_environment())
        last[use_case] = newest
        _write_last_rows(conf.data_dir, last)
        trained.append(use_case)
    published = _announce(before, _versions(conf.models_dir))
    return Retrained(tuple(trained), tuple(skipped), published)


def _announce(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> dict[str, list[str]]:
    published: dict[str, list[str]] = {}
    for catalogue, models in after.items():
        changed = {name: version for name, version in models.items() if before.get(catalogue, {}).get(name) != version}
        if changed:
            published[catalogue] = sorted(changed.values())
            models_published.send(sender=retrain, catalogue=catalogue, versions=published[catalogue])
    return published


def _versions(models_dir: Path) -> dict[str, dict[str, str]]:
    """Return the published version of every model, by catalogue."""
    versions: dict[str, dict[str, str]] = {}
    for source in all_sources():
        folder = models_dir / source.catalogue
        pointers = {path.stem: VersionedFolder(folder, path.stem).pointer() for path in folder.glob("*.current")}
        versions[source.catalogue] = {name: pointer.version for name, pointer in pointers.items() if pointer is not None}
    return versions


def _newest_row() -> int:
    return UserInteraction.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _enough(known: int) -> int:
    """Return how many new interactions are enough to train again."""
    return max(1, math.ceil(ENOUGH * known))


def _rows(use_case: str, *, after: int = 0) -> int:
    names = [source.catalogue for source in all_sources() if use_case_of(source) == use_case]
    return counted(UserInteraction.objects.filter(catalogue__name__in=names, pk__gt=after)).count()


def _last_rows(data_dir: Path) -> dict[str, int]:
    """Return the newest row that each use case was trained with; empty if there is no readable file."""
    try:
        return dict(json.loads((data_dir / STATE_FILE).read_text(encoding="utf-8"))["rows"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write_last_rows(data_dir: Path, rows: dict[str, int]) -> None:
    content = json.dumps({"rows": rows, "written": timezone.now().isoformat()})
    write_whole(data_dir / STATE_FILE, content.encode())


def _environment() -> dict[str, str]:
    """Return the folders of the TANDEM settings for the training, unless the environment names them already."""
    conf = tandem_settings()
    folders = {"RS_USE_CASES_DIR": conf.use_cases_dir, "RS_DATA_DIR": conf.data_dir, "RS_MODELS_DIR": conf.models_dir}
    return {name: os.environ.get(name) or str(folder) for name, folder in folders.items()}


class _Lines:
    """A text stream that passes whole lines on, without the hints of the next command: it runs already."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def write(self, text: str) -> int:
        for line in text.splitlines():
            if not line.startswith("next: "):
                self._say(line)
        return len(text)

    def flush(self) -> None:
        return None
