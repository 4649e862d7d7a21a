"""`tandem models`: list published models, and go back to an older one."""

from typing import Annotated

import typer

from recommendation_service.domain.ids import clean_id
from recommendation_service.kinds import KINDS
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.services.serving import ServingState
from recommendation_service.settings import load_settings
from recommendation_service.training.report import Report
from recommendation_service.web.models import listing
from recommendation_service.wiring import build_live, served_use_cases, watched_kinds

PUBLISHED = tuple(name for name, kind in KINDS.items() if kind.arrays)


def list_models() -> None:
    """List the published models: version, age, what a search of settings gained, warnings, and why a model is not served.

    A candidate, which the gate refused, is a line below with the reason.

    Example: tandem models
    """
    settings = load_settings()
    live = build_live(settings)
    for row in listing(live):
        columns = f"{row.catalogue:<12} {row.kind:<10} {row.version or '-':<14} {row.created_at or '-':<26}"
        label = f"({row.label}) " if row.label else ""
        typer.echo(f"{columns} {label}{_tuned(live, row.catalogue, row.kind)}{row.problem or ''}".rstrip())
        for warning in row.warnings:
            typer.echo(f"  warning: {warning}")
        store = ArtifactStore(settings.models_dir / row.catalogue)
        for version, manifest in store.candidates(row.kind).items():
            typer.echo(f"  candidate {version} {manifest.created_at}: {'; '.join(manifest.warnings)}")
            typer.echo(f"  to publish it: tandem models rollback {row.kind} --catalogue {row.catalogue} --version {version}")
    Report().next_command("tandem doctor")


def _tuned(live: ServingState, catalogue: str, kind: str) -> str:
    """Return what a search of a model's settings gained; empty if there was none."""
    model = live.loaded_catalogues[catalogue].models.get(kind)
    tuning = model.value.manifest.metrics.get("tuning") if model and model.value else None
    if not tuning:
        return ""
    end = "" if tuning["whole_search"] else ", ended by its ceiling of seconds"
    return f"tuned: NDCG@10 {tuning['gain']:+.0%} over the configured settings, {tuning['tried']} tried{end} "


def rollback(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="Kind of model, such as als.")],
    use_case: Annotated[str | None, typer.Option(metavar="NAME", help="Roll back in every catalogue of this use case.")] = None,
    catalogue: Annotated[str | None, typer.Option(metavar="NAME", help="Roll back in this catalogue only.")] = None,
    version: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Such as als_v3. Default: the newest good one before the current.")
    ] = None,
) -> None:
    """Publish an older version of a model again. Running workers load it by themselves.

    Example: tandem models rollback als --use-case startups
    """
    if kind not in PUBLISHED:
        raise typer.BadParameter(f"'{kind}' is no kind of model; there are {', '.join(PUBLISHED)}", param_hint="KIND")
    if (use_case is None) == (catalogue is None):
        raise typer.BadParameter("give one of them: --use-case NAME or --catalogue NAME", param_hint="--use-case / --catalogue")
    settings = load_settings()
    catalogues = [catalogue] if catalogue is not None else []
    if use_case is not None:
        described = served_use_cases(settings.model_copy(update={"use_cases": use_case}))[use_case]
        catalogues = [name for name in described.catalogues if kind in watched_kinds(described, name)]
        catalogues = catalogues or list(described.catalogues)
    for name in catalogues:
        folder = settings.models_dir / clean_id(name, field="catalogue")
        artifact = ArtifactStore(folder).rollback(kind, version)
        typer.echo(f"{name}: {kind} is {artifact.version} again; workers load it within {settings.reload_seconds:g} s")
    Report().next_command("tandem models")
