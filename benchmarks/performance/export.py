"""Export of interactions: rows per second of our reader and of the whole export, compared with iterator() of the ORM."""

import os
from pathlib import Path

from benchmarks.performance.databases import on_each

ROWS = int(os.environ.get("BENCH_EXPORT_ROWS", "300000"))

# Runs in a process of the backend, because this package must not import Django. All three ways read the same rows in one
# process, in turn; the best round counts, so that other load does not affect only one of them.
INSIDE = """
import json, sys, time, uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
import numpy as np
from django.core.management import call_command
from tandem.exports import rows
from tandem.exports.datasets import export_catalogue, snapshot
from tandem.models import CatalogueKey, EventKey, ItemKey, UserInteraction, UserKey
from tandem.sources import source_of
from sites.movies.models import Movie

count, folder = int(sys.argv[1]), Path(sys.argv[2])
rng = np.random.default_rng(1)
n_users, n_items = max(count // 50, 10), max(count // 200, 10)
call_command("migrate", verbosity=0)
Movie.objects.bulk_create([Movie(id=f"m{n}", title=f"Movie {n}") for n in range(n_items)], batch_size=5000)
catalogue = CatalogueKey.objects.create(name="movies")
kinds = [EventKey.objects.create(name=name).pk for name in ("view", "like", "rate")]
UserKey.objects.bulk_create([UserKey(user_id=str(uuid.uuid4())) for _ in range(n_users)], batch_size=5000)
ItemKey.objects.bulk_create([ItemKey(catalogue=catalogue, item_id=f"m{n}") for n in range(n_items)], batch_size=5000)
users, items = (list(model.objects.values_list("pk", flat=True)) for model in (UserKey, ItemKey))
start = datetime(2024, 1, 1, tzinfo=UTC)
for first in range(0, count, 20000):
    size = min(20000, count - first)
    u, i, k, s = (rng.integers(0, top, size).tolist() for top in (n_users, n_items, 3, 40_000_000))
    UserInteraction.objects.bulk_create([
        UserInteraction(user_id=users[u[n]], item_id=items[i[n]], catalogue=catalogue, kind_id=kinds[k[n]],
                        value=3.5 if k[n] == 2 else None, time=start + timedelta(seconds=s[n]))
        for n in range(size)], batch_size=5000)

def by_orm():
    with snapshot():
        return sum(1 for _ in UserInteraction.objects.filter(catalogue=catalogue).iterator(chunk_size=2000))

def by_values():
    columns = ("user_id", "item_id", "kind_id", "value", "time")
    with snapshot():
        chosen = UserInteraction.objects.filter(catalogue=catalogue).values_list(*columns)
        return sum(1 for _ in chosen.iterator(chunk_size=2000))

def by_reader():
    with snapshot():
        names = rows.event_names(("view", "like", "rate"))
        return sum(batch.users.size for batch in rows.events_of("movies", names))

def by_export():
    done = export_catalogue(source=source_of("movies"), data_dir=folder, fresh=("catalogue", "als", "two_tower"),
                            say=lambda *_: None, now=start.timestamp() + 1e8)
    return done.summary["counts"]["interactions"]

best = {}
for _ in range(3):
    for name, way in (("orm", by_orm), ("values", by_values), ("reader", by_reader), ("export", by_export)):
        begun = time.perf_counter()
        assert way() == count, (name, count)
        best[name] = min(best.get(name, 1e9), time.perf_counter() - begun)
print(json.dumps({name: count / seconds for name, seconds in best.items()}))
"""


def measure(root: Path) -> list[tuple[str, str]]:
    """Rows per second and ratios, on SQLite and, if it is available, on PostgreSQL. Raises RuntimeError if neither runs."""
    return on_each(root, INSIDE, (str(ROWS), str(root)), _table)


def _table(database: str, rates: dict[str, float]) -> list[tuple[str, str]]:
    orm = rates["orm"]
    labels = {
        "orm": "ORM iterator()",
        "values": "ORM values_list().iterator()",
        "reader": "our reader",
        "export": "whole export, files published",
    }
    return [(f"{database}: {labels[name]}", f"{rate:>12,.0f} rows/s  {rate / orm:6.1f}x") for name, rate in rates.items()]
