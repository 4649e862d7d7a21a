"""The course platform's declaration for Tandem."""

from typing import Any

from sites.courses.models import Completion, Course, Enrolment, Learner
from tandem.sources import ItemSource


class Courses(ItemSource):
    """Published courses, for learners."""

    catalogue = "courses"
    queryset = Course.objects.filter(is_published=True)
    text = ("title", "description")
    category = "category"
    tags = "skills"
    created = "created"
    filters = ("category", "level", "skills")
    events = {"enroll": Enrolment, "complete": Completion}
    profiles = (Learner.objects.all(),)
    profile_fields = ("interests", "skills", "level")
    page_events = ("click", "enroll")
    page_first = "is_demo"

    @classmethod
    def describe(cls, person: Learner) -> str:
        """Return a text such as "beginner, likes python courses, wants to change careers"."""
        return person.describe()

    @classmethod
    def card(cls, item: Course) -> dict[str, Any]:
        """Return the description, the level and the hours."""
        return {**super().card(item), "text": item.description, "facts": (item.level, f"{item.hours} hours")}
