"""Reads every declared event table and reports what its rows are, without writing."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tandem.event_sync import not_mirrored
from tandem.event_sync.column_checks import column_problems
from tandem.event_sync.mirror import Mirror, MirrorError, declared_events, mirrors_of
from tandem.event_sync.refresh import interactions_of
from tandem.event_sync.rows import EXPECTED, Tally, read
from tandem.models import UserInteraction
from tandem.selectors.items import existing_ids
from tandem.sources import all_sources


@dataclass(slots=True)
class TableReport:
    """What the rows of one table are."""

    name: str
    rows: int = 0
    left_out: int = 0  # by `when` or `gone`
    interactions: int = 0
    stored: int = 0  # interactions that are mirrored already
    unknown_items: int = 0  # interactions with items that the catalogue does not have now
    unknown_example: str = ""
    tally: Tally = field(default_factory=Tally)
    earlier: list[str] = field(default_factory=list)  # what was counted since the last sync for reasons that no row has now
    problem: str = ""  # why the table cannot be mirrored at all, with the fix

    @property
    def failed(self) -> bool:
        """True if rows are refused that should be interactions."""
        return bool(self.problem or self.tally.unexpected)

    def lines(self) -> Iterator[str]:
        """Yield the report as text."""
        if self.problem:
            yield f"{self.name}: cannot be mirrored: {self.problem}"
            return
        yield (
            f"{self.name}: {self.rows:,} rows -> {self.interactions:,} interactions, {self.unknown_items:,} unknown items, "
            f"{self.tally.unexpected:,} refused"
        )
        if self.unknown_items:
            yield f"  {self.unknown_items:,} with an item that the catalogue does not have (such as {self.unknown_example})"
        if self.left_out:
            yield f"  {self.left_out:,} left out by `when` or `gone`"
        yield from (f"  {line}" for line in self.tally.lines())
        yield from (f"  since the last sync: {line}" for line in self.earlier)
        if self.stored != self.interactions:
            yield f"  {self.stored:,} are mirrored so far; run manage.py sync_interactions"


def report_tables() -> Iterator[TableReport]:
    """Yield a report of each declared table."""
    for source in all_sources():
        try:
            declared = list(declared_events(source))
        except MirrorError as error:
            yield TableReport(source.catalogue, problem=str(error))
            continue
        for name, event in declared:
            try:
                mirrors = mirrors_of(source, name, event)
                problems = [problem for mirror in mirrors for problem in column_problems(mirror)]
            except (MirrorError, NotImplementedError) as error:
                yield TableReport(f"{source.catalogue}.{name}", problem=str(error))
                continue
            if problems:
                yield TableReport(f"{source.catalogue}.{name}", problem=str(problems[0]))
            else:
                yield from map(_report, mirrors)


def _report(mirror: Mirror) -> TableReport:
    report, read_rows = TableReport(mirror.origin, rows=mirror.rows().count()), 0
    for batch in read(mirror, mirror.live_rows(), now=datetime.now(UTC)):
        read_rows += len(batch)
        wanted = interactions_of(batch, report.tally)
        report.interactions += len(wanted)
        known = existing_ids(source=mirror.source, item_ids={row.interaction.item_id for row in wanted.values()})
        unknown = [row.interaction.item_id for row in wanted.values() if row.interaction.item_id not in known]
        report.unknown_items += len(unknown)
        report.unknown_example = report.unknown_example or next(iter(unknown), "")
    report.left_out = max(report.rows - read_rows, 0)
    report.earlier = [
        f"{entry.rows:,} with {entry.reason} (such as {entry.example})"
        for entry in not_mirrored.counted(mirror)
        if entry.reason not in report.tally.reasons and entry.reason not in EXPECTED
    ]
    report.stored = UserInteraction.objects.filter(origin__name=mirror.origin).count()
    return report
