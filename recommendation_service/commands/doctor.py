"""`tandem doctor`: reports what is exported and loaded, and the next useful command."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from recommendation_service.commands.options import JsonFile, write_json
from recommendation_service.datasets.checks import TEXT_KINDS, learners, shortage
from recommendation_service.services.serving import LoadedCatalogue, ServingState, weights_summary
from recommendation_service.settings import load_settings
from recommendation_service.training.report import Report
from recommendation_service.use_cases.schema import UseCase
from recommendation_service.wiring import build_live

EXPORT = "manage.py generate_all_datasets"
SERVE = "gunicorn -c recommendation_service/gunicorn.conf.py"
OLD_DAYS = 7.0


def doctor(
    use_case: Annotated[str | None, typer.Option(metavar="NAME", help="Examine only this use case.")] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Train and compare the methods of a use case on its export. Publishes nothing.")
    ] = False,
    budget_seconds: Annotated[float, typer.Option(metavar="S", help="Begin no method after this many seconds.")] = 300.0,
    json_file: JsonFile = None,
) -> None:
    """Report what is exported and published, how old it is, what it supports, and what to run next.

    Example: tandem doctor --use-case startups --measure
    """
    if measure and not use_case:
        raise typer.BadParameter("measures one use case: add --use-case NAME", param_hint="--measure")
    settings = load_settings()
    if use_case:
        settings = settings.model_copy(update={"use_cases": use_case})
    live, now = build_live(settings), time.time()
    lines, next_command = examine(live, now=now)
    body: dict[str, Any] = {"use_cases": list(live.use_cases), "lines": lines, "next": next_command}
    typer.echo("\n".join(lines))
    if use_case and measure:
        from recommendation_service.commands import doctor_measured  # a server without the training libraries has a doctor too

        body["measured"] = doctor_measured.look(live, use_case, settings, now=now, budget_s=budget_seconds)
    elif use_case:
        typer.echo(f"  which methods and thresholds suit it: tandem doctor --use-case {use_case} --measure")
    write_json(json_file, body)
    Report().next_command(next_command)


def examine(live: ServingState, *, now: float) -> tuple[list[str], str]:
    """Return lines of text about each use case, and the most useful next command. `now` is in Unix seconds."""
    lines, commands = [], []
    exported = any(loaded.export.value for loaded in live.loaded_catalogues.values())
    for name, use_case in sorted(live.use_cases.items()):
        loaded = [live.loaded_catalogues[catalogue] for catalogue in use_case.catalogues]
        lines.append(f"{name}:")
        for entry in loaded:
            summary_lines, missing = _catalogue(entry, now)
            lines += summary_lines
            lines += [f"  {weights}" for weights in [weights_summary(live, name, entry.name)] if weights]
            # a service need not have every use case: one without any export is nothing to do when others have theirs
            commands += missing if not exported or any(other.export.value for other in loaded) else []
        summary_lines, missing = _engines(live, use_case, loaded)
        lines += summary_lines
        commands += missing
    return lines, min(commands, key=lambda command: command != EXPORT) if commands else SERVE


def _engines(live: ServingState, use_case: UseCase, loaded: Sequence[LoadedCatalogue]) -> tuple[list[str], list[str]]:
    wanted = [engine for engine in use_case.engines if engine not in use_case.switched_off]
    ready = live.serving.engines.get(use_case.name, ())
    lacking = [engine for engine in wanted if engine not in ready]
    untrained = [
        *lacking,
        *(entry for entry in use_case.estimators if entry not in live.serving.estimators.get(use_case.name, {})),
    ]
    lines = [f"  engines ready: {', '.join(ready) or 'none'}"]
    if not untrained or not ready:
        return lines, []
    lines.append(f"  not trained: {', '.join(untrained)}")
    short = "" if use_case.pairs else _shortage(loaded)
    if short:
        lines.append(f"  not enough data: {short}")
    if short and not (_liked(loaded) and any(use_case.engines[engine].kind in TEXT_KINDS for engine in lacking)):
        return lines, []  # training again would change nothing
    return lines, [f"tandem train all --use-case {use_case.name}"]


def _shortage(loaded: Sequence[LoadedCatalogue]) -> str:
    """Return why an export has too few users to train with; empty if one export has enough."""
    exports = [entry.export.value for entry in loaded if entry.export.value is not None]
    return shortage(max((learners(export.dataset) for export in exports), default=0))


def _liked(loaded: Sequence[LoadedCatalogue]) -> bool:
    """Return True if any export has a positive interaction. Without one, no model is trained."""
    return any((entry.export.value.dataset.interactions().data > 0).any() for entry in loaded if entry.export.value is not None)


def _catalogue(loaded: LoadedCatalogue, now: float) -> tuple[list[str], list[str]]:
    lines, commands = [], []
    export = loaded.export.value
    if export is None:
        reason = loaded.export.problem or "no export yet"
        return [f"  {loaded.name}: {reason}"], [EXPORT]
    counts = export.dataset.summary.get("counts", {})
    age = _age_days(export.dataset.summary.get("created_at"), now)
    summary = ", ".join(f"{count} {what}" for what, count in counts.items())
    lines.append(f"  {loaded.name}: {loaded.export.version}, {summary}{_old(age)}")
    if age is not None and age > OLD_DAYS:
        commands.append(EXPORT)
    for kind, model in sorted(loaded.models.items()):
        if model.value is not None:
            fresh = model.value.manifest.dataset.get("fingerprint") == export.dataset.fingerprint
            made = _old(_age_days(model.value.manifest.created_at, now))
            lines.append(f"  {kind}: {model.version}{made}{'' if fresh else ', of another export than the current'}")
            lines += [f"  {kind}: warning: {warning}" for warning in model.value.manifest.warnings]
        if model.problem:
            lines.append(f"  {kind}: refused: {model.problem}")
            commands.append("./train_all_models.sh")
    return lines, commands


def _age_days(created_at: Any, now: float) -> float | None:
    """Return the days since an ISO 8601 time or since Unix seconds, or None if the value is neither."""
    try:
        timestamp = float(created_at) if isinstance(created_at, int | float) else datetime.fromisoformat(created_at).timestamp()
    except (TypeError, ValueError):
        return None
    return max(now - timestamp, 0.0) / 86_400


def _old(age_days: float | None) -> str:
    return "" if age_days is None else f", {age_days:.1f} days old"
