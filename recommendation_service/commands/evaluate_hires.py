"""Measures who is hired among the bidders: lots, lowest price, rules, the network and both, on jobs newer than all learned."""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np

from recommendation_service.core.numeric import Floats, blend
from recommendation_service.datasets.pair_network import PairNetwork
from recommendation_service.datasets.pair_outcomes import BID, Matches
from recommendation_service.datasets.pair_rules import read_rules, rule_scores
from recommendation_service.engines.neural import FULL
from recommendation_service.errors import ConfigurationError
from recommendation_service.training.command import DONE, guarded, workspace_of
from recommendation_service.training.pairs.command import held_out_options, read_pairs
from recommendation_service.training.pairs.pair_metrics import Decided, accuracies, by_time, difference, lines
from recommendation_service.training.parameters import TARGETS, neural_parameters
from recommendation_service.training.report import Report
from recommendation_service.use_cases.schema import PairConfig, UseCase

LOWEST, RULES = "lowest price", "rules"
COMPARED_AT = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; 0 done, 1 expected failure, 2 wrong usage."""
    options = held_out_options("measure_hires", __doc__ or "", argv)
    return guarded("measure_hires", lambda: _measure(options))


def _measure(options: argparse.Namespace) -> int:
    workspace, report, started = workspace_of(options), Report(), time.monotonic()
    use_case = workspace.use_cases[0]
    if use_case.pairs is None or use_case.engine_of_kind("attributes") is None:
        raise ConfigurationError(f"{use_case.name} pairs nothing by rules; see [pairs] and kind attributes in cleaning.toml")
    dataset, matches = read_pairs(workspace, use_case.pairs)
    border = by_time(matches, options.held_out)
    newer = Decided.of(matches, matches.times >= border)
    decided_matches = matches.take(newer.rows)
    rules = _rules(use_case, decided_matches)
    scores = {LOWEST: -decided_matches.pairs().number(BID), RULES: rules}
    for target in TARGETS:
        scores |= _networks(use_case, use_case.pairs, matches, decided_matches, rules, target, border, options.seed, report)
    rows = list(accuracies(newer, scores))
    older = np.unique(matches.groups[(matches.times < border) & (matches.groups >= 0)]).size
    report.line(f"{dataset.version}: learned from {older:,} older jobs, measured on {len(newer):,} newer ones with one hired")
    for line in lines(rows):
        report.line(line)
    for name in list(scores)[2:]:
        report.line(_compared(name, *difference(newer, scores[name], rules, COMPARED_AT)))
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    report.line(f"measured in {time.monotonic() - started:.1f} s")
    report.line(f"next: python -m recommendation_service.commands.evaluate_bids --use-case {use_case.name}")
    return DONE


def _rules(use_case: UseCase, decided_matches: Matches) -> Floats:
    ensemble = use_case.engine_of_kind("attributes")
    parts = {} if ensemble is None else ensemble[1].options["parts"]
    return rule_scores(read_rules(parts, where=f"{use_case.name}: rules"), decided_matches.pairs()).total


def _networks(
    use_case: UseCase,
    pair_config: PairConfig,
    matches: Matches,
    decided_matches: Matches,
    rules: Floats,
    target: str,
    border: float,
    seed: int,
    report: Report,
) -> dict[str, Floats]:
    """The network for one target, learned from what was posted before the border, and its blend with the rules."""
    from recommendation_service.training.pairs.neural import train_neural  # torch takes seconds to import

    parameters = replace(neural_parameters(use_case, seed=seed), target=target)
    with report.progress(f"{use_case.name}/neural ({target})") as progress:
        trained = train_neural(matches, pair_config, parameters, progress=progress, trained_until=border)
    network = PairNetwork.from_arrays(trained.arrays).score(pair_config, decided_matches.pairs()).total * FULL
    return {f"network ({target})": network, f"both ({target})": blend([rules, network], list(_weights(use_case)))}


def _weights(use_case: UseCase) -> tuple[float, float]:
    """Of rules and network, as the use-case file blends them."""
    ensemble = use_case.main_ensemble()
    members = ensemble[1].options["members"] if ensemble else {}
    names = [use_case.engine_of_kind(kind) for kind in ("attributes", "neural")]
    rules, network = (float(members.get(member[0], 0.0)) if member else 0.0 for member in names)
    return rules, network


def _compared(name: str, mean: float, low: float, high: float) -> str:
    verdict = "better than the rules" if low > 0 else "worse than the rules" if high < 0 else "no sure difference"
    return f"{name} - rules, top {COMPARED_AT}: {mean:+.1%} ({low:+.1%} to {high:+.1%}): {verdict}"


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
