"""The daily chart's numbers: bars stay inside the drawing and are as tall as their counts say."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.charts import HEIGHT, LEFT, WIDTH, daily_chart, round_up
from tandem.selectors.statistics import Day

FIRST = date(2026, 3, 1)
counts = st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000)), max_size=60)


def _days(pairs: list[tuple[int, int]]) -> list[Day]:
    return [
        Day(day=FIRST + timedelta(days=place), shown=9, clicks=clicks, conversions=conversions)
        for place, (clicks, conversions) in enumerate(pairs)
    ]


@given(counts)
def test_every_bar_stays_inside_and_stands_on_the_baseline(pairs: list[tuple[int, int]]) -> None:
    chart = daily_chart(_days(pairs))
    assert len(chart.bars) == len(pairs)
    for bar in chart.bars:
        assert bar.x >= LEFT
        assert bar.x + bar.width <= WIDTH + 0.02
        assert 0 <= bar.clicks_y <= HEIGHT
        assert bar.clicks_y + bar.clicks_height == pytest.approx(chart.baseline, abs=0.02)
        assert bar.conversions_y + bar.conversions_height == pytest.approx(chart.baseline, abs=0.02)


@given(counts)
def test_more_is_never_shorter(pairs: list[tuple[int, int]]) -> None:
    bars = sorted(daily_chart(_days(pairs)).bars, key=lambda bar: bar.day.clicks)
    heights = [bar.clicks_height for bar in bars]
    assert heights == sorted(heights)


@pytest.mark.parametrize(("most", "top"), [(0, 2), (1, 2), (3, 4), (5, 6), (7, 10), (11, 20), (61, 100), (999, 1000)])
def test_the_top_line_is_a_round_number_with_a_whole_half(most: int, top: int) -> None:
    assert round_up(most) == top
    assert top % 2 == 0


def test_the_ends_and_the_middle_are_named() -> None:
    chart = daily_chart(_days([(1, 0)] * 31))
    assert [(word, anchor) for _, word, anchor in chart.labels] == [("1 Mar", "start"), ("16 Mar", "middle"), ("31 Mar", "end")]
    assert daily_chart([]).bars == ()
