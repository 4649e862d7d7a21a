"""The model that serves today, for a training that is about to replace it."""

from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.store import Artifact, ArtifactStore
from recommendation_service.training.report import Report


def load_published(store: ArtifactStore, catalogue: str, report: Report, kind: str) -> Artifact | None:
    """The published model, or None when there is none that can be read; one that cannot be read is told."""
    try:
        return store.load(kind)
    except ArtifactRefused as error:
        report.warn(f"{catalogue}/{kind}: today's model cannot be read ({error.message})")
        return None
