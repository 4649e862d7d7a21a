"""Fill the course platform with synthetic courses, learners, 150 days of events, and the lists that were shown."""

from demo.synthetic.command import SeedCommand
from demo.synthetic.courses import history
from sites.courses.models import Completion, Course, Enrolment, Learner


class Command(SeedCommand):
    """Fill the course platform; `demo.synthetic.courses` makes the data."""

    help = "Fill the course platform with synthetic courses, learners, events and shown lists; same seed, same platform."
    catalogue = items_name = "courses"
    tables = (Completion, Enrolment, Learner, Course)
    item_model = Course
    default_users, default_items = 1000, 400
    min_users, min_items = history.MIN_USERS, history.MIN_ITEMS
    events_per_user = 25
    make_history = staticmethod(history.make_history)
