"""Measures advice on bids: how often the winning bid of newer jobs lay between minimum and maximum, learned from older jobs."""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import argparse
import json
import sys
import time
from collections.abc import Sequence

import numpy as np

from recommendation_service.datasets.reader import Dataset
from recommendation_service.errors import ConfigurationError, DatasetError
from recommendation_service.training.command import DONE, guarded, workspace_of
from recommendation_service.training.pairs.bid_data import Bids, read_bids
from recommendation_service.training.pairs.bid_metrics import coverage_table, outcome_table, rolling_line
from recommendation_service.training.pairs.command import held_out_options, read_pairs
from recommendation_service.training.parameters import BidParameters, bid_parameters
from recommendation_service.training.report import Report

KIND = "bid"
LEAST_ROLLED = 500  # winning bids in the older half, so that a tenth of all says something


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables; 0 done, 1 expected failure, 2 wrong usage."""
    options = held_out_options("measure_bids", __doc__ or "", argv)
    return guarded("measure_bids", lambda: _measure(options))


def _measure(options: argparse.Namespace) -> int:
    from recommendation_service.training.pairs.bid import enough, fit, rolling  # torch takes seconds to import
    from recommendation_service.training.pairs.bid_metrics import measure

    workspace, report = workspace_of(options), Report()
    use_case = workspace.use_cases[0]
    if use_case.pairs is None or not any(part.kind == KIND for part in use_case.estimators.values()):
        raise ConfigurationError(f"{use_case.name} has no estimator of kind {KIND}; add one under [estimators]")
    parameters = bid_parameters(use_case, seed=options.seed)
    dataset, matches = read_pairs(workspace, use_case.pairs)
    bids = read_bids(matches, use_case.pairs, parameters)
    older, newer = cut(bids, options.held_out)
    enough(older.won())
    started = time.monotonic()
    with report.progress(f"{use_case.name}/{KIND}") as progress:
        fitted = fit(older.won(), parameters, progress=progress)
    seconds = time.monotonic() - started
    for line in _told(dataset, older, newer, parameters, seconds):
        report.line(line)
    said, won = fitted.rates(newer), newer.won()
    for line in (*coverage_table(said[newer.chosen], won, older.won(), parameters), "", *outcome_table(said, newer)):
        report.line(line)
    if len(bids.won()) >= 2 * LEAST_ROLLED:
        report.line(f"\n{rolling_line(rolling(bids.won(), parameters))}")
    if options.json:
        figures = measure(said[newer.chosen], won, older.won(), parameters).to_dict()
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    report.line(f"next: python -m recommendation_service.train_all --use-case {use_case.name}")
    return DONE


def _told(dataset: Dataset, older: Bids, newer: Bids, parameters: BidParameters, seconds: float) -> list[str]:
    return [
        f"{dataset.version}: learned from {len(older.won()):,} winning bids in {seconds:.1f} s;"
        f" held out are {len(newer.won()):,} newer ones, and all {len(newer):,} bids of their jobs",
        f"wanted between minimum and maximum: {parameters.share:.0%}",
        "",
    ]


def cut(bids: Bids, share: float) -> tuple[Bids, Bids]:
    """Older and newer bids: the newest `share` of the winning ones, and all bids of jobs posted from then on."""
    times = np.sort(bids.times[bids.chosen])
    if times.size == 0:
        raise DatasetError("no job was decided yet, so there is nothing to measure; export again once some are")
    border = times[min(round(times.size * (1 - share)), times.size - 1)]
    return bids.take(np.flatnonzero(bids.times < border)), bids.take(np.flatnonzero(bids.times >= border))


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
