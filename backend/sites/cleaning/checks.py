"""`manage.py check`: wrong settings of the marketplace itself."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


def register_all() -> None:
    """Register the checks of this file."""
    register(check_fee)


def check_fee(app_configs: Any = None, **_options: Any) -> list[CheckMessage]:
    """Return an error unless CLEANING_PLATFORM_FEE is a share of a payment."""
    fee = settings.CLEANING_PLATFORM_FEE
    if isinstance(fee, int | float) and not isinstance(fee, bool) and 0 <= fee < 1:
        return []
    message = f"CLEANING_PLATFORM_FEE is {fee!r}, which is not a share of a payment"
    return [Error(message, hint="Fix: a number from 0 up to 1, such as 0.15.", id="cleaning.E001")]
