"""Settings of the tests: in memory unless DATABASE_URL or CACHE_URL name real services."""

import tempfile

from config.settings.base import *  # noqa: F403 - a settings module is its base plus the differences
from config.settings.base import CACHE_URL, CACHES, DATABASES, INSTALLED_APPS, TANDEM, env

INSTALLED_APPS = [*INSTALLED_APPS, "tests.library"]  # event tables of every shape
SECRET_KEY = "only-for-tests-and-never-outside-them-0000000000000000"  # noqa: S105 - a key for tests only
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if not env.str("DATABASE_URL", default=""):
    DATABASES["default"]["NAME"] = ":memory:"
    DATABASES["default"]["OPTIONS"] = {}
TANDEM["SPOOL_DIR"] = tempfile.mkdtemp(prefix="tandem-spool-")
TANDEM["SIGNING_KEYS"] = "test:" + "k" * 40
TANDEM["SERVICE_URL"] = "http://127.0.0.1:9"  # the discard port: no service answers
if CACHE_URL:
    # Tests clear their cache, so each process of a parallel run uses its own Redis database.
    address, _, first = CACHE_URL.rpartition("/")
    CACHES["tandem"]["OPTIONS"]["socket_timeout"] = 2.0  # a busy machine must not look like an unreachable Redis
    CACHES["tandem"]["LOCATION"] = f"{address}/{int(first) + int(env.str('PYTEST_XDIST_WORKER', default='gw0')[2:])}"
WHITENOISE_AUTOREFRESH = True  # a clean checkout has collected no static files yet
