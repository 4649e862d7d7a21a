"""The output of a command: results on stdout, progress and warnings on stderr."""

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import TextColumn, TimeElapsedColumn

Progress = Callable[[int, int, str], None]  # steps done, steps at most, a note about the last one
PLAIN_EVERY_S = 5.0
SILENT_AT_MOST_S = 8.0  # then `alive` says what is being done
PUBLISHED_SERVES = "the published model stays in use"


@dataclass(slots=True)
class Report:
    """The streams that results and progress are written to."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    lacking: dict[str, str] = field(default_factory=dict)  # catalogue -> why there is not enough data to train with
    every_step: bool = False  # print every step of a training on a line, instead of a progress bar
    doing: str = ""  # what is being done now, such as "startups/als"
    _said_at: float = field(default_factory=time.monotonic, init=False)

    def stage(self, catalogue: str, stage: str, rows: int, seconds: float, outcome: str) -> None:
        """Write one finished stage: the rows that it read, how long it took, and its result."""
        self.line(f"{catalogue:<10} {stage:<10} {rows:>10,} rows {seconds:>6.1f} s  {outcome}")

    def published(self, catalogue: str, kind: str, rows: int, seconds: float, summary: str, version: str) -> None:
        """Write the result of a training whose model was published as `version`."""
        self.stage(catalogue, kind, rows, seconds, f"{summary}  -> {version}")

    def skipped(self, catalogue: str, kind: str, rows: int, seconds: float, reason: str, *, serves: str = "") -> None:
        """Write that nothing was published, which is no failure: there is too little data, or the gain is not certain.

        `serves` says what is used instead, such as PUBLISHED_SERVES; it may be empty.
        """
        self.stage(catalogue, kind, rows, seconds, f"skipped: {'; '.join(filter(None, (reason, serves)))}")

    def refused(self, catalogue: str, kind: str, rows: int, seconds: float, summary: str, reasons: Iterable[str]) -> None:
        """Write that the gate refused a model, with a warning for each reason. `summary` is empty if nothing was measured."""
        for reason in reasons:
            self.warn(f"{catalogue}/{kind}: not published: {reason}; use --force to publish it anyway")
        self.stage(catalogue, kind, rows, seconds, "; ".join(filter(None, (summary, f"not published; {PUBLISHED_SERVES}"))))

    def candidate(self, catalogue: str, kind: str, version: str) -> None:
        """Write that a refused model is kept, and the command that publishes it."""
        self.line(
            f"{catalogue:<10} {kind:<10} kept as candidate {version}; to publish it:"
            f" tandem models rollback {kind} --catalogue {catalogue} --version {version}"
        )

    def next_command(self, command: str) -> None:
        """Write the command that is useful next; it is the last line of a command's result."""
        self.line(f"next: {command}")

    def line(self, text: str) -> None:
        """Write a line of the result."""
        self._said_at = time.monotonic()
        self.out.write(f"{text}\n")
        self.out.flush()

    def warn(self, text: str) -> None:
        """Write a warning."""
        self._tell(f"WARNING: {text}")

    def _tell(self, text: str) -> None:
        self._said_at = time.monotonic()
        self.err.write(f"{text}\n")
        self.err.flush()

    @contextmanager
    def alive(self, what: str = "") -> Iterator[None]:
        """Say what is being done, on stderr, whenever nothing was written for SILENT_AT_MOST_S seconds.

        A terminal shows a bar instead. Long steps, such as solving a large system, report nothing themselves.
        """
        self.doing, ended, begun = what or self.doing, threading.Event(), time.monotonic()

        def watch() -> None:
            while not ended.wait(SILENT_AT_MOST_S / 8):
                if time.monotonic() - self._said_at >= SILENT_AT_MOST_S:
                    self._tell(f"{self.doing}: still at work, {time.monotonic() - begun:.0f} s")

        watcher = threading.Thread(target=watch, daemon=True, name="progress")
        if not self.err.isatty():
            watcher.start()
        try:
            yield
        finally:
            ended.set()
            if watcher.is_alive():
                watcher.join()

    @contextmanager
    def progress(self, what: str, *, step: str = "epoch") -> Iterator[Progress]:
        """Show a bar on a terminal, and elsewhere a plain line every few seconds, on stderr.

        With `every_step`, each step is a line of the result, which calls it `step`.
        """
        self.doing = what
        if self.every_step:
            yield lambda done, most, note: self.line(f"{what:<21} {step} {done}/{most}  {note}")
            return
        if not self.err.isatty():
            yield self._plain(what)
            return
        columns = (TextColumn("{task.description}"), *Bar.get_default_columns()[1:3], TimeElapsedColumn())
        with Bar(*columns, console=Console(file=self.err), transient=True) as bar:
            task = bar.add_task(what)

            def shown(done: int, most: int, note: str) -> None:
                bar.update(task, completed=done, total=most, description=f"{what} {note}")

            yield shown

    def _plain(self, what: str) -> Progress:
        last = time.monotonic()

        def step(done: int, most: int, note: str) -> None:
            nonlocal last
            if time.monotonic() - last >= PLAIN_EVERY_S:
                last = time.monotonic()
                self._tell(f"{what} {done}/{most} {note}")

        return step
