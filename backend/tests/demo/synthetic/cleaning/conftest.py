"""One marketplace of the stated size, made once: nothing in it is written to a database."""

from datetime import UTC, datetime

import pytest

from demo.synthetic.cleaning.market import Market, Sizes, make_market

UNTIL = datetime(2026, 11, 1, tzinfo=UTC)


def sized(jobs: int = 5000, cleaners: int = 200, clients: int = 500) -> Sizes:
    """Ending at UNTIL, with a fee of 15 %."""
    return Sizes.ending(UNTIL, jobs=jobs, cleaners=cleaners, clients=clients, fee_share=0.15)


@pytest.fixture(scope="session")
def market() -> Market:
    """5000 jobs, 200 cleaners, 500 clients."""
    return make_market(42, sized())
