"""The data of the commands that evaluate pair models."""

from typing import Annotated

import typer

from recommendation_service.datasets.pair_outcomes import Matches
from recommendation_service.datasets.reader import Dataset
from recommendation_service.errors import DatasetError
from recommendation_service.training.workspace import Workspace
from recommendation_service.use_cases.schema import PairConfig

HeldOut = Annotated[
    float, typer.Option(min=0.01, max=0.99, metavar="SHARE", help="The newest share of jobs, which are not trained on.")
]


def read_pairs(workspace: Workspace, pair_config: PairConfig) -> tuple[Dataset, Matches]:
    """Return the export and its table of pairs. Raises DatasetError if it has none."""
    dataset = Dataset.open(workspace.data_dir, pair_config.right)
    matches = dataset.matches()
    if matches is None:
        raise DatasetError(f"{dataset.version} has no matches; export again: manage.py generate_all_datasets")
    return dataset, matches
