"""Fill the blog with synthetic members, posts, comments and seventy days of events."""

from demo.synthetic.command import SeedCommand
from demo.synthetic.posts.history import make_history


class Command(SeedCommand):
    """Fill the blog; `demo.synthetic.posts` makes the data."""

    help = "Fill the blog with synthetic members, posts and events; the same seed and --until give the same."
    catalogue = items_name = "posts"
    default_users, default_items = 900, 1200
    make_history = staticmethod(make_history)
