"""Forty startups, and Ada who has done nothing yet."""

import pytest

from sites.startups.models import Developer, Startup
from tests.support import board


@pytest.fixture
def startups() -> list[Startup]:
    return board.make_startups(40)


@pytest.fixture
def ada(startups: list[Startup]) -> Developer:
    return board.make_developer("Ada")
