"""What a run says: one calm line a stage on stdout, progress on stderr."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import TextColumn, TimeElapsedColumn

Progress = Callable[[int, int, str], None]  # steps done, steps at most, a word about the last one
PLAIN_EVERY_S = 5.0


@dataclass(slots=True)
class Report:
    """Where the lines go; tests hand in their own streams."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    lacking: dict[str, str] = field(default_factory=dict)  # catalogue -> why there is too little of it to learn from

    def stage(self, catalogue: str, stage: str, rows: int, seconds: float, outcome: str) -> None:
        """One finished stage: how many rows it read, how long it took, what came of it."""
        self.line(f"{catalogue:<10} {stage:<10} {rows:>10,} rows {seconds:>6.1f} s  {outcome}")

    def line(self, text: str) -> None:
        """A line of the result."""
        self.out.write(f"{text}\n")
        self.out.flush()

    def warn(self, text: str) -> None:
        """A line nobody should miss."""
        self.err.write(f"WARNING: {text}\n")
        self.err.flush()

    @contextmanager
    def progress(self, what: str, *, step: str = "epoch") -> Iterator[Progress]:
        """A bar on a terminal; elsewhere a plain line every few seconds. `step` is for reports that name their steps."""
        if not self.err.isatty():
            yield self._plain(what)
            return
        columns = (TextColumn("{task.description}"), *Bar.get_default_columns()[1:3], TimeElapsedColumn())
        with Bar(*columns, console=Console(file=self.err), transient=True) as bar:
            task = bar.add_task(what)

            def shown(done: int, most: int, word: str) -> None:
                bar.update(task, completed=done, total=most, description=f"{what} {word}")

            yield shown

    def _plain(self, what: str) -> Progress:
        last = time.monotonic()

        def step(done: int, most: int, word: str) -> None:
            nonlocal last
            if time.monotonic() - last >= PLAIN_EVERY_S:
                last = time.monotonic()
                self.err.write(f"{what} {done}/{most} {word}\n")
                self.err.flush()

        return step


@dataclass(slots=True)
class NextLast(Report):
    """Keeps the next command for the end, so that what sums up a run can stand before it."""

    next_command: str = ""

    def line(self, text: str) -> None:
        """A line of the result; the next command waits."""
        if text.startswith("next: "):
            self.next_command = text
        else:
            Report.line(self, text)

    def tell_next(self) -> None:
        """The line that was kept."""
        if self.next_command:
            Report.line(self, self.next_command)

    def tell_lacking(self) -> None:
        """For who reads the end of a run only: where there is too little yet, and that it is no failure."""
        for catalogue, why in self.lacking.items():
            self.line(f"{catalogue}: not enough data yet: {why}")
        if self.lacking:
            self.line("that is no failure: lists are made from items' own words and what is popular; train again later")


@dataclass(slots=True)
class EveryEpoch(NextLast):
    """Tells each step on a line of its own."""

    @contextmanager
    def progress(self, what: str, *, step: str = "epoch") -> Iterator[Progress]:
        """One line a step, which is called `step`."""
        yield lambda done, most, word: self.line(f"{what:<21} {step} {done}/{most}  {word}")
