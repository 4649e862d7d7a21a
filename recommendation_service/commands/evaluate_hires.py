"""`tandem evaluate hires`: compares methods that rank bidders, on jobs that are newer than all training data."""

import time
from dataclasses import asdict, replace

import numpy as np

from recommendation_service.commands.options import DataDir, JsonFile, Seed, UseCaseName, write_json
from recommendation_service.commands.pair_data import HeldOut, read_pairs
from recommendation_service.core.numeric import Floats, blend
from recommendation_service.datasets.pair_network import PairNetwork
from recommendation_service.datasets.pair_outcomes import BID, Matches
from recommendation_service.datasets.pair_rules import read_rules, rule_scores
from recommendation_service.engines.neural import FULL
from recommendation_service.errors import ConfigurationError
from recommendation_service.training.pairs.pair_metrics import Decided, accuracies, by_time, difference, lines
from recommendation_service.training.parameters import TARGETS, neural_parameters
from recommendation_service.training.report import Report
from recommendation_service.training.workspace import Workspace
from recommendation_service.use_cases.schema import PairConfig, UseCase

LOWEST, RULES = "lowest price", "rules"
COMPARED_AT = 3


def evaluate_hires(
    use_case: UseCaseName, data_dir: DataDir = None, held_out: HeldOut = 0.2, seed: Seed = 42, json_file: JsonFile = None
) -> None:
    """Measure how often the hired bidder of newer jobs is among the first of each method: random, price, rules, networks.

    Example: tandem evaluate hires --use-case cleaning
    """
    workspace, report, started = Workspace.open([use_case], data_dir), Report(), time.monotonic()
    described = workspace.use_cases[0]
    if described.pairs is None or described.engine_of_kind("attributes") is None:
        raise ConfigurationError(f"{use_case} scores no pairs by rules; see [pairs] and kind attributes in cleaning.toml")
    dataset, matches = read_pairs(workspace, described.pairs)
    border = by_time(matches, held_out)
    newer = Decided.of(matches, matches.times >= border)
    decided_matches = matches.take(newer.rows)
    rules = _rules(described, decided_matches)
    scores = {LOWEST: -decided_matches.pairs().number(BID), RULES: rules}
    for target in TARGETS:
        scores |= _networks(described, described.pairs, matches, decided_matches, rules, target, border, seed, report)
    rows = list(accuracies(newer, scores))
    older = np.unique(matches.groups[(matches.times < border) & (matches.groups >= 0)]).size
    report.line(f"{dataset.version}: learned from {older:,} older jobs, measured on {len(newer):,} newer ones with one hired")
    for line in lines(rows):
        report.line(line)
    for name in list(scores)[2:]:
        report.line(_compared(name, *difference(newer, scores[name], rules, COMPARED_AT)))
    write_json(json_file, [asdict(row) for row in rows])
    report.line(f"measured in {time.monotonic() - started:.1f} s")
    report.next_command(f"tandem evaluate bids --use-case {use_case}")


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
    """Return the scores of a network for one target, trained on jobs before the border, and of its blend with the rules."""
    from recommendation_service.training.pairs.neural import train_neural  # torch takes seconds to import

    parameters = replace(neural_parameters(use_case, seed=seed), target=target)
    with report.progress(f"{use_case.name}/neural ({target})") as progress:
        trained = train_neural(matches, pair_config, parameters, progress=progress, trained_until=border)
    network = PairNetwork.from_arrays(trained.arrays).score(pair_config, decided_matches.pairs()).total * FULL
    return {f"network ({target})": network, f"both ({target})": blend([rules, network], list(_weights(use_case)))}


def _weights(use_case: UseCase) -> tuple[float, float]:
    """Return the weights of rules and network in the use-case file."""
    ensemble = use_case.main_ensemble()
    members = ensemble[1].options["members"] if ensemble else {}
    names = [use_case.engine_of_kind(kind) for kind in ("attributes", "neural")]
    rules, network = (float(members.get(member[0], 0.0)) if member else 0.0 for member in names)
    return rules, network


def _compared(name: str, mean: float, low: float, high: float) -> str:
    verdict = "better than the rules" if low > 0 else "worse than the rules" if high < 0 else "no sure difference"
    return f"{name} - rules, top {COMPARED_AT}: {mean:+.1%} ({low:+.1%} to {high:+.1%}): {verdict}"
