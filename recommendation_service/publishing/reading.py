"""The read side of published models; the backend imports no other module of this package."""

from pathlib import Path

from recommendation_service.publishing.store import Artifact, ArtifactStore


def published(models_dir: Path, catalogue: str, kind: str) -> Artifact | None:
    """Return the published model, verified byte by byte; None if there is none.

    Raises ArtifactRefused, which names the version, if it is damaged.
    """
    return ArtifactStore(models_dir / catalogue).load(kind)
