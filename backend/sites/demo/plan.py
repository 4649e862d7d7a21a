"""What `make demo` does, as values: the site, its folders and environment, the stages in order, and the two servers."""

import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from recommendation_service.errors import ConfigurationError

BACKEND = Path(__file__).resolve().parents[2]
ROOT = BACKEND.parent
HOST = "127.0.0.1"
MANAGE = (sys.executable, str(BACKEND / "manage.py"))
TOKEN_COMMAND = (*MANAGE, "issue_token", "--service", "--minutes", "720")  # the key it signs with is in the environment


@dataclass(frozen=True, slots=True)
class Site:
    """One of the sites a demo can show, and the manage.py command that fills it."""

    name: str  # also its use case, its catalogue and its page
    surface: str
    fill: tuple[str, ...]
    known: str = ""  # a word that the profiles of this surface's people have


@dataclass(frozen=True, slots=True)
class Stage:
    """One command that must end well before the next begins."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Server:
    """One process that stays: it is up when `ready` answers 200."""

    name: str
    command: tuple[str, ...]
    port: int
    change_port: str  # the make variable that moves it

    @property
    def ready(self) -> str:
        """Where it says that it can answer."""
        return f"http://{HOST}:{self.port}/readyz"


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole demo; nothing has been started or written yet."""

    site: Site
    folder: Path  # everything this demo writes, apart from a database that was given
    environment: Mapping[str, str]
    prepare: tuple[Stage, ...]  # skipped when what they made is kept
    always: tuple[Stage, ...]
    servers: tuple[Server, ...]


def startups() -> Site:
    """The seeded startups site."""
    return Site("startups", "for-developer", ("generate_startups_data", "--reset"), known="skills")


def movies(release: Path) -> Site:
    """The movies site with the ratings of a MovieLens release in either layout. Raises ConfigurationError without one."""
    if not release.is_dir():
        raise ConfigurationError(f"DATA={release} is not a folder; name the folder of a MovieLens release")
    return Site("movies", "for-you", ("load_movielens", str(release.resolve()), "--reset"))


def plan(site: Site, *, port: int, service_port: int, environ: Mapping[str, str], root: Path = ROOT) -> Plan:
    """The demo of one site. `environ` is the caller's environment: DATABASE_URL and CACHE_URL in it are used as they are."""
    folder = root / ".demo" / site.name
    return Plan(
        site=site,
        folder=folder,
        environment=_environment(folder, port, service_port, environ),
        prepare=(
            Stage("tables", (*MANAGE, "migrate", "--noinput", "-v", "0")),
            Stage("site", (*MANAGE, *site.fill)),
            Stage("export", (*MANAGE, "generate_all_datasets", "--catalogue", site.name)),
            Stage(
                "train",
                (sys.executable, "-m", "recommendation_service.train_all", "--use-case", site.name, "--budget-seconds", "15"),
            ),
        ),
        always=(
            Stage("static", (*MANAGE, "collectstatic", "--noinput", "-v", "0")),
            Stage("staff", (*MANAGE, "demo_staff")),
        ),
        servers=(_flask(service_port), _django(port)),
    )


def _environment(folder: Path, port: int, service_port: int, environ: Mapping[str, str]) -> dict[str, str]:
    database = environ.get("DATABASE_URL") or f"sqlite:///{folder / 'site.sqlite3'}"
    own = {
        "DJANGO_SETTINGS_MODULE": "config.settings.local",
        "DATABASE_URL": database,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "DEMO": "true",
        "DEMO_STAFF_PASSWORD": secrets.token_urlsafe(12),
        "RECOMMENDATION_SERVICE_URL": f"http://{HOST}:{service_port}",
        "RS_SIGNING_KEYS": f"demo:{secrets.token_urlsafe(48)}",
        "RS_DATABASE_URL": database,
        "RS_USE_CASES": folder.name,
        "RS_DATA_DIR": str(folder / "data"),
        "RS_MODELS_DIR": str(folder / "models"),
        "RS_LOG_FILE": str(folder / "app.log"),
        "RS_HOST": HOST,
        "RS_PORT": str(service_port),
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(BACKEND))),
        "PYTHONUNBUFFERED": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",  # threads that wait must not keep a core busy
    }
    return {**environ, **own}


def _flask(port: int) -> Server:
    settings = str(ROOT / "recommendation_service" / "gunicorn.conf.py")
    command = (sys.executable, "-m", "gunicorn", "-c", settings)
    return Server("recommendation_service", command, port, "SERVICE_PORT")


def _django(port: int) -> Server:
    command = (sys.executable, "-m", "gunicorn", "config.wsgi:application", "--chdir", str(BACKEND))
    threads = ("--workers", "2", "--worker-class", "gthread", "--threads", "4")
    return Server("backend", (*command, *threads, "--bind", f"{HOST}:{port}"), port, "PORT")
