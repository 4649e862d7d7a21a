"""Measures every model of a use case on a global time split, and prints one table a run. Publishes nothing."""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from recommendation_service.datasets.reader import Dataset
from recommendation_service.training.command import DONE, guarded, parse, parser, workspace_of
from recommendation_service.training.comparison import tables
from recommendation_service.training.comparison.models import BASKET_K, ModelComparer, ModelComparison
from recommendation_service.training.report import Report
from recommendation_service.training.trainers import KINDS, stated_for
from recommendation_service.wiring import build_engines


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables; 0 done, 1 expected failure, 2 wrong usage."""
    found = parser("evaluate", __doc__ or "", use_cases="which one; it must be named")
    found.add_argument("--k", type=int, default=10, help="length of the lists (default: 10)")
    found.add_argument("--tune", action="store_true", help="also search settings on validation, as train_all does")
    found.add_argument("--budget-seconds", type=float, default=60.0, metavar="S", help="when the search ends (default: 60)")
    found.add_argument("--seed", type=int, default=42, help="default: 42")
    found.add_argument("--json", type=Path, metavar="FILE", help="also write all figures as JSON")
    found.add_argument("--markdown", type=Path, metavar="FILE", help="also write the tables as Markdown")
    options = parse(found, argv)
    if options.k < 1 or len(options.use_case) != 1:
        found.error("name one use case (--use-case movies), and a k of 1 or more")
    return guarded("evaluate", lambda: _evaluate(options))


def _evaluate(options: argparse.Namespace) -> int:
    workspace, report, started = workspace_of(options), Report(), time.monotonic()
    use_case = workspace.use_cases[0]
    dataset = Dataset.open(workspace.data_dir, use_case.catalogues[0])
    comparer = ModelComparer(use_case, dataset, build_engines, report)
    parameters = {kind: stated_for(use_case, kind, seed=options.seed) for kind in KINDS if use_case.engine_of_kind(kind)}
    comparison = comparer.run(parameters, k=options.k, tune=options.tune, budget_s=options.budget_seconds)
    report.line(f"{use_case.name}: {dataset.version}, 80/10/10 by time, full ranking, seen items masked, seed {options.seed}")
    report.line(tables.plain(comparison.figures, options.k))
    if comparison.baskets:
        report.line("\n" + tables.plain(comparison.baskets, BASKET_K))
    for note in comparison.notes:
        report.line(note)
    _write(options, dataset, comparison)
    report.line(f"measured in {time.monotonic() - started:.1f} s")
    report.line(f"next: python -m recommendation_service.train_all --use-case {use_case.name}")
    return DONE


def _write(options: argparse.Namespace, dataset: Dataset, comparison: ModelComparison) -> None:
    if options.markdown:
        text = tables.markdown(comparison.figures, options.k)
        text += "\n" + tables.markdown(comparison.baskets, BASKET_K) if comparison.baskets else ""
        text += "".join(f"\n- {note}" for note in comparison.notes) + "\n"
        options.markdown.write_text(text, encoding="utf-8")
    if options.json:
        body = {
            "export": dataset.version,
            "fingerprint": dataset.fingerprint,
            "k": options.k,
            "seed": options.seed,
            "figures": [asdict(one) for one in comparison.figures],
            "baskets": [asdict(one) for one in comparison.baskets],
            "notes": list(comparison.notes),
        }
        options.json.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
