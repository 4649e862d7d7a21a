"""`tandem evaluate FILE`: measures the quality of every engine on a file of interactions.

It prints one table, popularity first, with intervals, times and settings. The settings of the models and the weights of
the blend are chosen on the validation part. The test part is measured once.
"""

import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from recommendation_service.commands.evaluate_file.costs import FITTING, MEASURED_REQUESTS, peak_megabytes, threads_text
from recommendation_service.commands.evaluate_file.leaderboard import MODELS, Choices, Contest
from recommendation_service.commands.evaluate_file.protocols import Task, task_of
from recommendation_service.commands.evaluate_file.result_rows import Row
from recommendation_service.commands.evaluate_file.tables import by_segment, markdown, table
from recommendation_service.commands.options import JsonFile, Seed, write_json
from recommendation_service.publishing.versions import write_whole
from recommendation_service.training.report import Report
from recommendation_service.training.tuning import DEFAULT_BUDGET_S, TrialCache


class Protocol(StrEnum):
    """The ways to divide a file into a training, a validation and a test part."""

    NEXT_ITEM, NCF, TIME, RANDOM, HOLDOUT = "next-item", "ncf", "time", "random", "holdout"


def evaluate_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Table, sequence file or .npz bundle of interactions.")],
    protocol: Annotated[Protocol, typer.Option(help="How the file is divided.")] = Protocol.NEXT_ITEM,
    test: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Protocol holdout only: one line per user, the items held out.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(metavar="MODEL", help=f"One of {', '.join(MODELS)}. Repeatable. Default: all.")
    ] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Most settings to try per model. Default: by the size of the file.")
    ] = None,
    budget_seconds: Annotated[
        float, typer.Option(min=0, metavar="S", help="Ceiling of the search of each model; 0: no search.")
    ] = DEFAULT_BUDGET_S,
    seed: Seed = 0,
    json_file: JsonFile = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Remember there what was tried, and continue from it.")
    ] = None,
    segments: Annotated[bool, typer.Option("--segments", help="Also print results by number of earlier interactions.")] = False,
    markdown_file: Annotated[Path | None, typer.Option("--markdown", metavar="FILE", help="Also write Markdown.")] = None,
    pictures: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Also draw segments, costs and searches, SVG and PNG.")
    ] = None,
) -> None:
    """Measure the quality of every engine on a file of interactions, and print one table.

    The table has 95 % intervals, times and settings. Settings are chosen on the validation part. The test part is
    measured once.

    Example: tandem evaluate ratings.csv --protocol time
    """
    models = tuple(dict.fromkeys(model or MODELS))
    _check_options(models, protocol, test, files=(json_file, markdown_file), pictures=pictures)
    report, started = Report(), time.monotonic()
    task = task_of(protocol.value, file, test, seed=seed)
    heading = _heading(task, file)
    report.line(heading)
    memory = TrialCache(resume, of=f"{_digest(file)} {protocol} {seed}")
    contest = Contest(task, Choices(models, budget_seconds, trials), report, memory)
    with report.alive(f"{file.name}, {protocol}"):
        rows, chosen_on = contest.run(), contest.chosen_on
    notes = [
        *task.notes,
        f"settings chosen on {chosen_on['settings']:,} validation users, weights on {chosen_on['weights']:,}",
    ]
    seconds = time.monotonic() - started
    _print_results(report, rows, notes, seconds, segments=segments)
    write_json(json_file, _report_dict(task, rows, chosen_on, file, seed, seconds))
    if markdown_file:
        blocks = [heading, markdown(rows), "\n".join(f"- {note}" for note in notes)]
        write_whole(markdown_file, ("\n\n".join(blocks) + "\n").encode())
    if pictures:
        # It takes a second to import, and only pictures need it.
        from recommendation_service.commands.evaluate_file.plots import draw

        draw(pictures, rows, f"{file.name}, {task.protocol}", searched_on=chosen_on["settings"])
    report.next_command("tandem doctor")


def _print_results(report: Report, rows: Sequence[Row], notes: Sequence[str], seconds: float, *, segments: bool) -> None:
    report.line(table(rows))
    if segments:
        report.line(f"\n{by_segment(rows)}\n")
    for note in notes:
        report.line(f"note: {note}")
    machine = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    report.line(f"{seconds:.0f} s in total, at most {peak_megabytes():,.0f} MB of memory, {machine}")


def _check_options(
    models: Sequence[str], protocol: Protocol, test: Path | None, *, files: Sequence[Path | None], pictures: Path | None
) -> None:
    """Raise BadParameter for wrong options before the work, which takes minutes, begins."""
    if unknown := sorted(set(models) - set(MODELS)):
        raise typer.BadParameter(f"{', '.join(unknown)}; there are {', '.join(MODELS)}", param_hint="--model")
    if (test is not None) != (protocol == Protocol.HOLDOUT):
        raise typer.BadParameter("belongs to --protocol holdout, which needs it", param_hint="--test")
    for path in filter(None, files):
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise typer.BadParameter(f"{path}: no file can be written there; name one in a folder that exists")
    if pictures and pictures.exists() and not pictures.is_dir():
        raise typer.BadParameter(f"{pictures}: is no folder; name one for the pictures")


def _heading(task: Task, path: Path) -> str:
    material = task.test.material
    return (
        f"{path.name}, {task.protocol}: {len(material.user_ids):,} people, {len(material.catalogue):,} items,"
        f" {material.events.times.size:,} interactions known, {len(task.test):,} people measured;"
        f" 1 thread a request (median of {min(MEASURED_REQUESTS, len(task.test))}), up to {FITTING} to fit"
    )


def _report_dict(
    task: Task, rows: Sequence[Row], chosen_on: Mapping[str, int], file: Path, seed: int, seconds: float
) -> dict[str, object]:
    return {
        "protocol": task.protocol,
        "train": file.name,
        "train_sha256": _digest(file),
        "seed": seed,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "load": os.getloadavg()[0], "python": platform.python_version()},
        "threads": threads_text(),
        "validation_people": dict(chosen_on),
        "seconds": seconds,
        "peak_megabytes": peak_megabytes(),
        "notes": list(task.notes),
        "rows": [asdict(row) for row in rows],
    }


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
