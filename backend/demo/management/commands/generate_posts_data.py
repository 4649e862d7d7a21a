"""Fills the blog with seeded members, posts, comments and seventy days of events."""

from typing import Any

from django.core.management.color import no_style
from django.db import connections, router

from demo.synthetic.command import SeedCommand, Seeded, Sizes
from demo.synthetic.posts.history import MIN_ITEMS, MIN_USERS, TABLES, make_past
from sites.posts.models import Discussion, Member, Post


class Command(SeedCommand):
    """Thin: `demo.synthetic.posts.history` invents."""

    help = "Fill the blog with seeded members, posts and events; the same seed and --until give the same."
    catalogue = "posts"
    what = "posts"
    default_users, default_items = 900, 1200
    least_users, least_items = MIN_USERS, MIN_ITEMS

    def invent(self, sizes: Sizes) -> Seeded:
        """A blog, and what people did there."""
        past = make_past(seed=sizes.seed, users=sizes.users, items=sizes.items, events=sizes.events, until=sizes.until)
        shown = zip(past.members, past.counted, strict=True)
        creators = sum(member.is_creator for member in past.members)
        return Seeded(
            rows=(past.members, past.library.posts, *past.deeds.values()),
            events=past.events,
            lists=past.lists,
            people=[(str(who.pk), counted, f"{who.name}, {who.describe()}") for who, counted in shown if who.is_demo],
            counted=past.counted,
            summary={"posts": len(past.library.posts), "members": len(past.members), "of them creators": creators},
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill, and let the next new post have the next number."""
        super().handle(*args, **options)
        connection = connections[router.db_for_write(Post)]
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), [Post]):
                cursor.execute(statement)

    def wipe(self) -> None:
        """Posts, members, and what hangs on them."""
        connection = connections[router.db_for_write(Post)]
        with connection.cursor() as cursor:
            for table in (model._meta.db_table for model in TABLES.values()):
                # in SQL: their mirrors are forgotten already, and would be looked for row by row
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")  # noqa: S608 - our own tables
        for model in (Discussion, Post, Member):
            model.objects.all().delete()

    def is_filled(self) -> bool:
        """Whether there are posts."""
        return Post.objects.exists()
