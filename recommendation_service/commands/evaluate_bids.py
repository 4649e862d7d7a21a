"""`tandem evaluate bids`: measures suggested bids on jobs that are newer than all training data."""

import time

import numpy as np

from recommendation_service.commands.options import DataDir, JsonFile, Seed, UseCaseName, write_json
from recommendation_service.commands.pair_data import HeldOut, read_pairs
from recommendation_service.errors import ConfigurationError, DatasetError
from recommendation_service.training.pairs.bid_data import Bids, read_bids
from recommendation_service.training.pairs.bid_metrics import coverage_table, outcome_table, rolling_line
from recommendation_service.training.parameters import bid_parameters
from recommendation_service.training.report import Report
from recommendation_service.training.workspace import Workspace

KIND = "bid"
LEAST_ROLLED = 500  # winning bids in the older half, so that a tenth of all says something


def evaluate_bids(
    use_case: UseCaseName, data_dir: DataDir = None, held_out: HeldOut = 0.2, seed: Seed = 42, json_file: JsonFile = None
) -> None:
    """Measure how often the winning bid of newer jobs is within the suggested range, learned from older jobs.

    Example: tandem evaluate bids --use-case cleaning
    """
    from recommendation_service.training.pairs.bid import enough, fit, rolling  # torch takes seconds to import
    from recommendation_service.training.pairs.bid_metrics import measure

    workspace, report = Workspace.open([use_case], data_dir), Report()
    described = workspace.use_cases[0]
    if described.pairs is None or not any(part.kind == KIND for part in described.estimators.values()):
        raise ConfigurationError(f"{use_case} has no estimator of kind {KIND}; add one under [estimators]")
    parameters = bid_parameters(described, seed=seed)
    dataset, matches = read_pairs(workspace, described.pairs)
    bids = read_bids(matches, described.pairs, parameters)
    older, newer = cut(bids, held_out)
    enough(older.won())
    started = time.monotonic()
    with report.progress(f"{use_case}/{KIND}") as progress:
        fitted = fit(older.won(), parameters, progress=progress)
    report.line(
        f"{dataset.version}: learned from {len(older.won()):,} winning bids in {time.monotonic() - started:.1f} s;"
        f" held out are {len(newer.won()):,} newer ones, and all {len(newer):,} bids of their jobs\n"
        f"wanted between minimum and maximum: {parameters.share:.0%}\n"
    )
    predicted, won = fitted.rates(newer), newer.won()
    chosen = predicted[newer.chosen]
    for line in (coverage_table(chosen, won, older.won(), parameters), "", outcome_table(predicted, newer)):
        report.line(line)
    if len(bids.won()) >= 2 * LEAST_ROLLED:
        report.line(f"\n{rolling_line(rolling(bids.won(), parameters))}")
    write_json(json_file, measure(chosen, won, older.won(), parameters).to_dict())
    report.next_command(f"tandem train all --use-case {use_case}")


def cut(bids: Bids, share: float) -> tuple[Bids, Bids]:
    """Older and newer bids: the newest `share` of the winning ones, and all bids of jobs posted from then on."""
    times = np.sort(bids.times[bids.chosen])
    if times.size == 0:
        raise DatasetError("no job was decided yet, so there is nothing to measure; export again once some are")
    border = times[min(round(times.size * (1 - share)), times.size - 1)]
    return bids.take(np.flatnonzero(bids.times < border)), bids.take(np.flatnonzero(bids.times >= border))
