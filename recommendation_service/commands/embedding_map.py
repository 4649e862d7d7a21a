"""`tandem embedding-map`: draws the item vectors of a published model in two dimensions, coloured by category."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from recommendation_service.commands.options import DataDir, ModelsDir, Seed, UseCaseName
from recommendation_service.datasets.reader import Dataset
from recommendation_service.errors import ArtifactRefused
from recommendation_service.kinds import names_where
from recommendation_service.publishing.store import Artifact, ArtifactStore
from recommendation_service.training.models.embedding_map import (
    draw,
    groups_of,
    plot_positions,
    same_neighbour_share,
    vectors_of,
)
from recommendation_service.training.report import Report
from recommendation_service.training.workspace import Workspace

KINDS = names_where(vectors=True)[::-1]  # the first published one is drawn
MOST_ITEMS = 5_000  # t-SNE of more takes minutes, and the dots hide each other
SUFFIXES = (".svg", ".png")


def embedding_map(
    use_case: UseCaseName,
    output: Annotated[Path, typer.Option(metavar="FILE", help="Picture to write, .svg or .png.")],
    kind: Annotated[str | None, typer.Option(help=f"One of {', '.join(KINDS)}. Default: the first published one.")] = None,
    data_dir: DataDir = None,
    models_dir: ModelsDir = None,
    seed: Seed = 42,
) -> None:
    """Draw the item vectors of a published model, coloured by category, and print how well categories are separated.

    Example: tandem embedding-map --use-case posts --output map.svg
    """
    if output.suffix not in SUFFIXES:
        raise typer.BadParameter("must end in .svg or .png", param_hint="--output")
    if kind not in (None, *KINDS):
        raise typer.BadParameter(f"must be one of {', '.join(KINDS)}", param_hint="--kind")
    workspace, report = Workspace.open([use_case], data_dir, models_dir), Report()
    described = workspace.use_cases[0]
    model = _published(workspace, described.catalogues[0], kind)
    catalogue = Dataset.open(workspace.data_dir, described.catalogues[0]).catalogue()
    vectors, ids = vectors_of(model), [item_id.decode() for item_id in model.arrays["item_ids"].tolist()]
    selected = np.linspace(0, len(ids) - 1, min(len(ids), MOST_ITEMS)).astype(np.int64)
    names, groups = groups_of(catalogue, [ids[row] for row in selected])
    title = f"{described.title or described.name}: {len(selected):,} items of {model.version}"
    draw(output, plot_positions(vectors[selected], seed=seed), names, groups, title=title)
    report.line(f"{output.name}: {len(selected):,} of {len(ids):,} items of {model.version}, {len(names)} categories")
    if (groups >= 0).sum() > 1:
        share, chance = same_neighbour_share(vectors[selected], groups)
        report.line(f"{share:.0%} of an item's 5 nearest are of its own category; chance would give {chance:.0%}")
    report.next_command(f"tandem evaluate lists --use-case {use_case}")


def _published(workspace: Workspace, catalogue: str, kind: str | None) -> Artifact:
    store = ArtifactStore(workspace.models_dir / catalogue)
    for wanted in [kind] if kind else KINDS:
        artifact = store.load(wanted)
        if artifact is not None:
            return artifact
    raise ArtifactRefused(f"{catalogue}: no published model of kind {kind or ', '.join(KINDS)}; run: tandem train all")
