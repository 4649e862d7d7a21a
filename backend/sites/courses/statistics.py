"""The figures of the course platform, as its paths and its page tell them."""

from typing import Any

from recommendation_service.use_cases.schema import UseCase
from sites.courses.recommendation_sources import Courses
from tandem.selectors import statistics
from tandem.selectors.items import items_by_id
from tandem.selectors.popular import popular_ids
from tandem.selectors.statistics import Figures, Window
from tandem.surfaces import bound_surface
from tandem.use_cases import load

NAME = "courses"


def use_case() -> UseCase:
    """The platform's own file."""
    return load(NAME)


def of_learner(user_id: str, window: Window) -> dict[str, Any]:
    """One person's counts and the categories that their clicks and enrolments were about."""
    own = statistics.totals(use_case=NAME, window=window, user_id=user_id)
    return {"user_id": user_id, **_span(window), **_counts(own), "top_categories": _categories(window, user_id)}


def of_everybody(window: Window) -> dict[str, Any]:
    """Counts, rates, shares of the strategies, the most popular courses, and a day by day series."""
    shares = statistics.by_method(use_case=NAME, window=window)
    return {
        **_span(window),
        **_counts(statistics.totals(use_case=NAME, window=window)),
        "most_popular_courses": most_popular(),
        "most_answered_courses": [
            {"course_id": one.item_id, "title": one.title, **_counts(one)}
            for one in statistics.top_items(use_case=NAME, window=window)
        ],
        "top_categories": _categories(window),
        "strategy_distribution": [{"strategy": one.name, "share": round(one.share, 6), **_counts(one)} for one in shares],
        "daily_stats": [
            {"date": day.day.isoformat(), **_counts(day)} for day in statistics.daily(use_case=NAME, window=window)
        ],
    }


def most_popular(limit: int = 10) -> list[dict[str, Any]]:
    """Courses with the most people who took, finished or looked at them lately; at most five minutes old."""
    ranked = popular_ids(bound_surface(NAME, "home"))[: 2 * limit]
    courses = items_by_id(source=Courses, item_ids=[item_id for item_id, _ in ranked])
    known = [(courses[item_id], people) for item_id, people in ranked if item_id in courses]
    return [{"course_id": one.pk, "title": one.title, "people": int(people)} for one, people in known[:limit]]


def _counts(found: Figures) -> dict[str, Any]:
    return {
        "num_lists": found.lists,
        "num_recommendations": found.shown,
        "num_clicks": found.clicks,
        "num_enrolls": found.conversions,
        "ctr": round(found.ctr, 6),
        "enroll_rate": round(found.conversion_rate, 6),
    }


def _categories(window: Window, user_id: str | None = None) -> list[dict[str, Any]]:
    found = statistics.top_categories(use_case=NAME, window=window, user_id=user_id, limit=5)
    return [{"category": name, "count": count} for name, count in found]


def _span(window: Window) -> dict[str, Any]:
    return {"since": window.since.isoformat(), "until": window.until.isoformat()}
