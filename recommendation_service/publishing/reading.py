"""The read side of published models, for whoever must never publish: the backend sees this module and no other here."""

from pathlib import Path

from recommendation_service.publishing.store import Artifact, ArtifactStore


def published(models_dir: Path, catalogue: str, kind: str) -> Artifact | None:
    """The model that serves now, verified byte by byte; None when none was published.

    Raises ArtifactRefused, naming the set, when it is damaged.
    """
    return ArtifactStore(models_dir / catalogue).load(kind)
