"""The quality of every engine on anybody's data: one table, popularity first, with intervals, times and settings.

    python -m recommendation_service.commands.evaluate_file --protocol next-item --train ratings.csv

Settings and the blend's weights are chosen on a validation part; the test part is measured once.
"""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from recommendation_service.commands.evaluate_file.costs import FITTING, MEASURED_REQUESTS, peak_megabytes, threads_text
from recommendation_service.commands.evaluate_file.leaderboard import MODELS, Choices, Contest
from recommendation_service.commands.evaluate_file.protocols import Task, task_of
from recommendation_service.commands.evaluate_file.result_rows import Row
from recommendation_service.commands.evaluate_file.tables import by_segment, markdown, table
from recommendation_service.training.command import guarded
from recommendation_service.training.report import Report
from recommendation_service.training.tuning import TrialCache

PROTOCOLS = ("next-item", "ncf", "time", "random", "holdout")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; 0 done, 1 expected failure, 2 wrong usage."""
    command_parser = argparse.ArgumentParser(
        prog="python -m recommendation_service.commands.evaluate_file", description=__doc__
    )
    command_parser.add_argument("--protocol", choices=PROTOCOLS, required=True)
    command_parser.add_argument("--train", type=Path, required=True, metavar="FILE", help="table, sequence file or .npz bundle")
    command_parser.add_argument("--test", type=Path, metavar="FILE", help="holdout only: one line a user, the items held out")
    command_parser.add_argument(
        "--models",
        nargs="+",
        choices=MODELS,
        default=list(MODELS),
        metavar="MODEL",
        help=f"of {', '.join(MODELS)} (default: all)",
    )
    command_parser.add_argument(
        "--budget-seconds", type=float, default=30.0, metavar="S", help="a model's search (default: 30; 0: none)"
    )
    command_parser.add_argument("--seed", type=int, default=0, help="of lots and samples (default: 0)")
    command_parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything as JSON")
    command_parser.add_argument("--resume", type=Path, metavar="FILE", help="remember what was tried there, and go on from it")
    command_parser.add_argument("--segments", action="store_true", help="also print figures by how much people had done before")
    command_parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write the tables as a document shows them")
    command_parser.add_argument(
        "--pictures", type=Path, metavar="FOLDER", help="also draw segments, costs and searches, SVG and PNG"
    )
    options = command_parser.parse_args(argv)
    if (options.test is not None) != (options.protocol == "holdout"):
        command_parser.error("--test belongs to --protocol holdout, which needs it")
    for path in filter(None, (options.json, options.markdown)):
        if path.is_dir() or not path.absolute().parent.is_dir():
            command_parser.error(f"{path}: no file can be written there; name one in a folder that exists")
    if options.pictures and options.pictures.exists() and not options.pictures.is_dir():
        command_parser.error(f"{options.pictures}: is no folder; name one for the pictures")
    return guarded("quality", lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    report, started = Report(), time.monotonic()
    task = task_of(options.protocol, options.train, options.test, seed=options.seed)
    report.line(_heading(task, options.train))
    choices = Choices(tuple(dict.fromkeys(options.models)), options.budget_seconds)
    memory = TrialCache(options.resume, of=f"{_digest(options.train)} {options.protocol} {options.seed}")
    contest = Contest(task, choices, report, memory)
    rows, chosen_on = contest.run(), contest.chosen_on
    report.line(table(rows))
    if options.segments:
        report.line(f"\n{by_segment(rows)}\n")
    for note in _notes(task, chosen_on):
        report.line(f"note: {note}")
    seconds = time.monotonic() - started
    report.line(
        f"{seconds:.0f} s in all, at most {peak_megabytes():,.0f} MB, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    _written(task, rows, chosen_on, options, seconds)
    return 0


def _written(
    task: Task, rows: Sequence[Row], chosen_on: Mapping[str, int], options: argparse.Namespace, seconds: float
) -> None:
    if options.json:
        options.json.write_text(
            json.dumps(_report_dict(task, rows, chosen_on, options, seconds), indent=1) + "\n", encoding="utf-8"
        )
    if options.markdown:
        blocks = [_heading(task, options.train), markdown(rows), "\n".join(f"- {note}" for note in _notes(task, chosen_on))]
        options.markdown.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    if options.pictures:
        # It takes a second to import, and only pictures need it.
        from recommendation_service.commands.evaluate_file.plots import draw

        draw(options.pictures, rows, f"{options.train.name}, {task.protocol}", searched_on=chosen_on["settings"])


def _heading(task: Task, path: Path) -> str:
    material = task.test.material
    return (
        f"{path.name}, {task.protocol}: {len(material.user_ids):,} people, {len(material.catalogue):,} items,"
        f" {material.events.times.size:,} interactions known, {len(task.test):,} people measured;"
        f" 1 thread a request (median of {min(MEASURED_REQUESTS, len(task.test))}), up to {FITTING} to fit"
    )


def _report_dict(
    task: Task, rows: Sequence[Row], chosen_on: Mapping[str, int], options: argparse.Namespace, seconds: float
) -> dict[str, object]:
    return {
        "protocol": task.protocol,
        "train": options.train.name,
        "train_sha256": _digest(options.train),
        "seed": options.seed,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "load": os.getloadavg()[0], "python": platform.python_version()},
        "threads": threads_text(),
        "validation_people": dict(chosen_on),
        "seconds": seconds,
        "peak_megabytes": peak_megabytes(),
        "notes": list(task.notes),
        "rows": [asdict(row) for row in rows],
    }


def _notes(task: Task, chosen_on: Mapping[str, int]) -> list[str]:
    blocks = f"settings chosen on {chosen_on['settings']:,} validation people, weights on {chosen_on['weights']:,}"
    return [*task.notes, blocks]


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
