"""Settings with another folder for what the database refuses."""

import os

from mysite.settings import *  # noqa: F403 - as Django's own documentation does

TANDEM = {**TANDEM, "SPOOL_DIR": os.environ["SITE_SPOOL"]}  # noqa: F405 - of the settings
