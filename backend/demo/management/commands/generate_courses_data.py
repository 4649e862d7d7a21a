"""Fills the course platform with seeded courses, learners, 150 days of events and the lists they answered."""

from django.db import router

from demo.synthetic.command import SeedCommand, Seeded, Sizes
from demo.synthetic.courses.history import MIN_ITEMS, MIN_USERS, make_campus, tried_first
from sites.courses.models import Completion, Course, Enrolment, Learner


class Command(SeedCommand):
    """Thin: `demo.synthetic.courses.history` invents."""

    help = "Fill the course platform with seeded courses, learners, events and shown lists; same seed, same platform."
    catalogue = "courses"
    what = "courses"
    default_users, default_items = 1000, 400
    least_users, least_items = MIN_USERS, MIN_ITEMS
    events_each = 25

    def invent(self, sizes: Sizes) -> Seeded:
        """Courses, learners, and what was shown and done."""
        campus = make_campus(seed=sizes.seed, users=sizes.users, items=sizes.items, events=sizes.events, until=sizes.until)
        return Seeded(
            rows=(campus.shelf.courses, campus.learners, campus.enrolments, campus.completions),
            events=campus.events,
            lists=campus.lists,
            people=tried_first(campus),
            counted=campus.counted,
            summary={"courses": len(campus.shelf.courses), "learners": len(campus.learners)},
        )

    def wipe(self) -> None:
        """Every table, without a signal a row: what they mirrored is forgotten already."""
        for model in (Completion, Enrolment, Course, Learner):
            rows = model._default_manager.all()
            rows._raw_delete(router.db_for_write(model))  # past its signals, which would look for a mirror a row

    def is_filled(self) -> bool:
        """Whether there are courses."""
        return Course.objects.exists()
