"""Examines what is exported and loaded, and names the next command."""

from datetime import datetime
from typing import Any

from recommendation_service.services.live import Holding, Live

EXPORT = "manage.py generate_all_datasets"
SERVE = "gunicorn -c recommendation_service/gunicorn.conf.py"
OLD_DAYS = 7.0


def examine(live: Live, *, now: float) -> tuple[list[str], str]:
    """Lines for people about each use case, and the one command that helps most now. `now` is epoch seconds."""
    lines, commands = [], []
    for name, use_case in sorted(live.use_cases.items()):
        lines.append(f"{name}:")
        for catalogue in use_case.catalogues:
            told, missing = _catalogue(live.holdings[catalogue], now)
            lines += told
            commands += missing
        wanted = [engine for engine in use_case.engines if engine not in use_case.switched_off]
        ready = live.serving.engines.get(name, ())
        lacking = [engine for engine in wanted if engine not in ready]
        lacking += [one for one in use_case.estimators if one not in live.serving.estimators.get(name, {})]
        lines.append(f"  engines ready: {', '.join(ready) or 'none'}")
        if lacking and ready:
            lines.append(f"  not trained: {', '.join(lacking)}")
            commands.append(f"python -m recommendation_service.train_all --use-case {name}")
    return lines, min(commands, key=lambda command: command != EXPORT) if commands else SERVE


def _catalogue(held: Holding, now: float) -> tuple[list[str], list[str]]:
    lines, commands = [], []
    export = held.export.value
    if export is None:
        reason = held.export.problem or "no export yet"
        return [f"  {held.name}: {reason}"], [EXPORT]
    counts = export.dataset.summary.get("counts", {})
    age = _age_days(export.dataset.summary.get("created_at"), now)
    told = ", ".join(f"{count} {what}" for what, count in counts.items())
    lines.append(f"  {held.name}: {held.export.version}, {told}{_old(age)}")
    if age is not None and age > OLD_DAYS:
        commands.append(EXPORT)
    for kind, model in sorted(held.models.items()):
        if model.value is not None:
            fresh = model.value.manifest.dataset.get("fingerprint") == export.dataset.fingerprint
            made = _old(_age_days(model.value.manifest.created_at, now))
            lines.append(f"  {kind}: {model.version}{made}{'' if fresh else ', of another export than the current'}")
        if model.problem:
            lines.append(f"  {kind}: refused: {model.problem}")
            commands.append("./train_all_models.sh")
    return lines, commands


def _age_days(created_at: Any, now: float) -> float | None:
    """Days since an ISO 8601 time or epoch seconds; None when it says neither."""
    try:
        moment = float(created_at) if isinstance(created_at, int | float) else datetime.fromisoformat(created_at).timestamp()
    except (TypeError, ValueError):
        return None
    return max(now - moment, 0.0) / 86_400


def _old(age_days: float | None) -> str:
    return "" if age_days is None else f", {age_days:.1f} days old"
