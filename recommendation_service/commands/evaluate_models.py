"""`tandem evaluate models`: measures every model of a use case on a global split, by time where times allow."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from recommendation_service.commands.options import DataDir, JsonFile, Seed, UseCaseName, write_json
from recommendation_service.datasets.reader import Dataset
from recommendation_service.publishing.versions import write_whole
from recommendation_service.training.comparison import tables
from recommendation_service.training.comparison.models import BASKET_K, ModelComparer, ModelComparison
from recommendation_service.training.report import Report
from recommendation_service.training.trainers import KINDS, stated_for
from recommendation_service.training.tuning import DEFAULT_BUDGET_S
from recommendation_service.training.workspace import Workspace
from recommendation_service.wiring import build_engines


def evaluate_models(
    use_case: UseCaseName,
    data_dir: DataDir = None,
    k: Annotated[int, typer.Option(min=1, help="Length of the lists.")] = 10,
    tune: Annotated[bool, typer.Option("--tune", help="Also search settings on validation, as train all does.")] = False,
    budget_seconds: Annotated[float, typer.Option(metavar="S", help="Ceiling of the search of each kind.")] = DEFAULT_BUDGET_S,
    seed: Seed = 42,
    json_file: JsonFile = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the tables as Markdown.")] = None,
) -> None:
    """Measure every model of a use case on a global split, by time where times allow, and print the table. Publishes nothing.

    Example: tandem evaluate models --use-case movies --tune
    """
    started, report = time.monotonic(), Report()
    workspace = Workspace.open([use_case], data_dir)
    described = workspace.use_cases[0]
    dataset = Dataset.open(workspace.data_dir, described.catalogues[0])
    parameters = {kind: stated_for(described, kind, seed=seed) for kind in KINDS if described.engine_of_kind(kind)}
    comparer = ModelComparer(described, dataset, build_engines, report)
    with report.alive(use_case):
        comparison = comparer.run(parameters, k=k, tune=tune, budget_s=budget_seconds)
    report.line(
        f"{use_case}: {dataset.version}, full ranking, seen items masked, seed {seed}, 80/10/10 {comparer.split.method}"
    )
    report.line(tables.plain(comparison.figures, k))
    if comparison.baskets:
        report.line("\n" + tables.plain(comparison.baskets, BASKET_K))
    for note in comparison.notes:
        report.line(note)
    if markdown:
        write_whole(markdown, _markdown(comparison, k).encode())
    body = {name: [asdict(entry) for entry in getattr(comparison, name)] for name in ("figures", "baskets")}
    source = {"export": dataset.version, "fingerprint": dataset.fingerprint, "split": comparer.split.method}
    write_json(json_file, {**source, "k": k, "seed": seed, **body, "notes": list(comparison.notes)})
    report.line(f"measured in {time.monotonic() - started:.1f} s")
    report.next_command(f"tandem train all --use-case {use_case}")


def _markdown(comparison: ModelComparison, k: int) -> str:
    baskets = "\n" + tables.markdown(comparison.baskets, BASKET_K) if comparison.baskets else ""
    notes = "".join(f"\n- {note}" for note in comparison.notes)
    return f"{tables.markdown(comparison.figures, k)}{baskets}{notes}\n"
