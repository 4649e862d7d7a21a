"""The command line of the courses requirements: `python -m app.cli COMMAND`."""

from app.running import ABOUT, threads  # first: it pins the thread pools before numpy is imported  # isort: skip

from pathlib import Path
from typing import Annotated

import typer

from app.eval import eval_two_tower as evaluation
from app.scripts import export_item_embeddings, train_two_tower
from recommendation_service import cli

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)

Config = Annotated[Path | None, typer.Option(help="YAML such as configs/two_tower.yaml")]
Epochs = Annotated[int | None, typer.Option(min=1, help="at most; validation stops it")]
BatchSize = Annotated[int | None, typer.Option(min=1, help="people a step")]
LearningRate = Annotated[float | None, typer.Option(help="default: as configured")]
Force = Annotated[bool, typer.Option("--force", help="publish even what the gate refuses")]


@app.command("train-two-tower")
def train(
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
    config: Config = None,
    force: Force = False,
) -> None:
    """Train, measure and publish the two-tower model, and build its index."""
    told = {"--epochs": epochs, "--batch-size": batch_size, "--learning-rate": learning_rate, "--config": config}
    options = [word for name, value in told.items() if value is not None for word in (name, str(value))]
    raise typer.Exit(train_two_tower.main([*options, *(["--force"] if force else [])]))


@app.command("export-embeddings")
def export_embeddings() -> None:
    """Write item_embeddings.npy, two_tower_model.npz and item_index.faiss of the published model."""
    raise typer.Exit(export_item_embeddings.main([]))


@app.command("eval-two-tower")
def evaluate(k: Annotated[int, typer.Option(min=1, help="length of the lists")] = 10) -> None:
    """Print Recall@K, Precision@K and NDCG@K of every strategy, measured on a held-out part."""
    raise typer.Exit(evaluation.main(["--k", str(k)]))


@app.command("rebuild-index")
def rebuild_index() -> None:
    """Build the FAISS index again, compare it with exact search, and publish it."""
    raise typer.Exit(cli.main(["index", *ABOUT]))


@app.command("show-config")
def show_config() -> None:
    """Print every setting, secrets masked."""
    raise typer.Exit(cli.main(["show-config"]))


if __name__ == "__main__":
    threads.check()
    app()
