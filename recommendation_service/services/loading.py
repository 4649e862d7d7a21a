"""What is published, opened and watched over: exports and models by catalogue, and folders that a setting pins."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path

from recommendation_service.datasets.open_mapped import open_for_serving
from recommendation_service.datasets.reader import export_folder
from recommendation_service.errors import ArtifactRefused, DatasetError
from recommendation_service.publishing.store import Artifact, ArtifactStore, read_folder
from recommendation_service.publishing.watcher import Watched
from recommendation_service.services.serving import Export, Holding
from recommendation_service.settings import Settings

log = logging.getLogger(__name__)


def watch_over(settings: Settings, catalogue: str, kinds: Sequence[str], refused: Callable[[str, str], None]) -> Holding:
    """The export and the models of one catalogue; nothing is read yet. `refused` is told catalogue and kind."""
    store = ArtifactStore(settings.models_dir / catalogue)
    told = partial(refused, catalogue)
    return Holding(
        catalogue,
        Watched(export_folder(settings.data_dir, catalogue), partial(_read_export, catalogue), refused=told),
        {kind: Watched(store.folder(kind), partial(_read_model, kind), refused=told) for kind in kinds},
    )


def _read_export(catalogue: str, folder: Path, seal: str | None) -> Export:
    dataset, items = open_for_serving(folder, seal=seal)
    if items.name != catalogue:
        raise DatasetError(f"{folder.name}: holds {items.name}, not {catalogue}; move it, or export again")
    return Export(dataset, items)


def _read_model(kind: str, folder: Path, seal: str | None) -> Artifact:
    return read_folder(folder, kind, seal=seal, serving=True)


def damaged_kinds(held: Holding) -> frozenset[str]:
    """Kinds whose published model is damaged, without an older good one at hand."""
    return frozenset(kind for kind, one in held.models.items() if one.problem is not None and one.value is None)


def state_of(holdings: Mapping[str, Holding], pins: Sequence[Artifact]) -> str:
    """A word that changes with every model and export taken up or lost."""
    held = [(name, one.export.version, sorted(one.artifacts().items())) for name, one in sorted(holdings.items())]
    seals = [(name, export, [(kind, model.manifest.seal) for kind, model in models]) for name, export, models in held]
    return sha256(repr((seals, [pin.manifest.seal for pin in pins])).encode()).hexdigest()[:16]


def pinned(settings: Settings) -> list[Artifact]:
    """The model folders named by ALS_MODEL_PATH and TWO_TOWER_MODEL_PATH; one that is refused is told and left out."""
    found = []
    for kind, path in (("als", settings.als_model_path), ("two_tower", settings.two_tower_model_path)):
        if path is None:
            continue
        try:
            found.append(read_folder(path, kind))
        except ArtifactRefused as error:
            log.error("%s_MODEL_PATH: %s", kind.upper(), error.message)
    return found
