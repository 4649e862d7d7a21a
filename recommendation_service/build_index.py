"""Builds the FAISS index of the published two-tower model, checks it against exact search, and publishes it."""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import sys
from collections.abc import Sequence

from recommendation_service.datasets.reader import Dataset
from recommendation_service.errors import ConfigurationError, DatasetError
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.training.command import DONE, FAILED, Workspace, guarded, parse, parser, workspace_of
from recommendation_service.training.lock import training_lock
from recommendation_service.training.models.faiss_index import MODEL, publish_index, wants_index
from recommendation_service.training.report import Report
from recommendation_service.training.session import CatalogueTraining, TrainingOptions
from recommendation_service.use_cases.schema import UseCase
from recommendation_service.wiring import build_engines


def main(argv: Sequence[str] | None = None) -> int:
    """Build and publish; 0 done, 1 refused or another expected failure, 2 wrong usage."""
    found = parser("build_index", __doc__ or "", use_cases="repeatable; default: all whose two_tower engine asks for faiss")
    options = parse(found, argv)
    return guarded("build_index", lambda: _build_all(workspace_of(options)))


def _build_all(workspace: Workspace) -> int:
    wanted = [
        use_case
        for use_case in workspace.use_cases
        if wants_index(use_case) or (workspace.named and use_case.engine_of_kind(MODEL))
    ]
    if not wanted:
        raise ConfigurationError(
            f"no {MODEL} engine of {', '.join(one.name for one in workspace.use_cases)} asks for an index;"
            ' write options = { index = "faiss" }, or name the use case'
        )
    report = Report()
    refused = [name for use_case in wanted for name in use_case.catalogues if not _build(workspace, use_case, name, report)]
    report.line("next: python -m recommendation_service.cli models")
    return FAILED if refused else DONE


def _build(workspace: Workspace, use_case: UseCase, name: str, report: Report) -> bool:
    dataset, store = Dataset.open(workspace.data_dir, name), ArtifactStore(workspace.models_dir / name)
    with training_lock(store.root):
        session = CatalogueTraining(use_case, name, dataset, dataset.events(), store, build_engines, TrainingOptions(), report)
        outcome = publish_index(session)
    if outcome.skipped:
        raise DatasetError(f"{name}: {outcome.skipped}")
    return outcome.version is not None


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
