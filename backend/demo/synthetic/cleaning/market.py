"""The synthetic marketplace as columns, made part by part from one seed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from demo.synthetic.cleaning.bids import Bids, make_bids
from demo.synthetic.cleaning.hiring import choose
from demo.synthetic.cleaning.job_outcomes import Course, run
from demo.synthetic.cleaning.jobs import ClientsWithProperties, Jobs, make_jobs
from demo.synthetic.cleaning.payments import Payments, make_payments
from demo.synthetic.cleaning.people import Cleaners, Clients, Properties, make_cleaners, make_clients, make_properties
from demo.synthetic.cleaning.reviews import Reviews, make_reviews


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes, the end (seconds since 1970), and the platform's share of each payment."""

    jobs: int
    cleaners: int
    clients: int
    until: float
    fee_share: float

    @classmethod
    def ending(cls, until: datetime, *, jobs: int, cleaners: int, clients: int, fee_share: float) -> "Sizes":
        """Return sizes with the end in whole seconds."""
        return cls(jobs, cleaners, clients, float(int(until.timestamp())), fee_share)


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """All columns; they refer to each other by row."""

    sizes: Sizes
    cleaners: Cleaners
    clients: Clients
    properties: Properties
    jobs: Jobs
    bids: Bids  # of the whole life of every job: those after the end are not written
    course: Course
    reviews: Reviews
    payments: Payments


def make_market(seed: int, sizes: Sizes, say: Callable[[str], None] = lambda _line: None) -> Market:
    """Make the marketplace of this seed. Each part has its own random stream, so that a change in one keeps the others."""
    streams = iter(np.random.default_rng(seed).spawn(8))
    cleaners = make_cleaners(next(streams), sizes.cleaners, sizes.until)
    clients = make_clients(next(streams), sizes.clients, sizes.until)
    properties = make_properties(next(streams), clients)
    jobs = make_jobs(next(streams), sizes.jobs, ClientsWithProperties(clients, properties), sizes.until)
    bids = make_bids(next(streams), jobs, cleaners, say)
    chances = next(streams)
    winner = choose(chances, jobs, bids, cleaners, clients)
    course = run(chances, jobs, bids, winner, cleaners, sizes.until)
    reviews = make_reviews(next(streams), jobs, bids, course, cleaners, clients, sizes.until)
    payments = make_payments(next(streams), bids, course, sizes.fee_share)
    return Market(sizes, cleaners, clients, properties, jobs, bids, course, reviews, payments)
