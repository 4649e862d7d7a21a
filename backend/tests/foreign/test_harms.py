"""Every way in which Tandem could harm a site, made to happen in a site of other people: its pages and tables are unharmed.

The site has ATOMIC_REQUESTS and packages of its own named `api` and `recommendations`. Its service does not run.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.support.foreign import EXTRAS, ForeignSite, foreign_site

pytestmark = [pytest.mark.timeout(300), pytest.mark.foreign]

PROJECT = Path(__file__).parent / "harms"
POSTGRES = os.environ.get("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
START = (
    "import logging; logging.disable()\n"
    "from django.conf import settings; settings.ALLOWED_HOSTS = ['*']\n"
    "from django.test import Client\n"
    "from django.db import connection, connections\n"
    "from market.models import Like, Offer\n"
    "from tandem.models import UserInteraction as U\n"
    "client = Client()\n"
    "def page(path):\n"
    "    answer = client.get(path); return answer.status_code, answer.content.decode().split()[-1]\n"
    "def spooled():\n"
    "    from tandem.conf import tandem_settings\n"
    "    return sum(1 for path in tandem_settings().spool_dir.glob('*.jsonl') for line in path.open())\n"
)
VISIT = START + (
    "before = Like.objects.count()\n"
    "print(page('/')[0], page('/')[1], page('/offer/1/')[0], page('/like/1/?user=ann')[0], Like.objects.count() - before)\n"
)
UNHARMED = ["200", "offers=6", "200", "201", "1"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Iterator[ForeignSite]:
    with foreign_site(tmp_path_factory.mktemp("harms"), PROJECT, wheel, extras=(*EXTRAS, "postgres", "redis")) as made:
        made.manage("makemigrations", "market", "recommendations", "-v0")
        yield made


@contextmanager
def prepared(site: ForeignSite, **variables: str) -> Iterator[ForeignSite]:
    with site.variables(**variables):
        site.manage("migrate", "-v0")
        site.manage("migrate", "-v0", "--database", "events") if "SITE_ROUTER" in variables else ""
        site.python("from market.models import Offer; [Offer.objects.create(title=f'Offer {n}') for n in range(6)]")
        if not (site.folder / "use_cases").exists():
            assert "items: market.Offer" in site.manage("startrecommendations", "market.Offer")
        assert "no issues" in site.manage("check")
        yield site


@pytest.fixture
def sqlite(site: ForeignSite) -> Iterator[ForeignSite]:
    with prepared(site):
        yield site
    (site.folder / "db.sqlite3").unlink()


@pytest.fixture
def two_databases(site: ForeignSite) -> Iterator[ForeignSite]:
    with prepared(site, SITE_ROUTER="1"):
        yield site
    for name in ("db", "events"):
        (site.folder / f"{name}.sqlite3").unlink()


@pytest.fixture
def postgres(site: ForeignSite) -> Iterator[ForeignSite]:
    name, url = f"tandem_harms_{os.getpid()}", urlsplit(POSTGRES)
    try:
        admin = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=2)
    except psycopg.OperationalError:
        pytest.skip("no PostgreSQL answers; set TEST_DATABASE_URL")
    variables = {
        "SITE_POSTGRES": name,
        "SITE_USER": url.username or "",
        "SITE_HOST": url.hostname or "",
        "SITE_PORT": str(url.port or 5432),
        "SITE_PASSWORD": url.password or "",
    }
    with admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            with prepared(site, **variables):
                yield site
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def execute(*statements: str, database: str = "default") -> str:
    """Return code that runs these statements."""
    return "".join(f"connections['{database}'].cursor().execute({statement!r})\n" for statement in statements)


def test_a_site_that_sets_nothing_has_all_its_commands_and_pages(sqlite: ForeignSite) -> None:
    with sqlite.variables(DJANGO_SETTINGS_MODULE="mysite.bare"):
        assert "0 silenced" in sqlite.manage("check")
        assert "No changes" in sqlite.manage("makemigrations", "--check", "--dry-run")
        assert sqlite.python(VISIT).split() == UNHARMED


def test_packages_of_the_site_named_api_and_recommendations_stay_the_sites(sqlite: ForeignSite) -> None:
    said = sqlite.python(
        START + "import api, recommendations, tandem, pathlib\n"
        "print(page('/api/ping/')[0], [pathlib.Path(each.__file__).parent.parent.name for each in (api, recommendations)])"
    )
    assert said.split(maxsplit=1) == ["200", "['site', 'site']\n"]
    commands = sqlite.manage("help", "--commands")
    for name in ("startrecommendations", "check_events", "sync_interactions", "tandem_retrain", "generate_als_dataset"):
        assert name in commands.split()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_code_deployed_before_migrate_harms_nothing_and_loses_nothing(request: pytest.FixtureRequest, kind: str) -> None:
    site: ForeignSite = request.getfixturevalue(kind)
    site.manage("migrate", "tandem", "zero", "-v0")
    assert site.python(VISIT + "print(spooled() > 0)").split() == [*UNHARMED, "True"]
    assert "unapplied" in site.manage("showmigrations", "tandem") or "[ ]" in site.manage("showmigrations", "tandem")
    site.manage("migrate", "tandem", "-v0")
    site.manage("sync_interactions")
    assert site.python(START + "print(U.objects.count(), spooled())").split() == ["1", "0"]


@pytest.mark.services
def test_a_table_that_refuses_every_statement_leaves_the_transaction_of_the_page_usable(postgres: ForeignSite) -> None:
    refuse = execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$",
        *(
            f"CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OR DELETE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse()"
            for table in ("tandem_userinteraction", "tandem_impression", "tandem_userkey")
        ),
    )
    assert postgres.python(VISIT.replace("before =", refuse + "before =")).split() == UNHARMED
    renamed = execute("ALTER TABLE tandem_userinteraction RENAME TO hidden", "ALTER TABLE tandem_userkey RENAME TO hidden2")
    assert postgres.python(VISIT.replace("before =", renamed + "before =")).split() == UNHARMED


@pytest.mark.services
def test_a_locked_table_holds_no_page_up(postgres: ForeignSite) -> None:
    with psycopg.connect(POSTGRES.rpartition("/")[0] + f"/tandem_harms_{os.getpid()}") as other:
        other.execute("LOCK TABLE tandem_userinteraction, tandem_impression IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        said = postgres.python(VISIT + "print(spooled() > 0)")
        assert said.split() == [*UNHARMED, "True"]
        assert time.monotonic() - started < 30  # a page waits for seconds at most, not for the lock
    postgres.manage("sync_interactions")
    assert postgres.python(START + "print(U.objects.count(), spooled())").split() == ["1", "0"]


def test_tables_in_a_database_of_their_own_are_written_after_the_commit_alone(two_databases: ForeignSite) -> None:
    site = two_databases
    mirrored = site.python(VISIT + "print(U.objects.using('events').count(), U.objects.db)")
    assert mirrored.split() == [*UNHARMED, "1", "events"]
    said = site.python(
        START + "client.raise_request_exception = False\n"
        "print(page('/broken/2/?user=ann')[0], Like.objects.filter(offer=2).count())\n"
        "print(U.objects.filter(item__item_id='2').count())"
    )
    assert said.split() == ["500", "0", "0"]
    assert "offers.like: 1 rows -> 1 interactions, 0 unknown items, 0 refused" in site.manage("check_events")


def test_a_locked_database_of_tandem_holds_no_page_up(two_databases: ForeignSite) -> None:
    lock = (
        "import sqlite3, time\n"
        "held = sqlite3.connect('events.sqlite3', isolation_level=None); held.execute('BEGIN EXCLUSIVE')\n"
        "started = time.monotonic()\n"
    )
    said = two_databases.python(
        VISIT.replace("before =", lock + "before =") + "print(time.monotonic() - started < 20, spooled() > 0)"
    )
    assert said.split() == [*UNHARMED, "True", "True"]
    two_databases.manage("sync_interactions")
    assert two_databases.python(START + "print(U.objects.count(), spooled())").split() == ["1", "0"]


def test_a_database_of_tandem_that_is_gone_harms_nothing(two_databases: ForeignSite) -> None:
    site = two_databases
    (site.folder / "events.sqlite3").write_bytes(b"no database" * 1000)
    assert site.python(VISIT + "print(spooled() > 0)").split() == [*UNHARMED, "True"]


def test_pages_of_async_views_get_lists(sqlite: ForeignSite) -> None:
    said = sqlite.python(
        START + "import asyncio\n"
        "from django.test import AsyncClient\n"
        "async def main():\n"
        "    answer = await AsyncClient().get('/later/')\n"
        "    print(answer.status_code, answer.content.decode())\n"
        "asyncio.run(main())"
    )
    assert said.split() == ["200", "slate=4", "answer=4"]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_site_without_time_zones_gets_no_error_and_the_right_hour(request: pytest.FixtureRequest, kind: str) -> None:
    site: ForeignSite = request.getfixturevalue(kind)
    with site.variables(SITE_NAIVE="1"):
        said = site.python(VISIT + "import time\nprint(abs(U.objects.get().time.timestamp() - time.time()) < 60)")
    assert said.split() == [*UNHARMED, "True"]


def test_a_cache_that_is_away_harms_nothing(sqlite: ForeignSite) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with sqlite.variables(SITE_REDIS=f"redis://127.0.0.1:{taken.getsockname()[1]}"):
            assert sqlite.python(VISIT + "print(U.objects.count())").split() == [*UNHARMED, "1"]


def test_entries_of_the_sites_cache_stay_as_they_are(sqlite: ForeignSite) -> None:
    own = "from django.core.cache import cache\nfrom decimal import Decimal\n"
    own += "own = {'a': Decimal('1.5'), 'b': {1, 2}, 'c': b'x'}\n"
    with sqlite.variables(SITE_FILES="1"):
        sqlite.python(own + "cache.set_many(own)")
        assert sqlite.python(VISIT).split() == UNHARMED
        assert sqlite.python(own + "print(cache.get_many(own) == own)").split() == ["True"]


def test_a_spool_that_cannot_be_written_harms_nothing(sqlite: ForeignSite, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    renamed = execute("ALTER TABLE tandem_userinteraction RENAME TO hidden")
    with sqlite.variables(DJANGO_SETTINGS_MODULE="mysite.spool", SITE_SPOOL=str(tmp_path / "file/spool")):
        assert sqlite.python(VISIT.replace("before =", renamed + "before =")).split() == UNHARMED


@pytest.mark.services
def test_a_full_disk_under_the_spool_harms_nothing(postgres: ForeignSite, tmp_path: Path) -> None:
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))\n"  # no file may grow
    harm = full + execute("ALTER TABLE tandem_userinteraction RENAME TO hidden")
    with postgres.variables(DJANGO_SETTINGS_MODULE="mysite.spool", SITE_SPOOL=str(tmp_path / "spool")):
        said = postgres.python(VISIT.replace("before =", harm + "before =") + "print(spooled())")
    assert said.split() == [*UNHARMED, "0"]


def test_a_service_that_takes_connections_and_says_nothing_holds_no_page_up(sqlite: ForeignSite) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", int(sqlite.environment["RS_PORT"])))
        silent.listen(50)
        code = "import time\nstarted = time.monotonic()\nprint(page('/')[0], page('/offer/1/')[0])\n"
        code += "print(time.monotonic() - started < 10)"
        assert sqlite.python(START + code).split() == ["200", "200", "True"]


def test_a_draft_and_an_unknown_item_break_no_page(sqlite: ForeignSite) -> None:
    code = START + "draft = Offer.objects.create(title='Draft', is_published=False)\nprint(page(f'/offer/{draft.pk}/')[0])\n"
    code += "from tandem.slates import slate\n"
    code += "print(*(len(slate('similar', item=item, limit=4)) for item in ('999', draft)))"
    assert sqlite.python(code).split() == ["200", "4", "4"]
