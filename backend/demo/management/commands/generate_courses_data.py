"""Fill the course platform with synthetic courses, learners, 150 days of events, and the lists that were shown."""

from demo.synthetic.command import SeedCommand
from demo.synthetic.courses.history import make_history


class Command(SeedCommand):
    """Fill the course platform; `demo.synthetic.courses` makes the data."""

    help = "Fill the course platform with synthetic courses, learners, events and shown lists; same seed, same platform."
    catalogue = items_name = "courses"
    default_users, default_items = 1000, 400
    events_per_user = 25
    make_history = staticmethod(make_history)
