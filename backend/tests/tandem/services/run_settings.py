"""Settings of a process that a test starts: the database file it names, and one short run."""

from config.settings.test import *  # noqa: F403 - a settings module is its base plus the differences
from config.settings.test import TANDEM

TANDEM["RUNS"] = {"dig": (("-c", "import time; time.sleep(1); print('dug deep')"),)}
