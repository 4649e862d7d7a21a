"""Outcomes of the lists that were shown: the same figures for every use case. See docs/guides/statistics.md.

A click or conversion counts for the time when its list was shown, however late it is, so a rate is at most 1. The
`[outcomes]` of the use case name the events that are clicks and conversions.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from recommendation_service.errors import InvalidInput
from tandem.selectors import impressions
from tandem.selectors.impressions import ListQuery, Window
from tandem.selectors.items import facet_values, items_by_id, title_of
from tandem.sources import source_of
from tandem.use_cases import load

__all__ = [
    "Day", "Figures", "Group", "Item", "Step", "Totals", "Window",
    "by_method", "by_surface", "daily", "funnel", "top_categories", "top_items", "totals",
]  # fmt: skip

MOST_ITEMS = 1000  # whose categories are looked up


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Counts of one group of shown lists. `clicks` and `conversions` count a list and item once."""

    lists: int = 0
    shown: int = 0
    clicks: int = 0
    conversions: int = 0
    revenue: float = 0.0  # the value of the conversions

    @property
    def ctr(self) -> float:
        """Return clicks per shown item, 0 to 1."""
        return self.clicks / self.shown if self.shown else 0.0

    @property
    def conversion_rate(self) -> float:
        """Return conversions per shown item, 0 to 1. A conversion counts without a click before it."""
        return self.conversions / self.shown if self.shown else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals(Figures):
    """The figures of all lists that were requested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day(Figures):
    """The figures of the lists that were shown on one day, in UTC."""

    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Figures):
    """The figures of one method or surface. `share` is its part of all lists, 0 to 1."""

    name: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Figures):
    """The figures of one item in all lists. `title` is empty if the site no longer has the item. `lists` equals `shown`."""

    item_id: str
    title: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a funnel: how many shown items reached it, as a part of all and as a part of the step before."""

    name: str
    count: int
    of_shown: float
    of_before: float


def totals(*, use_case: str, window: Window, user_id: str | None = None, surface: str | None = None) -> Totals:
    """Return the figures of all lists together."""
    return Totals(**_figures(ListQuery(use_case, window, user_id, surface), "all").get("", {}))


def daily(*, use_case: str, window: Window, user_id: str | None = None, surface: str | None = None) -> list[Day]:
    """Return every day of the window, the oldest first, also days without lists."""
    groups = _figures(ListQuery(use_case, window, user_id, surface), "day")
    return [Day(day=day, **groups.get(day.isoformat(), {})) for day in window.days()]


def by_method(*, use_case: str, window: Window, user_id: str | None = None, surface: str | None = None) -> list[Group]:
    """Return the figures by the engine that answered, most lists first."""
    return _groups(ListQuery(use_case, window, user_id, surface), "method")


def by_surface(*, use_case: str, window: Window, user_id: str | None = None) -> list[Group]:
    """Return the figures by the surface that showed the lists, most lists first."""
    return _groups(ListQuery(use_case, window, user_id), "surface")


def top_items(
    *, use_case: str, window: Window, user_id: str | None = None, surface: str | None = None, limit: int = 10
) -> list[Item]:
    """Return the items with the most conversions, then the most clicks; at most `limit`."""
    query = ListQuery(use_case, window, user_id, surface)
    groups = impressions.answered_items(query, _outcomes(use_case), limit=limit)
    shown_counts = impressions.shown_among(query, [entry.group for entry in groups])
    rows = _site_items(query, [entry.group for entry in groups])
    return [
        Item(
            item_id=entry.group,
            title=rows.get(entry.group, ("", ""))[0],
            lists=shown_counts.get(entry.group, 0),
            shown=shown_counts.get(entry.group, 0),
            clicks=entry.reached[0],
            conversions=entry.reached[-1],
            revenue=entry.value,
        )
        for entry in groups
    ]


def top_categories(
    *, use_case: str, window: Window, user_id: str | None = None, surface: str | None = None, limit: int = 10
) -> list[tuple[str, int]]:
    """Return the categories of clicked or converted items with the number of these items, most first.

    An item that was clicked and converted in one list counts once. Only the 1,000 items with the most clicks and
    conversions are used. Items that the site no longer has do not count.
    """
    query = ListQuery(use_case, window, user_id, surface)
    clicks, conversions = _outcomes(use_case)
    groups = impressions.answered_items(query, [{*clicks, *conversions}], limit=MOST_ITEMS)
    rows = _site_items(query, [entry.group for entry in groups])
    counted: Counter[str] = Counter()
    for entry in groups:
        category = rows.get(entry.group, ("", ""))[1]
        if category:
            counted[category] += entry.reached[0]
    return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]


def funnel(
    *,
    use_case: str,
    window: Window,
    user_id: str | None = None,
    surface: str | None = None,
    between: Sequence[str] = (),
) -> list[Step]:
    """Return the steps from shown to converted: how many items reached each step or a later one.

    The steps are shown, clicked, the events `between` in their order, and converted. A conversion without a click
    counts for the click too, so that no step is larger than the one before. Raises InvalidInput for an event that the
    use case does not define.
    """
    events_known = load(use_case).events
    stranger = next((name for name in between if name not in events_known), None)
    if stranger is not None:
        raise InvalidInput(f"'{stranger}' is no event of {use_case}; events are {', '.join(events_known)}")
    query = ListQuery(use_case, window, user_id, surface)
    clicks, conversions = _outcomes(use_case)
    steps = [clicks, *({name} for name in between), conversions]
    or_further = [frozenset().union(*steps[index:]) for index in range(len(steps))]
    counted = impressions.answered(query, "all", or_further).get("")
    items = sum(count for _, count in impressions.lists_and_items(query, "all").values())
    counts = [items, *(counted.reached if counted else [0] * len(steps))]
    names = ["shown", "clicked", *between, "converted"]
    return [
        Step(name, count, count / items if items else 0.0, count / before if before else 0.0)
        for name, count, before in zip(names, counts, [items, *counts], strict=False)
    ]


def _outcomes(use_case: str) -> tuple[frozenset[str], frozenset[str]]:
    outcomes = load(use_case).outcomes
    return frozenset(outcomes.clicks), frozenset(outcomes.conversions)


def _figures(query: ListQuery, group: str) -> dict[str, dict[str, Any]]:
    """Return the keyword arguments of Figures, by group."""
    outcomes_by_group = impressions.answered(query, group, _outcomes(query.use_case))
    groups: dict[str, dict[str, Any]] = {}
    for name, (lists, items) in impressions.lists_and_items(query, group).items():
        groups[name] = {"lists": lists, "shown": items}
        if name in outcomes_by_group:
            clicks, conversions = outcomes_by_group[name].reached
            groups[name] |= {"clicks": clicks, "conversions": conversions, "revenue": outcomes_by_group[name].value}
    return groups


def _groups(query: ListQuery, group: str) -> list[Group]:
    groups = _figures(query, group)
    every = sum(figures["lists"] for figures in groups.values())
    ordered = sorted(groups.items(), key=lambda pair: (-pair[1]["lists"], pair[0]))
    return [Group(name=name, share=figures["lists"] / every, **figures) for name, figures in ordered]


def _site_items(query: ListQuery, item_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return title and category of those items that the site still has."""
    titles: dict[str, tuple[str, str]] = {}
    for catalogue in load(query.use_case).catalogues:
        source = source_of(catalogue)
        if source is None:
            continue
        for item_id, item in items_by_id(source=source, item_ids=item_ids).items():
            category = next(iter(facet_values(source, item, "category")), "")
            titles[item_id] = (title_of(source=source, item=item), str(category))
    return titles
