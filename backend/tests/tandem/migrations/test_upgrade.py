"""A database that a release made is migrated, and keeps its rows. Migrations that were released are never changed."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest

from tests.infra.place import ROOT

DATABASES = Path(__file__).parent / "databases"
POSTGRES = os.environ.get("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
RELEASED = {
    "0001_initial": "2e410949131ebcf7",
    "0002_event_origins": "bf7fb19dd45b9838",
    "0003_quarantine": "009d645d088a6646",
}
VERSIONS = ["0.2.0", "0.3.0"]
ROWS = """
from tandem.models import BackgroundJob, Feedback, Impression, UserInteraction
event, shown, verdict = UserInteraction.objects.get(), Impression.objects.get(), Feedback.objects.get()
print(event.user.user_id, event.item.item_id, event.kind.name, event.value, event.request_id == shown.pk)
print(shown.method_used, shown.probabilities, [row.item.item_id for row in shown.items.order_by("position")])
print(verdict.verdict, verdict.comment, BackgroundJob.objects.get().status)
print(event.time.isoformat(), shown.time.isoformat(), verdict.time.isoformat())
"""
SINCE_0_3 = """
from tandem.models import ErasedUser, Quarantine, UserAlias, UserInteraction
print(UserInteraction.objects.get().origin.name, ErasedUser.objects.get().hash == "e" * 64)
print(UserAlias.objects.get().user.user_id, Quarantine.objects.get().user.user_id, Quarantine.objects.get().reason)
"""
WRITES = """
from tandem.models import ItemKey, UserKey, UserInteraction
UserKey.objects.create(user_id="new")
item = ItemKey.objects.create(catalogue_id=1, item_id="new")
from tandem.services.record_interactions import record_interactions
row = {"user_id": "7", "item_id": "12", "event": "bid", "catalogue": "jobs"}
for last in "24":
    print(record_interactions([{**row, "event_id": "00000000-0000-0000-0000-00000000000" + last}], source="test")[0].status)
print(UserInteraction.objects.count())
"""


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sqlite_url(tmp_path: Path, version: str) -> str:
    connection = sqlite3.connect(tmp_path / "site.sqlite3")
    connection.executescript((DATABASES / f"{version}.sqlite.sql").read_text())
    connection.close()
    return f"sqlite:///{tmp_path}/site.sqlite3"


@pytest.fixture
def postgres_url(version: str) -> Iterator[str]:
    name = f"tandem_upgrade_{os.getpid()}"
    try:
        admin = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=2)
    except psycopg.OperationalError:
        pytest.skip("no PostgreSQL answers; set TEST_DATABASE_URL")
    with admin:
        admin.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]  # a name made of digits
        url = f"{POSTGRES.rpartition('/')[0]}/{name}"
        try:
            with psycopg.connect(url) as connection:
                connection.execute((DATABASES / f"{version}.postgresql.sql").read_text())  # type: ignore[arg-type]  # a file of ours
            yield url
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]  # as above
    admin.close()


def upgraded(url: str, version: str) -> None:
    environment = {"DJANGO_SETTINGS_MODULE": "config.settings.test", "DATABASE_URL": url, "PATH": os.environ["PATH"]}
    environment["PYTHONPATH"] = f"{ROOT}{os.pathsep}{ROOT / 'backend'}"

    def manage(*words: str) -> str:
        command = [sys.executable, str(ROOT / "backend/manage.py"), *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    manage("migrate", "tandem")
    assert "No changes" in manage("makemigrations", "tandem", "--check", "--dry-run")
    assert manage("shell", "-v", "0", "-c", ROWS).splitlines() == [
        "7 12 apply 2.5 True",
        "als {'als': 0.5} ['12', \"it's\"]",
        "hide no, thanks done",
        " ".join(["2026-12-01T00:00:00+00:00"] * 3),
    ]
    if version != "0.2.0":
        assert manage("shell", "-v", "0", "-c", SINCE_0_3).splitlines() == [
            "jobs.apply True",
            "7 bot 301 events in one hour",
        ]
    assert manage("shell", "-v", "0", "-c", WRITES).splitlines() == ["duplicate", "accepted", "2"]


def test_a_sqlite_database_of_a_release_is_upgraded(sqlite_url: str, version: str) -> None:
    upgraded(sqlite_url, version)


@pytest.mark.services
def test_a_postgresql_database_of_a_release_is_upgraded(postgres_url: str, version: str) -> None:
    upgraded(postgres_url, version)


def test_a_released_migration_is_unchanged() -> None:
    folder = ROOT / "backend/tandem/migrations"
    found = {name: sha256((folder / f"{name}.py").read_bytes()).hexdigest()[:16] for name in RELEASED}
    assert found == RELEASED, "write a new migration; databases exist that the released one made"
