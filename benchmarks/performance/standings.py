"""How cleaners stand: all of them in bulk, and as of any moment, against a query a cleaner.

BENCH_CLEANERS and BENCH_JOBS say of how many; 1,000 and 50,000 unless told otherwise, since a million jobs take minutes to
make. Each job has two bids, nine in ten have ended and are paid for, seven in ten are reviewed.
"""

import os
from pathlib import Path

from benchmarks.performance.databases import Figures, Rows, on_each

CLEANERS = int(os.environ.get("BENCH_CLEANERS", "1000"))
JOBS = int(os.environ.get("BENCH_JOBS", "50000"))

# Rows are made by the database itself: a counter of its own, and of every column that is not named the model's default.
INSIDE = """
import json, sys, time
from datetime import UTC, datetime, timedelta
import numpy as np
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from sites.cleaning.models import Cleaner, CleanerScore, CleaningJob, Client, JobBid, Payment, Property, PropertyType, Review
from sites.cleaning.scoring.service import ScoringService
from sites.cleaning.scoring.cleaner_state import standings_as_of
from sites.cleaning.scoring.aggregates import market_tallies, tallies_now

n_cleaners, n_jobs = int(sys.argv[1]), int(sys.argv[2])
SAMPLE = 100
call_command("migrate", verbosity=0)
Cleaner.objects.bulk_create(
    [Cleaner(id=n, name=f"Cleaner {n}", latitude=38, longitude=23.7, hourly_rate=15) for n in range(1, n_cleaners + 1)], 5000)
client = Client.objects.create(id=1, name="Client")
kinds = PropertyType.values
Property.objects.bulk_create(
    [Property(id=n, client=client, kind=kinds[n % 5], size_m2=80, latitude=38, longitude=23.7) for n in range(1, 1001)])
start, span_s = datetime.now(UTC) - timedelta(days=720), 715 * 86400
postgres = connection.vendor == "postgresql"

def after(seconds):
    if postgres:
        return f"(timestamptz '{start:%Y-%m-%d %H:%M:%S}+00' + ({seconds}) * interval '1 second')"
    return f"datetime('{start:%Y-%m-%d %H:%M:%S}', '+' || ({seconds}) || ' seconds')"

def make(model, first, last, where="1 = 1", **told):
    fields = [field for field in model._meta.concrete_fields if field.column not in told and not field.null]
    fixed = {field.column: field.get_db_prep_save(field.get_default(), connection) for field in fields if field.has_default()}
    fixed |= {field.column: "" for field in fields if field.column not in fixed and field.empty_strings_allowed}
    names = ", ".join([*told, *fixed])
    chosen = ", ".join([*(text.replace("%", "%%") for text in told.values()), *["%s"] * len(fixed)])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({names}) WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL "
            f"SELECT i + 1 FROM n WHERE i < {last}) SELECT {chosen} FROM n WHERE {where.replace('%', '%%')}",
            list(fixed.values()))

# numbers that look drawn and are the same on both databases
draw = lambda prime, top: f"(CAST(i AS bigint) * {prime} % 1000003 % {top})"
posted = f"(CAST(i AS bigint) * {span_s} / {n_jobs})"
winner, rival = f"(1 + {draw(7919, n_cleaners)})", f"(1 + ({draw(7919, n_cleaners)} + 1 + {draw(104729, 97)}) % {n_cleaners})"
ended = f"i % 10 <> 0"
done = f"(i % 10 <> 0 AND i % 17 <> 0)"
for first in range(1, n_jobs + 1, 250_000):
    last = min(first + 249_999, n_jobs)
    make(CleaningJob, first, last, id="i", client_id="1", place_id=f"1 + {draw(31, 1000)}", hours="4", budget="90",
         status=f"CASE WHEN {done} THEN 'completed' WHEN {ended} THEN 'cancelled' ELSE 'accepted' END",
         cancelled_by_cleaner="(i % 2 = 0)", was_on_time="(i % 7 <> 0)", photos="i % 4", eco_friendly="(i % 3 = 0)",
         posted_at=after(posted), wanted_for=after(f"{posted} + 400000"), cleaner_id=winner,
         accepted_at=after(f"{posted} + 40000"), ended_at=f"CASE WHEN {ended} THEN {after(f'{posted} + 400000')} END")
    for add, who, status in ((0, winner, "accepted"), (n_jobs, rival, "rejected")):
        make(JobBid, first, last, id=f"i + {add}", job_id="i", cleaner_id=who, amount=f"40 + {draw(8191, 60)}",
             status=f"'{status}'", time=after(f"{posted} + {draw(127, 30000)}"))
    marks = {mark: f"6 + {draw(prime, 5)}" for mark, prime in
             (("overall", 11), ("quality", 13), ("communication", 17), ("professionalism", 19), ("timeliness", 23))}
    make(Review, first, last, f"{done} AND i % 5 <> 0", id="i", job_id="i", client_id="1", cleaner_id=winner,
         time=after(f"{posted} + 450000"), **marks)
    make(Payment, first, last, done, id="i", job_id="i", reference="CAST(i AS varchar(40))", amount="60", platform_fee="10",
         payout="50", status="'succeeded'", time=after(f"{posted} + 410000"))
with connection.cursor() as cursor:
    cursor.execute("ANALYZE")

told = {"rows": float(sum(model.objects.count() for model in (CleaningJob, JobBid, Review, Payment)))}
def timed(name, act):
    begun = time.perf_counter()
    found = act()
    told[name] = time.perf_counter() - begun
    return found

service = ScoringService()
found = timed("bulk", service.update_all_cleaner_scores)
assert found == {"updated": n_cleaners, "errors": 0, "error_cleaners": []}, found
timed("again", service.update_all_cleaner_scores)
rng, now = np.random.default_rng(1), timezone.now()
sample = rng.integers(1, n_cleaners + 1, SAMPLE)
market, here = market_tallies(now), np.full(1, 400.0)

def one_by_one():
    for key in sample.tolist():
        standing = service.stand(tallies_now(np.array([key]), now), market, here)
        row = {name: None if np.isnan(one[0]) else one[0] for name, one in standing.numbers.items()}
        CleanerScore.objects.update_or_create(cleaner_id=key, defaults=row)

timed("one_by_one", one_by_one)
told["one_by_one"] *= n_cleaners / SAMPLE
asked = 100_000
ids, moments = rng.integers(1, n_cleaners + 1, asked), start.timestamp() + rng.uniform(0, span_s, asked)
timed("as_of", lambda: standings_as_of(ids, moments))

def as_of_one_by_one():
    for key, moment in zip(ids[:SAMPLE].tolist(), moments[:SAMPLE].tolist(), strict=True):
        tallies_now(np.array([key]), datetime.fromtimestamp(moment, UTC))

timed("as_of_one_by_one", as_of_one_by_one)
told["as_of_one_by_one"] *= asked / SAMPLE
print(json.dumps(told))
"""


def measure(root: Path) -> Rows:
    """Seconds, rows a second and ratios, on SQLite and, where it answers, on PostgreSQL. Raises RuntimeError when it fails."""
    return on_each(root, INSIDE, (str(CLEANERS), str(JOBS)), _table)


def _table(database: str, told: Figures) -> Rows:
    rows, slow = told["rows"], "x as long, by a sample of 100"
    return [
        (f"{database}: cleaners, jobs, rows", f"{CLEANERS:,}, {JOBS:,}, {rows:,.0f} in all"),
        (f"{database}: first update", f"{told['bulk']:.1f} s, {rows / told['bulk']:,.0f} rows/s"),
        (f"{database}: next day's update", f"{told['again']:.1f} s, {rows / told['again']:,.0f} rows/s"),
        (f"{database}: a cleaner at a time", f"{told['one_by_one'] / told['again']:.1f} {slow}"),
        (f"{database}: 100,000 of the past", f"{told['as_of']:.1f} s, {rows / told['as_of']:,.0f} rows/s"),
        (f"{database}: one of the past at a time", f"{told['as_of_one_by_one'] / told['as_of']:.1f} {slow}"),
    ]
