"""What the course platform declares to Tandem."""

from typing import Any

from sites.courses.models import Completion, Course, Enrolment, Learner
from tandem.sources import ItemSource


class Courses(ItemSource):
    """Published courses, and the people who take them."""

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
    page_events = ("view", "enroll")
    page_first = "is_demo"

    @classmethod
    def describe(cls, person: Learner) -> str:
        """Such as "beginner, likes python courses, wants to change careers"."""
        return person.describe()

    @classmethod
    def card(cls, item: Course) -> dict[str, Any]:
        """What is taught, for whom, and how long it takes."""
        return {**super().card(item), "text": item.description, "facts": (item.level, f"{item.hours} hours")}
