"""Settings of the tests: files of their own and local memory unless DATABASE_URL or CACHE_URL name real services."""

import atexit
import shutil
import tempfile
from pathlib import Path

from config.settings.base import *  # noqa: F403 - a settings module is its base plus the differences
from config.settings.base import CACHE_URL, CACHES, DATABASES, INSTALLED_APPS, TANDEM, env

INSTALLED_APPS = [*INSTALLED_APPS, "tests.library"]  # event tables of every shape
SECRET_KEY = "only-for-tests-and-never-outside-them-0000000000000000"  # noqa: S105 - a key for tests only
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
own_folder = Path(tempfile.mkdtemp(prefix="tandem-tests-"))
atexit.register(shutil.rmtree, own_folder, ignore_errors=True)
if not env.str("DATABASE_URL", default=""):
    # A file, not memory: threads of a live server would share one connection to a database in memory, and its transactions.
    DATABASES["default"]["NAME"] = ":memory:"  # of programs that tests start
    DATABASES["default"]["TEST"] = {"NAME": str(own_folder / "tests.sqlite3")}
    DATABASES["default"]["OPTIONS"] = {"timeout": 20, "init_command": "PRAGMA synchronous=OFF; PRAGMA foreign_keys=ON;"}
TANDEM["SPOOL_DIR"] = str(own_folder / "spool")
TANDEM["DATABASE_DEADLINE_S"] = 30.0  # no test depends on how busy the machine is
TANDEM["BACKGROUND_WRITER"] = False  # what a test has shown is stored when its request ends
TANDEM["SIGNING_KEYS"] = "test:" + "k" * 40
TANDEM["SERVICE_URL"] = "http://127.0.0.1:9"  # the discard port: no service answers
if CACHE_URL:
    # Tests clear their cache, so each process of a parallel run uses its own Redis database.
    address, _, first = CACHE_URL.rpartition("/")
    CACHES["tandem"]["OPTIONS"]["socket_timeout"] = 2.0  # a busy machine must not look like an unreachable Redis
    CACHES["tandem"]["LOCATION"] = f"{address}/{int(first) + int(env.str('PYTEST_XDIST_WORKER', default='gw0')[2:])}"
WHITENOISE_AUTOREFRESH = True  # a clean checkout has collected no static files yet
