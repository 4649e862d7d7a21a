"""Settings for a developer's machine and for `make demo`."""

from config.settings.base import *  # noqa: F403 - a settings module is its base plus the differences
from config.settings.base import BASE_DIR, env

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="local-only-and-never-outside-this-machine-0000000000")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
STOREFRONT_DEMO = env.bool("DEMO", default=True)
(BASE_DIR / "var").mkdir(exist_ok=True)
if not env.str("EMAIL_URL", default=""):
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"  # mails are written to files, not sent
    EMAIL_FILE_PATH = BASE_DIR / "var" / "mail"
