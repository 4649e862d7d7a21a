"""`tandem index`: builds the FAISS index of the published two-tower model, checks it against exact search, publishes it."""

from recommendation_service.commands.options import DataDir, ModelsDir, UseCaseNames
from recommendation_service.commands.program import DONE, FAILED
from recommendation_service.datasets.reader import Dataset
from recommendation_service.errors import ConfigurationError, DatasetError
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.training.lock import training_lock
from recommendation_service.training.models.faiss_index import MODEL, publish_index, wants_index
from recommendation_service.training.report import Report
from recommendation_service.training.session import CatalogueTraining, TrainingOptions
from recommendation_service.training.workspace import Workspace
from recommendation_service.use_cases.schema import UseCase
from recommendation_service.wiring import build_engines


def index(use_case: UseCaseNames = None, data_dir: DataDir = None, models_dir: ModelsDir = None) -> int:
    """Build the FAISS index of the published two-tower model, check it against exact search, and publish it.

    Without --use-case: of all use cases whose two_tower engine has index = "faiss".

    Example: tandem index --use-case courses
    """
    workspace, report = Workspace.open(use_case, data_dir, models_dir), Report()
    wanted = [entry for entry in workspace.use_cases if wants_index(entry) or (workspace.named and entry.engine_of_kind(MODEL))]
    if not wanted:
        names = ", ".join(entry.name for entry in workspace.use_cases)
        fix = 'write options = { index = "faiss" }, or name the use case'
        raise ConfigurationError(f"no {MODEL} engine of {names} asks for an index; {fix}")
    published = [_build(workspace, entry, name, report) for entry in wanted for name in entry.catalogues]
    report.next_command("tandem models")
    return DONE if all(published) else FAILED


def _build(workspace: Workspace, use_case: UseCase, name: str, report: Report) -> bool:
    dataset, store = Dataset.open(workspace.data_dir, name), ArtifactStore(workspace.models_dir / name)
    with training_lock(store.root):
        result = publish_index(
            CatalogueTraining(use_case, name, dataset, dataset.events(), store, build_engines, TrainingOptions(), report)
        )
    if result.skipped:
        raise DatasetError(f"{name}: {result.skipped}")
    return result.version is not None
