"""`tandem train` and `tandem tune`: train models of published exports, and publish each that passes the gate."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from recommendation_service.commands.options import DataDir, DryRun, Force, ModelsDir, Seed, UseCaseNames
from recommendation_service.commands.program import DONE, FAILED, STOPPED
from recommendation_service.commands.sample_lists import sample_lists
from recommendation_service.datasets.reader import Dataset, export_folder
from recommendation_service.errors import ConfigurationError
from recommendation_service.kinds import KINDS as ALL_KINDS
from recommendation_service.kinds import resolve
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.training.lock import training_lock
from recommendation_service.training.pairs.session import PAIR_KINDS, PAIR_RECIPES, pair_kinds
from recommendation_service.training.report import Report
from recommendation_service.training.runner import TrainingRun, run_training
from recommendation_service.training.session import TrainingOptions
from recommendation_service.training.setting import settings_of
from recommendation_service.training.spark.session import spark_session
from recommendation_service.training.trainers import KINDS, stated_for
from recommendation_service.training.tuning import DEFAULT_BUDGET_S, searched_settings
from recommendation_service.training.workspace import Workspace, quietly
from recommendation_service.use_cases.overrides import with_training
from recommendation_service.use_cases.schema import UseCase
from recommendation_service.wiring import build_engines

Trials = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Most settings to try per kind. Default: by the size of the log.")
]
Budget = Annotated[
    float, typer.Option(metavar="S", help="Ceiling of seconds for the searches of a catalogue; reaching it is a warning.")
]
Also = Annotated[list[str] | None, typer.Option(metavar="KIND", help="Train this kind too, such as content. Repeatable.")]
TopN = Annotated[int, typer.Option("--topn", min=0, max=100, help="Then print the first N items of three users; 0: none.")]
Config = Annotated[Path | None, typer.Option(metavar="FILE", help="YAML file with settings, such as configs/two_tower.yaml.")]
Engine = Annotated[str, typer.Option(metavar="NAME", help="Where to train: local, or spark for a Spark cluster.")]
Master = Annotated[str, typer.Option(metavar="URL", help="The Spark cluster, such as spark://host:7077, with --engine spark.")]
SPARK_OPTIONS = ("engine", "master")
PAIRS_LACK = ("trials", "budget_seconds", "also", "topn")  # options for searches, and for lists of single items
LOCAL, SPARK = "local", "spark"
PURPOSE = """{action} the models of kind {kind} of published exports, and publish each that passes the gate.

An option has precedence over --config, the environment and the use-case file.

