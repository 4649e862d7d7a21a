"""Writes the interactions of the courses as CSV: from the live database if one is configured, else from the last export.

The file is for people and other programs. Training reads the export that `manage.py generate_all_datasets` makes of the
same tables.
"""

from app.running import USE_CASE, threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import argparse
import csv
import io
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from recommendation_service.commands.program import guarded
from recommendation_service.datasets.reader import Dataset
from recommendation_service.domain.history import UNKNOWN_TIME
from recommendation_service.histories.database import open_database
from recommendation_service.histories.interactions import Recorded, recorded
from recommendation_service.histories.outcomes import STATEMENT_TIMEOUT_MS
from recommendation_service.publishing.versions import write_whole
from recommendation_service.settings import Settings, load_settings
from recommendation_service.wiring import database_url

COLUMNS = ("user_id", "item_id", "event", "value", "timestamp")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for one


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 if the file was written, 1 after an expected failure, 2 after wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m app.scripts.prepare_training_data", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("data/training_data.csv"), help="default: %(default)s")
    options = parser.parse_args(None if argv is None else list(argv))
    return guarded(lambda: _write(options.output, load_settings()))


def _write(output: Path, settings: Settings) -> int:
    body = io.StringIO()
    writer = csv.writer(body, lineterminator="\n")
    writer.writerow(COLUMNS)
    rows = 0
    for event in _interactions(settings):
        time = "" if event.time is None else event.time.astimezone(UTC).isoformat()
        columns = ["" if event.value is None else f"{event.value:g}", time]
        writer.writerow([*map(harmless, (event.user_id, event.item_id, event.event)), *columns])
        rows += 1
    output.parent.mkdir(parents=True, exist_ok=True)
    write_whole(output, body.getvalue().encode())
    sys.stdout.write(f"wrote {rows:,} interactions to {output}\nnext: python -m app.scripts.train_two_tower\n")
    return 0


def harmless(text: str) -> str:
    """Return the text with a quote before it if a spreadsheet would run it as a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _interactions(settings: Settings) -> Iterator[Recorded]:
    url = database_url(settings)
    if not url:
        yield from _exported(Dataset.open(settings.data_dir, USE_CASE))
        return
    database = open_database(url, connections=1, statement_timeout_ms=STATEMENT_TIMEOUT_MS)
    try:
        yield from recorded(database, USE_CASE)
    finally:
        database.dispose()


def _exported(dataset: Dataset) -> list[Recorded]:
    rows = [(user_id, event) for user_id in dataset.user_ids.ids() for event in reversed(dataset.past_events(user_id))]
    rows.sort(key=lambda row: row[1].time)
    return [Recorded(user_id, event.item_id, event.event, event.value, _datetime(event.time)) for user_id, event in rows]


def _datetime(seconds: float) -> datetime | None:
    return None if seconds == UNKNOWN_TIME else datetime.fromtimestamp(seconds, UTC)


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
