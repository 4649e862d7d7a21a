"""The published model that a training may replace."""

from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.store import Artifact, ArtifactStore
from recommendation_service.training.report import Report


def load_published(store: ArtifactStore, catalogue: str, report: Report, kind: str) -> Artifact | None:
    """Load the published model, or return None if there is none or it is unreadable, which is a warning."""
    try:
        return store.load(kind)
    except ArtifactRefused as error:
        report.warn(f"{catalogue}/{kind}: today's model cannot be read ({error.message})")
        return None
