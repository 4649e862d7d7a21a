"""A daily chart as numbers; the template draws them as SVG, so the page needs no script."""

from collections.abc import Sequence
from dataclasses import dataclass

from tandem.selectors.statistics import Day

WIDTH, HEIGHT = 720.0, 180.0
LEFT, BOTTOM, TOP = 44.0, 22.0, 8.0
GAP = 0.18  # share of a day's width that stays empty


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: both counts have the same x and width; conversions are drawn over clicks."""

    day: Day
    x: float
    width: float
    clicks_y: float
    clicks_height: float
    conversions_y: float
    conversions_height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """All shapes of the chart, in units of the viewBox `width` x `height`."""

    bars: tuple[Bar, ...]
    lines: tuple[tuple[float, str], ...]  # y of a horizontal line, and its number
    labels: tuple[tuple[float, str, str], ...]  # x, day, and where the text is anchored
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    baseline: float = HEIGHT - BOTTOM


def daily_chart(days: Sequence[Day]) -> Chart:
    """Return clicks and conversions of each day as bars, and horizontal lines at round numbers."""
    top = round_up(max((max(day.clicks, day.conversions) for day in days), default=0))
    room, baseline = HEIGHT - BOTTOM - TOP, HEIGHT - BOTTOM
    each = (WIDTH - LEFT) / max(len(days), 1)

    def height(count: int) -> float:
        return round(room * count / top, 2)

    bars = tuple(
        Bar(
            day=day,
            x=round(LEFT + each * (index + GAP / 2), 2),
            width=round(each * (1 - GAP), 2),
            clicks_y=round(baseline - height(day.clicks), 2),
            clicks_height=height(day.clicks),
            conversions_y=round(baseline - height(day.conversions), 2),
            conversions_height=height(day.conversions),
        )
        for index, day in enumerate(days)
    )
    lines = tuple((round(baseline - room * share, 2), f"{top * share:g}") for share in (0.0, 0.5, 1.0))
    return Chart(bars, lines, _labels(days))


def round_up(most: int) -> float:
    """Return the smallest of 2, 4, 6, 10, 20, 40, 60, ... that is at least `most`; half of it is a whole number too."""
    size = 1
    while True:
        for step in (2, 4, 6, 10):
            if step * size >= most:
                return float(step * size)
        size *= 10


def _labels(days: Sequence[Day]) -> tuple[tuple[float, str, str], ...]:
    """Label the first, the middle and the last day."""
    if not days:
        return ()
    middle = days[len(days) // 2].day
    ends = [(LEFT, days[0].day, "start"), (LEFT + (WIDTH - LEFT) / 2, middle, "middle"), (WIDTH, days[-1].day, "end")]
    return tuple((x, f"{day.day} {day:%b}", anchor) for x, day, anchor in (ends if len(days) > 2 else ends[::2]))
