"""Statistics of the course platform, for its endpoints."""

from typing import Any

from recommendation_service.use_cases.loader import load
from recommendation_service.use_cases.schema import UseCase
from sites.courses.recommendation_sources import Courses
from tandem.selectors import statistics
from tandem.selectors.items import items_by_id
from tandem.selectors.popular import popular_ids
from tandem.selectors.statistics import Window
from tandem.surfaces import bound_surface

NAME = "courses"
MAX_CATEGORIES = 5


def use_case() -> UseCase:
    """Return the platform's use case."""
    return load(NAME)


def of_learner(user_id: str, window: Window) -> dict[str, Any]:
    """Return one learner's totals and the categories of their clicks and enrolments."""
    return {"user_id": user_id, **_period(window, user_id)}


def of_everyone(window: Window) -> dict[str, Any]:
    """Return totals, shares of the strategies, the most popular courses, and a daily series."""
    return {
        **_period(window),
        "most_popular_courses": most_popular(),
        "most_answered_courses": statistics.top_items(use_case=NAME, window=window),
        "strategy_distribution": statistics.by_method(use_case=NAME, window=window),
        "daily_stats": statistics.daily(use_case=NAME, window=window),
    }


def most_popular(limit: int = 10) -> list[dict[str, Any]]:
    """Return the courses with the most learners who recently took, completed or viewed them; at most five minutes old."""
    ranked = popular_ids(bound_surface(NAME, "home"))[: 2 * limit]
    courses = items_by_id(source=Courses, item_ids=[item_id for item_id, _ in ranked])
    rows = [(courses[item_id], people) for item_id, people in ranked if item_id in courses]
    return [{"course_id": course.pk, "title": course.title, "people": int(people)} for course, people in rows[:limit]]


def _period(window: Window, user_id: str | None = None) -> dict[str, Any]:
    categories = statistics.top_categories(use_case=NAME, window=window, user_id=user_id, limit=MAX_CATEGORIES)
    return {
        "window": window,
        "totals": statistics.totals(use_case=NAME, window=window, user_id=user_id),
        "top_categories": [{"category": name, "count": count} for name, count in categories],
    }
