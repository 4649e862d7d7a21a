"""The marketplace as a whole: the same from the same seed, another from another."""

from dataclasses import astuple, fields, is_dataclass
from typing import Any

import numpy as np

from demo.synthetic.cleaning.market import Market, make_market
from tests.demo.synthetic.cleaning.conftest import UNTIL, sized


def columns(thing: Any) -> list[bytes]:
    """Every array in it, as bytes."""
    if isinstance(thing, np.ndarray):
        return [thing.tobytes()]
    if isinstance(thing, tuple):
        return [column for part in thing for column in columns(part)]
    if is_dataclass(thing):
        return [column for field in fields(thing) for column in columns(getattr(thing, field.name))]
    return []


def test_the_same_seed_gives_the_same_marketplace_to_the_byte() -> None:
    one, other = (make_market(3, sized(80, 24, 12)) for _ in range(2))
    assert len(columns(one)) > 40
    assert columns(one) == columns(other)
    assert one.payments.reference == other.payments.reference


def test_another_seed_gives_another_marketplace() -> None:
    one, other = (make_market(seed, sized(80, 24, 12)) for seed in (3, 4))
    for part in ("cleaners", "clients", "jobs", "bids", "payments"):
        assert columns(getattr(one, part)) != columns(getattr(other, part))


def test_a_fraction_of_a_second_at_the_end_changes_nothing() -> None:
    assert astuple(sized()) == (5000, 200, 500, UNTIL.timestamp(), 0.15)
    later = type(sized()).ending(UNTIL.replace(microsecond=7), jobs=5000, cleaners=200, clients=500, fee_share=0.15)
    assert later == sized()


def test_more_jobs_leave_the_people_as_they_are() -> None:
    one, other = (make_market(3, sized(jobs, 24, 12)) for jobs in (80, 160))
    assert columns(one.cleaners) == columns(other.cleaners)
    assert columns(one.properties) == columns(other.properties)


def test_the_smallest_marketplace_is_whole(market: Market) -> None:
    small = make_market(1, sized(20, 20, 10))
    assert small.jobs.posted.size == 20
    assert np.diff(small.bids.start).min() >= 3
    assert len(columns(small)) == len(columns(market))
