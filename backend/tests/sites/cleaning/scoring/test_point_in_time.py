"""Sums up to a moment."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sites.cleaning.models import Cleaner, JobBid
from sites.cleaning.scoring.aggregates import OFFERED
from sites.cleaning.scoring.point_in_time import DAY_S, Ledger, Timeline, columns
from tests.sites.cleaning.marketplace import NOW, ago, bid, done, make_cleaner, make_job

OWNERS = 4
ROWS = st.lists(st.tuples(st.integers(0, OWNERS - 1), st.integers(0, 9), st.integers(-3, 5)), max_size=40)
ASKED = st.lists(st.tuples(st.integers(0, OWNERS - 1), st.integers(-1, 11)), min_size=1, max_size=20)


@given(ROWS, ASKED)
def test_sums_are_of_the_owners_rows_strictly_before(rows: list[tuple[int, int, int]], asked: list[tuple[int, int]]) -> None:
    owners, times, amounts = (np.array([row[at] for row in rows], dtype=float) for at in range(3))
    line = Timeline.of(owners.astype(np.int64), times, np.stack([np.ones_like(amounts), amounts], axis=1), OWNERS)
    wanted, moments = (np.array([one[at] for one in asked], dtype=float) for at in range(2))
    found = line.before(wanted.astype(np.int64), moments)
    for row, (owner, moment) in enumerate(asked):
        mine = [amount for of, time, amount in rows if of == owner and time < moment]
        assert found[row].tolist() == [len(mine), sum(mine)]


def test_a_timeline_of_nothing_sums_to_nought() -> None:
    line = Timeline.of(np.empty(0, dtype=np.int64), np.empty(0), np.empty((0, 3)), 2)
    assert line.before(np.array([0, 1, 1]), np.array([0.0, 1.0, 9e9])).tolist() == [[0, 0, 0]] * 3


@pytest.mark.django_db
def test_moments_are_read_to_the_microsecond() -> None:
    when = ago(3) + timedelta(microseconds=123_457)
    placed = bid(make_job(), make_cleaner(), 61.25)
    JobBid.objects.filter(pk=placed.pk).update(time=when)
    owners, times, amounts = columns(OFFERED.rows, "cleaner_id", "time", OFFERED.adds)
    assert owners.tolist() == [placed.cleaner_id]
    assert times.tolist() == [when.timestamp()]
    assert amounts.tolist() == [[1, 61.25, 4]]


@pytest.mark.django_db
def test_recent_counts_are_of_the_last_days_before_the_moment(cleaner: Cleaner) -> None:
    for days in (10, 40, 95):
        done(cleaner, posted=days + 5)  # it ended so many days ago
    ledger, key = Ledger(np.array([cleaner.pk])), np.array([cleaner.pk])
    seen = [ledger.own(key, np.array([NOW.timestamp() - days * DAY_S])) for days in (0, 9.5, 10, 70)]
    assert [tallies["jobs_30"].tolist() for tallies in seen] == [[1], [1], [1], [1]]
    assert [tallies["jobs_90"].tolist() for tallies in seen] == [[2], [3], [2], [1]]
    assert [tallies["completed"].tolist() for tallies in seen] == [[3], [3], [2], [1]]


@pytest.mark.django_db
def test_the_market_is_everybodys_though_only_some_are_asked_for(cleaner: Cleaner) -> None:
    done(cleaner, mark=9)
    done(make_cleaner(), mark=5)
    ledger, moment = Ledger(np.array([cleaner.pk])), np.array([NOW.timestamp()])
    assert ledger.own(np.array([cleaner.pk]), moment)["marks_overall"].tolist() == [9]
    assert ledger.market(moment)["marks_overall"].tolist() == [14]
