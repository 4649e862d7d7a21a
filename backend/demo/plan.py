"""The plan of `make demo`: the sites, their folder and environment, the stages in order, and the two servers."""

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recommendation_service.errors import ConfigurationError

BACKEND = Path(__file__).resolve().parents[1]
ROOT = BACKEND.parent
HOST = "127.0.0.1"
MANAGE = (sys.executable, str(BACKEND / "manage.py"))
TOKEN_COMMAND = (*MANAGE, "issue_token", "--service", "--minutes", "720")  # the key it signs with is in the environment


Command = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """A site that a demo can show, the command that fills it, and commands that run after its models are trained."""

    name: str  # also its use case and its page, and its catalogue unless `newest` names another
    path: str  # of its list, with {} for the id of the busiest person, or of the newest item
    fill: Command  # of manage.py
    known: str = ""  # an attribute that the profiles of the shown people have
    newest: str = ""  # the catalogue whose newest item the list is about; empty: it is about a person
    after: tuple[Command, ...] = ()  # of Python, or of manage.py if the first argument is "manage.py"


@dataclass(frozen=True, slots=True)
class Stage:
    """Independent commands that must succeed before the next stage begins."""

    name: str
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Server:
    """A server process; it is ready when `ready` answers 200."""

    name: str
    command: tuple[str, ...]
    port: int
    change_port: str  # the make variable that moves it

    @property
    def ready(self) -> str:
        """Return the URL of its readiness check."""
        return f"http://{HOST}:{self.port}/readyz"


@dataclass(frozen=True, slots=True)
class Plan:
    """A demo that is not started yet."""

    sites: tuple[Site, ...]
    folder: Path  # for everything that this demo writes, except a database of DATABASE_URL
    environment: Mapping[str, str]
    prepare: tuple[Stage, ...]  # skipped if their results are reused
    always: tuple[Stage, ...]
    servers: tuple[Server, ...]


SEEDED = {
    site.name: site
    for site in (
        Site(
            "startups",
            "/api/recommendations/startups/for-developer/{}?limit=2",
            ("generate_startups_data", "--reset"),
            known="skills",
        ),
        Site(
            "shop",
            "/api/v1/recommendations/homepage?user_id={}&limit=12",
            ("generate_shop_data", "--reset"),
            after=(
                ("manage.py", "sync_products", "--no-train"),
                ("manage.py", "update_user_preferences", "--all"),
                ("manage.py", "measure_performance", "--days", "120"),
            ),
        ),
        Site("posts", "/recommend/hybrid-recommendations/?user_id={}&topn=12", ("generate_posts_data", "--reset")),
        Site(
            "courses",
            "/api/v1/recommendations/home?user_id={}&explain=true",
            ("generate_courses_data", "--reset"),
            after=(("-m", "recommendation_service.cli", "update-bandit", "--rebuild"),),
        ),
        Site(
            "cleaning",
            "/api/v1/cleaning/jobs/{}/cleaners?limit=2",
            ("generate_training_data", "--reset"),
            newest="jobs",
        ),
    )
}


def seeded(names: Sequence[str] = ()) -> tuple[Site, ...]:
    """Return the seeded sites of these names, in the order of SEEDED; without names all of them.

    Raises ConfigurationError for an unknown name.
    """
    unknown = [name for name in names if name not in SEEDED]
    if unknown:
        raise ConfigurationError(f"SITES names '{unknown[0]}'; there are {', '.join(SEEDED)}")
    return tuple(site for name, site in SEEDED.items() if not names or name in names)


def movies(release: Path) -> Site:
    """Return the movies site with the ratings of a MovieLens release. Raises ConfigurationError if it is not a folder."""
    if not release.is_dir():
        raise ConfigurationError(f"DATA={release} is not a folder; name the folder of a MovieLens release")
    path = "/api/recommendations/movies/for-you/{}?limit=2"
    return Site("movies", path, ("load_movielens", str(release.resolve()), "--reset"))


def plan(sites: Sequence[Site], *, port: int, service_port: int, environ: Mapping[str, str], root: Path = ROOT) -> Plan:
    """Plan the demo of these sites. DATABASE_URL and CACHE_URL of `environ` are used as they are."""
    names = [site.name for site in sites]
    folder = root / ".demo" / "-".join(names)
    chosen = [argument for name in names for argument in ("--catalogue", name)]
    return Plan(
        sites=tuple(sites),
        folder=folder,
        environment=_environment(folder, names, port, service_port, environ),
        prepare=(
            Stage("tables", ((*MANAGE, "migrate", "--noinput", "-v", "0"),)),
            *(Stage(f"fill-{site.name}", ((*MANAGE, *site.fill),)) for site in sites),
            Stage("export", ((*MANAGE, "generate_all_datasets", *chosen),)),
            Stage("train", tuple(_training(site) for site in sites)),
            *(Stage(f"{site.name}-{step[1]}", (_with_python(step),)) for site in sites for step in site.after),
        ),
        always=(
            Stage("static", ((*MANAGE, "collectstatic", "--noinput", "-v", "0"),)),
            Stage("staff", ((*MANAGE, "demo_staff"),)),
        ),
        servers=(_flask(service_port), _django(port)),
    )


def _training(site: Site) -> Command:
    command = ("recommendation_service.cli", "train", "all", "--use-case", site.name, "--trials", "4")  # a demo starts soon
    return (sys.executable, "-m", *command)


def _with_python(step: Command) -> Command:
    return (*MANAGE, *step[1:]) if step[0] == "manage.py" else (sys.executable, *step)


def _environment(
    folder: Path, names: Sequence[str], port: int, service_port: int, environ: Mapping[str, str]
) -> dict[str, str]:
    database = environ.get("DATABASE_URL") or f"sqlite:///{folder / 'site.sqlite3'}"
    changes = {
        "DJANGO_SETTINGS_MODULE": "config.settings.local",
        "DATABASE_URL": database,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "DEMO": "true",
        "DEMO_STAFF_PASSWORD": secrets.token_urlsafe(12),
        "RECOMMENDATION_SERVICE_URL": f"http://{HOST}:{service_port}",
        "RS_SIGNING_KEYS": f"demo:{secrets.token_urlsafe(48)}",
        "RS_DATABASE_URL": database,
        "RS_USE_CASES": ",".join(names),
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
    return {**environ, **changes}


def _flask(port: int) -> Server:
    settings = str(ROOT / "recommendation_service" / "gunicorn.conf.py")
    command = (sys.executable, "-m", "gunicorn", "-c", settings)
    return Server("recommendation_service", command, port, "SERVICE_PORT")


def _django(port: int) -> Server:
    command = (sys.executable, "-m", "gunicorn", "config.wsgi:application", "--chdir", str(BACKEND))
    threads = ("--workers", "2", "--worker-class", "gthread", "--threads", "4")
    return Server("backend", (*command, *threads, "--bind", f"{HOST}:{port}"), port, "PORT")
