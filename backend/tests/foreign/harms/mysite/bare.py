"""The settings of a site that installed Tandem and set nothing."""

from mysite.settings import *  # noqa: F403 - as Django's own documentation does

del TANDEM  # noqa: F821 - of the settings
