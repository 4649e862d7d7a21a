"""Fill the blog with synthetic members, posts, comments and seventy days of events."""

from typing import Any

from django.core.management.color import no_style
from django.db import connections, router

from demo.synthetic.command import SeedCommand
from demo.synthetic.posts import history
from sites.posts.models import Bookmark, Comment, Discussion, Like, Member, Note, Post


class Command(SeedCommand):
    """Fill the blog; `demo.synthetic.posts` makes the data."""

    help = "Fill the blog with synthetic members, posts and events; the same seed and --until give the same."
    catalogue = items_name = "posts"
    tables = (Like, Bookmark, Comment, Note, Discussion, Post, Member)
    item_model = Post
    default_users, default_items = 900, 1200
    min_users, min_items = history.MIN_USERS, history.MIN_ITEMS
    make_history = staticmethod(history.make_history)

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill the blog, then move the sequence of post ids behind the ids that were written."""
        super().handle(*args, **options)
        connection = connections[router.db_for_write(Post)]
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), [Post]):
                cursor.execute(statement)
