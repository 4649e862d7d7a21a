"""One cleaner, one client, and what the marketplace holds: see `marketplace`."""

import pytest

from sites.cleaning.models import Cleaner, Client
from tests.sites.cleaning import marketplace


@pytest.fixture
def cleaner() -> Cleaner:
    """Somebody who joined long ago and did nothing yet."""
    return marketplace.make_cleaner("Maria")


@pytest.fixture
def client_of_jobs() -> Client:
    """Somebody with jobs to give."""
    return marketplace.make_client("Nikos")
