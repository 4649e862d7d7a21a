"""Trains each catalogue of each use case: its kinds in turn, then what is learned on top of them, under one lock."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from recommendation_service.datasets.checks import check
from recommendation_service.datasets.reader import Dataset, Events, export_folder
from recommendation_service.errors import DatasetError
from recommendation_service.kinds import KINDS
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.training.ensemble.training import learn_ensemble
from recommendation_service.training.lock import training_lock
from recommendation_service.training.models.faiss_index import MODEL, learn_index, wants_index
from recommendation_service.training.pairs.session import PairTraining, pair_kinds
from recommendation_service.training.ranking.trainer import learn_ranker, ranker_of
from recommendation_service.training.report import Report
from recommendation_service.training.session import CatalogueTraining, EngineBuilder, TrainingOptions, TrainingResult
from recommendation_service.training.tuning import SEARCHES
from recommendation_service.training.workspace import Workspace
from recommendation_service.use_cases.schema import UseCase

Above = Callable[[CatalogueTraining, Sequence[TrainingResult]], TrainingResult | None]
LEARNS: Mapping[Above, str] = {
    learn_ensemble: "learn the ensemble",
    learn_ranker: "learn the ranker",
    learn_index: "build the index",
}


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """The end of a run: whether the gate refused a model, whether Ctrl-C stopped it, and the command to run next."""

    refused: bool = False
    stopped: bool = False
    next_command: str = ""


def run_training(
    workspace: Workspace,
    kinds: Sequence[str],
    options: TrainingOptions,
    build: EngineBuilder,
    report: Report,
    *,
    ensemble: bool = False,
    ranker: bool = False,
    pairs: Sequence[str] = (),
    dry_run: bool = False,
) -> TrainingRun:
    """Train `kinds` for every use case, then what is learned on top of them, and the kinds of pair models in `pairs`.

    A use case that was named must have an export; otherwise one without an export is skipped in one line.
    """
    refused = trained = exported = False
    if options.tune and kinds and not any(kind in SEARCHES for kind in kinds):
        report.line(f"{', '.join(kinds)}: nothing to search; trained with the default settings")
    for use_case in workspace.use_cases:
        for name in use_case.catalogues:
            if not workspace.named and export_folder(workspace.data_dir, name).pointer() is None:
                report.line(f"{name:<10} no export, skipped; run: manage.py generate_all_datasets")
                continue
            exported = True
            above: tuple[Above, ...] = (learn_ensemble,) * (ensemble and learnable_blend(use_case))
            above += (learn_ranker,) * (ranker and ranker_of(use_case) is not None)
            above += (learn_index,) * (MODEL in kinds and wants_index(use_case))
            work = Work.of(use_case, name, kinds, above, pairs)
            try:
                with report.alive(f"{name}/check"):
                    results = _catalogue(workspace, use_case, name, work, options, build, report, dry_run=dry_run)
            except KeyboardInterrupt:
                report.warn(f"{name}: stopped; published models stay, and the same command continues its search")
                return TrainingRun(stopped=True)
            refused |= any(result.refused for result in results)
            trained |= any(result.version for result in results)
    only = workspace.use_cases[0] if len(workspace.use_cases) == 1 else None
    evaluated = only.name if only is not None and only.pairs is None else None
    return TrainingRun(refused, next_command=_next_command(evaluated, trained=trained, dry_run=dry_run and exported))


def _next_command(use_case: str | None, *, trained: bool, dry_run: bool) -> str:
    if dry_run:
        return "the same command without --dry-run"
    if trained:
        return f"tandem evaluate models --use-case {use_case}" if use_case else "tandem models"
    return "manage.py generate_all_datasets"


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done for one catalogue of a use case."""

    kinds: tuple[str, ...]
    above: tuple[Above, ...]
    pairs: tuple[str, ...]  # need matches, and no interactions

    @classmethod
    def of(cls, use_case: UseCase, name: str, kinds: Sequence[str], above: Sequence[Above], pairs: Sequence[str]) -> "Work":
        """Of the kinds asked for, those that this use case has, and has with this catalogue."""
        trained_kinds = tuple(kind for kind in kinds if use_case.engine_of_kind(kind))
        return cls(trained_kinds, tuple(above), tuple(kind for kind in pair_kinds(use_case, name) if kind in pairs))

    def summary(self) -> str:
        """In words, for a dry run."""
        trained = ", ".join((*self.kinds, *self.pairs))
        return " and ".join([f"train {trained}"] * bool(trained) + [LEARNS[entry] for entry in self.above]) or "train nothing"


def _catalogue(
    workspace: Workspace,
    use_case: UseCase,
    name: str,
    work: Work,
    options: TrainingOptions,
    build: EngineBuilder,
    report: Report,
    *,
    dry_run: bool,
) -> list[TrainingResult]:
    dataset = Dataset.open(workspace.data_dir, name)
    if work == Work((), (), ()):
        pair_config = use_case.pairs
        summary = (
            f"pairs are trained with {pair_config.right}" if pair_config and pair_config.left == name else "nothing to train"
        )
        report.line(f"{name:<10} {summary}")
        return []
    events = dataset.events() if work.kinds or work.above else None
    if events is not None and not _learnable(dataset, events, name, report):
        events = None
        work = replace(work, kinds=(), above=())
    if dry_run:
        report.line(f"{name:<10} would {work.summary()}")
        return []
    store, results = ArtifactStore(workspace.models_dir / name), []
    if work.pairs or events is not None:
        with training_lock(store.root):
            if events is not None:
                session = CatalogueTraining(use_case, name, dataset, events, store, build, options, report, work.kinds)
                results = [session.train(kind) for kind in work.kinds]
                for learn in work.above:
                    report.doing = f"{name}/{LEARNS[learn]}"
                    entry = learn(session, tuple(results))
                    results += [] if entry is None else [entry]
            if use_case.pairs is not None:
                results += PairTraining(use_case, use_case.pairs, dataset, store, options, report).train(work.pairs)
    return results


def learnable_blend(use_case: UseCase) -> bool:
    """Whether weights can be learned from what people chose: of engines that score pairs nobody's history says anything."""
    ensemble = use_case.main_ensemble()
    members = ensemble[1].options.get("members", {}) if ensemble else {}
    return not any(KINDS[use_case.engines[name].kind].about_pairs for name in members if name in use_case.engines)


def _learnable(dataset: Dataset, events: Events, name: str, report: Report) -> bool:
    started = time.monotonic()
    checked = check(dataset, events, now=time.time())
    counts = checked.counts
    summary = f"{counts.users:,} people, {counts.items:,} items, {counts.positive:,} positive, {counts.days:.0f} days"
    report.stage(name, "check", counts.events, time.monotonic() - started, summary)
    for warning in checked.warnings:
        report.warn(f"{name}: {warning}")
    if checked.blocking:
        if counts.items == 0:
            raise DatasetError(f"{name}: {checked.blocking[0]}; add some, then run: manage.py generate_all_datasets")
        report.line(f"{name:<10} not enough data: {checked.blocking[0]}; nothing was published, popular items keep serving")
        report.lacking[name] = checked.blocking[0]
    return not checked.blocking
