"""Means drawn toward what the market gives, and shares."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sites.cleaning.scoring.aggregates import MARKS, Tallies
from sites.cleaning.scoring.score_values import (
    FIRST_GUESS,
    MARKET_PRIOR,
    PRIOR,
    drawn,
    figures,
    market_mark,
    market_rate,
    primary_kinds,
    share,
)

MARK = st.floats(1, 10)


def array(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(values)


@given(MARK, st.integers(0, 10_000), MARK)
def test_a_drawn_mean_lies_between_the_own_and_the_markets(own: float, count: int, market: float) -> None:
    (found,) = drawn(array(own * count), array(float(count)), market).tolist()
    low, high = sorted((own, market))
    assert low - 1e-9 <= found <= high + 1e-9


@given(MARK, MARK, st.integers(1, 1000))
def test_the_more_is_known_the_less_it_is_drawn(own: float, market: float, count: int) -> None:
    few, more = drawn(array(own * count, own * 2 * count), array(count, 2 * count), market).tolist()
    assert abs(more - own) <= abs(few - own) + 1e-9


def test_with_as_many_rows_as_the_prior_it_lies_in_the_middle() -> None:
    assert drawn(array(10 * PRIOR), array(PRIOR), 6.0).tolist() == [8]


def test_of_nothing_the_market_says_the_first_guess_and_of_much_its_own_mean() -> None:
    assert market_mark(Tallies(1), "overall").tolist() == [FIRST_GUESS["marks"]]
    assert market_rate(Tallies(1)).tolist() == [FIRST_GUESS["rate"]]
    half = Tallies.of(reviews=MARKET_PRIOR, marks_overall=9.5 * MARKET_PRIOR)
    assert market_mark(half, "overall").tolist() == [8.5]
    assert market_rate(Tallies.of(hours=1e9, amounts=22e9)).tolist() == [pytest.approx(22)]


def test_a_share_of_nothing_is_unknown() -> None:
    found = share(array(0, 3), array(0, 4))
    assert np.isnan(found[0])
    assert found[1] == 0.75


def test_scores_are_drawn_and_rates_are_not() -> None:
    own = Tallies.of(reviews=1, **{f"marks_{mark}": 10.0 for mark in MARKS}, completed=1, decided=1, won=1)
    found = figures(own, Tallies.of(reviews=1e9, **{f"marks_{mark}": 7e9 for mark in MARKS}))
    assert found["average_rating"].tolist() == [10]
    assert found["quality_score"].tolist() == [pytest.approx(75)]
    assert (found["completion_rate"].tolist(), found["win_rate"].tolist()) == ([1], [1])


def test_more_jobs_over_than_taken_are_none_ahead() -> None:
    assert figures(Tallies.of(taken=1, over=3), Tallies(1))["jobs_ahead"].tolist() == [0]


def test_the_primary_kind_is_the_most_frequent_and_the_first_among_equals() -> None:
    own = Tallies.of(4, kind_villa=[2, 1, 0, 0], kind_house=[1, 1, 0, 0], kind_office=[0, 0, 0, 5])
    assert primary_kinds(own).tolist() == ["villa", "house", "", "office"]
