"""The options that several commands share."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from recommendation_service.publishing.versions import write_whole

UseCaseNames = Annotated[
    list[str] | None, typer.Option("--use-case", metavar="NAME", help="Repeatable. Default: all that have an export.")
]
UseCaseName = Annotated[str, typer.Option("--use-case", metavar="NAME", help="The use case, such as startups.")]
DataDir = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Read exports here. Default: RS_DATA_DIR.")]
ModelsDir = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Publish models here. Default: RS_MODELS_DIR.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of everything random.")]
JsonFile = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the results as JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check the exports and print what would be trained.")]
Force = Annotated[bool, typer.Option("--force", help="Publish a model even if the gate refuses it; its manifest records this.")]


def write_json(path: Path | None, body: Mapping[str, Any] | Sequence[Any]) -> None:
    """Write indented JSON in one atomic step. Without a path, do nothing. Raises OSError that names the file."""
    if path is not None:
        write_whole(path, f"{json.dumps(body, indent=1)}\n".encode())
