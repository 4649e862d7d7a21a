"""What came of the lists that were shown: one set of figures for every use case. docs/guides/statistics.md explains them.

A figure belongs to the moment when the list was shown, so a rate never passes 1, however late the click. Which events are
clicks and which conversions is the use case's `[outcomes]`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from recommendation_service.errors import InvalidInput
from tandem.selectors import impressions
from tandem.selectors.impressions import ListQuery, Window
from tandem.selectors.items import items_by_id, title_of
from tandem.sources import source_of, values_of
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
        """Clicks per shown item, 0 to 1."""
        return self.clicks / self.shown if self.shown else 0.0

    @property
    def conversion_rate(self) -> float:
        """Conversions per shown item, 0 to 1; a conversion needs no click before it."""
        return self.conversions / self.shown if self.shown else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals(Figures):
    """Everything that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day(Figures):
    """The lists shown on one day of UTC."""

    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Figures):
    """The lists of one method or surface; `share` is of all lists, 0 to 1."""

    name: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Figures):
    """One item wherever it was shown; `title` is empty when the site has it no more. `lists` equals `shown`."""

    item_id: str
    title: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a funnel: how many shown items came to it or further, of all and of those at the step before."""

    name: str
    count: int
    of_shown: float
    of_before: float


def totals(*, use_case: str, window: Window, user_id: str | None = None, surface: str | None = None) -> Totals:
    """All lists together."""
    return Totals(**_figures(ListQuery(use_case, window, user_id, surface), "all").get("", {}))


def daily(*, use_case: str, window: Window, user_id: str | None = None, surface: str | None = None) -> list[Day]:
    """Every day of the window, the oldest first, also those on which nothing was shown."""
    groups = _figures(ListQuery(use_case, window, user_id, surface), "day")
    return [Day(day=day, **groups.get(day.isoformat(), {})) for day in window.days()]


def by_method(*, use_case: str, window: Window, user_id: str | None = None, surface: str | None = None) -> list[Group]:
    """Lists by the engine that answered, most lists first: the shares of the strategies."""
    return _groups(ListQuery(use_case, window, user_id, surface), "method")


def by_surface(*, use_case: str, window: Window, user_id: str | None = None) -> list[Group]:
    """Lists by the surface that showed them, most lists first."""
    return _groups(ListQuery(use_case, window, user_id), "surface")


def top_items(
    *, use_case: str, window: Window, user_id: str | None = None, surface: str | None = None, limit: int = 10
) -> list[Item]:
    """Items with the most conversions, then clicks, that answered a shown list; at most `limit`."""
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
    """Categories of clicked or converted items and how many of those each holds, most first.

    An item clicked and converted in one list counts once. The 1,000 items with the most are looked up; items that the
    site has no more count nowhere.
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
    """Shown, clicked, the events `between` in their order, converted: how many items came to each step or further.

    Who buys without a click came past the click, so that no step is wider than the one before. Raises InvalidInput
    for an event that the use case does not know.
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
    """Keyword arguments of Figures by group."""
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
    """Title and category of those items that the site still has."""
    titles: dict[str, tuple[str, str]] = {}
    for catalogue in load(query.use_case).catalogues:
        source = source_of(catalogue)
        if source is None:
            continue
        for item_id, item in items_by_id(source=source, item_ids=item_ids).items():
            category = next(iter(values_of(item, source.category)), "") if source.category else ""
            titles[item_id] = (title_of(source=source, item=item), str(category))
    return titles
