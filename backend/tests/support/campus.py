"""A small course platform for tests: eight courses, known people, and what they answered."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from sites.courses.models import Course, Learner
from tandem.selectors.statistics import Window
from tests.tandem.selectors.shown_log import Act, Log, One

CATEGORIES = {"programming": ("python", "go"), "music": ("guitar", "piano")}
HOME, SIMILAR = "/api/v1/recommendations/home", "/api/v1/recommendations/similar/{}"
USER_STATS, GLOBAL_STATS = "/api/v1/recommendations/stats/user/{}", "/api/v1/recommendations/stats/global"


def make_courses(editions: int = 2) -> list[Course]:
    """Each topic in so many editions; course_python_basic is the first."""
    words = ["basic", *(f"part{number}" for number in range(2, editions + 1))]
    return Course.objects.bulk_create(
        Course(
            slug=f"course_{topic}_{word}",
            title=f"{topic.title()} {word}",
            description=f"All about {topic}",
            category=category,
            level="beginner",
            skills=[topic],
            hours=8,
            created=date(2025, 1, 1),
        )
        for word in words
        for category, topics in CATEGORIES.items()
        for topic in topics
    )


def make_learner(user_id: str = "user1", account: User | None = None, **more: Any) -> Learner:
    """One learner who likes Python."""
    known = {"name": user_id.title(), "interests": ["programming"], "skills": ["python"], "level": "beginner"}
    return Learner.objects.create(id=user_id, account=account, **{**known, **more})


def answered() -> Window:
    """Write lists of yesterday and what came of them: user1 clicked two courses and took one; the window around them."""
    now = datetime.now(UTC)
    hour = (now - timedelta(days=1)).timestamp() / 3600 - datetime(2026, 3, 1, tzinfo=UTC).timestamp() / 3600
    first, second = ("course_python_basic", "course_go_basic"), ("course_guitar_basic", "course_python_part2")
    Log(
        lists=(
            One(100, "user1", first, hour=hour),
            One(101, "user1", second, hour=hour, method="popularity"),
            One(102, "user2", first, hour=hour),
        ),
        acts=(
            Act("user1", "course_python_basic", "click", 100),
            Act("user1", "course_python_basic", "enroll", 100),
            Act("user1", "course_guitar_basic", "click", 101),
            Act("user2", "course_go_basic", "click", 102),
        ),
    ).write()
    return Window.last(30, until=now)