Example: tandem {command} {kind} --use-case startups
"""


def train_command(kind: str, *, tune: bool = False) -> Callable[..., int]:
    """Return the command that trains one kind, with an option for each of its settings. `tune`: always search settings."""

    def command(**given: Any) -> int:
        return _train_kind(kind, {name: given.pop(name) for name in settings}, tune=given.pop("tune", tune), **given)

    row, settings = ALL_KINDS[kind], _setting_options(kind)
    unused = {"tune", *(PAIRS_LACK if row.pair_trainer else ()), *(() if row.config else ("config",))}
    unused |= set() if row.spark_trainer else {*SPARK_OPTIONS}
    common = list(inspect.signature(_train_kind).parameters.values())[2:]
    parameters = [*(parameter for parameter in common if parameter.name not in unused), *settings.values()]
    if not tune and not row.pair_trainer:
        parameters.append(inspect.Parameter("tune", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_tune(kind)))
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by inspect.signature
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    action, name = ("Search the settings of, and train with the best of them,", "tune") if tune else ("Train", "train")
    command.__doc__ = PURPOSE.format(action=action, kind=kind, command=name)
    return command


def _setting_options(kind: str) -> dict[str, inspect.Parameter]:
    options, parameters = {}, resolve(ALL_KINDS[kind].parameters)
    for name, (value_type, setting) in settings_of(parameters).items():
        default = getattr(parameters(), name)
        text = f"{setting.meaning[0].upper()}{setting.meaning[1:]}." + (f" Default: {default}." if default != "" else "")
        flag, metavar = f"--{(setting.option or name).replace('_', '-')}", "TEXT" if value_type is str else "N"
        option = typer.Option(flag, metavar=metavar, help=text)
        annotation = Annotated[value_type | None, option]  # type: ignore[valid-type]  # a type that is known at run time only
        options[name] = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
    return options


def _tune(kind: str) -> Any:
    names = ", ".join(searched_settings(kind)).replace("_", " ")
    nothing = "Accepted, but there is nothing to search for this kind: the validation part shows next items only."
    return Annotated[bool, typer.Option("--tune", help=f"Search {names} on a validation part." if names else nothing)]


def _train_kind(
    kind: str,
    given: Mapping[str, Any],
    *,
    use_case: UseCaseNames = None,
    data_dir: DataDir = None,
    models_dir: ModelsDir = None,
    dry_run: DryRun = False,
    force: Force = False,
    seed: Seed = 42,
    trials: Trials = None,
    budget_seconds: Budget = DEFAULT_BUDGET_S,
    also: Also = None,
    topn: TopN = 0,
    config: Config = None,
    engine: Engine = LOCAL,
    master: Master = "local[*]",
    tune: bool = False,
) -> int:
    row = ALL_KINDS[kind]
    if engine not in (LOCAL, SPARK):
        raise typer.BadParameter(f"{engine}; the engines are {LOCAL} and {SPARK}", param_hint="--engine")
    if unknown := set(also or ()) - set(KINDS):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}; the kinds are {', '.join(KINDS)}", param_hint="--also")
    from_file = resolve(row.config)(config) if config else {}
    workspace = _with_settings(Workspace.open(use_case, data_dir, models_dir), kind, from_file, given, seed)
    report = Report(every_step=row.prints_steps)
    training = TrainingOptions(tune, trials, budget_seconds, force, seed)
    if engine == SPARK and not dry_run:
        return _end(_train_with_spark(workspace, kind, master, training, report), report)
    run = run_training(
        workspace,
        [] if row.pair_trainer else [kind, *(also or ())],
        training,
        build_engines,
        report,
        pairs=[kind] if row.pair_trainer else [],
        dry_run=dry_run,
    )
    if topn and not dry_run and not run.refused and not run.stopped:
        with quietly():
            for entry in workspace.use_cases:
                report.line("\n".join(sample_lists(workspace, entry, topn)))
    return _end(run, report)


def _train_with_spark(workspace: Workspace, kind: str, master: str, options: TrainingOptions, report: Report) -> TrainingRun:
    results = []
    with spark_session(master) as session:
        trainer = resolve(ALL_KINDS[kind].spark_trainer)
        for use_case in workspace.use_cases:
            for name in use_case.catalogues:
                exported = export_folder(workspace.data_dir, name).pointer() is not None
                if use_case.engine_of_kind(kind) is None or not (exported or workspace.named):
                    continue
                dataset, store = Dataset.open(workspace.data_dir, name), ArtifactStore(workspace.models_dir / name)
                with training_lock(store.root), report.alive(f"{name}/{kind} on Spark"):
                    training = trainer(session, use_case, dataset, store, build_engines, options, report)
                    results.append(training.train(stated_for(use_case, kind, seed=options.seed)))
    trained = any(result.version for result in results)
    return TrainingRun(any(result.refused for result in results), next_command="tandem models" if trained else "")


def _with_settings(
    workspace: Workspace, kind: str, from_file: Mapping[str, Any], given: Mapping[str, Any], seed: int
) -> Workspace:
    """Return the workspace with these settings in its use cases; for a pair model, only with those that have its engine."""
    wanted = {name: value for name, value in given.items() if value is not None}
    implied = getattr(resolve(ALL_KINDS[kind].parameters), "implied", dict)
    use_cases = _with_pair_model(workspace, kind) if kind in PAIR_RECIPES else workspace.use_cases
    changed = tuple(with_training(use_case, kind, {**from_file, **implied(wanted), **wanted}) for use_case in use_cases)
    try:
        for use_case in changed:
            PAIR_RECIPES[kind].stated(use_case, seed=seed) if kind in PAIR_RECIPES else stated_for(use_case, kind, seed=seed)
    except ConfigurationError as error:
        if wanted:
            raise typer.BadParameter(error.message) from error
        raise
    return replace(workspace, use_cases=changed)


def _with_pair_model(workspace: Workspace, kind: str) -> tuple[UseCase, ...]:
    having = tuple(
        use_case for use_case in workspace.use_cases if any(kind in pair_kinds(use_case, name) for name in use_case.catalogues)
    )
    if not having:
        names = ", ".join(use_case.name for use_case in workspace.use_cases)
        raise ConfigurationError(f"{names}: no engine of kind {kind}; add one, and [pairs], to the use-case file")
    return having


def train_all(
    use_case: UseCaseNames = None,
    data_dir: DataDir = None,
    models_dir: ModelsDir = None,
    dry_run: DryRun = False,
    force: Force = False,
    seed: Seed = 42,
    trials: Trials = None,
    budget_seconds: Budget = DEFAULT_BUDGET_S,
    no_tune: Annotated[bool, typer.Option("--no-tune", help="Train with the default settings, without a search.")] = False,
) -> int:
    """Train every kind of the use cases, learn the ensemble's weights and the ranker, and publish what passes the gate.

    The exit code is 0 too if there is not enough data to train with.

    Example: tandem train all --use-case startups --trials 12
    """
    workspace, report = Workspace.open(use_case, data_dir, models_dir), Report()
    options = TrainingOptions(not no_tune, trials, budget_seconds, force, seed)
    run = run_training(
        workspace, KINDS, options, build_engines, report, ensemble=True, ranker=True, pairs=PAIR_KINDS, dry_run=dry_run
    )
    for catalogue, reason in report.lacking.items():
        report.line(f"{catalogue}: not enough data yet: {reason}")
    if report.lacking:
        report.line("that is no failure: lists use the texts of items and what is popular; train again later")
    return _end(run, report)


def train_ranker(
    use_case: UseCaseNames = None,
    data_dir: DataDir = None,
    models_dir: ModelsDir = None,
    dry_run: DryRun = False,
    force: Force = False,
    seed: Seed = 42,
) -> int:
    """Learn the ranker of the use cases from lists that were shown, and publish it if the gain is certain.

    The exit code is 0 too if there are too few lists.

    Example: tandem train ranker --use-case shop
    """
    workspace, report = Workspace.open(use_case, data_dir, models_dir), Report()
    options = TrainingOptions(force=force, seed=seed)
    return _end(run_training(workspace, [], options, build_engines, report, ranker=True, dry_run=dry_run), report)


def _end(run: TrainingRun, report: Report) -> int:
    if run.next_command:
        report.next_command(run.next_command)
    return STOPPED if run.stopped else FAILED if run.refused else DONE
