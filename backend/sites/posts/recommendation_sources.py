"""What the blog declares to Tandem."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from recommendations.sources import ItemSource
from sites.posts.models import Bookmark, Comment, Like, Member, Post


def published() -> QuerySet[Post]:
    """Posts that are out now; a planned one appears when its time comes."""
    return Post.objects.filter(is_published=True, published_at__lte=timezone.now())


class Posts(ItemSource):
    """Published posts of every type, read by members."""

    catalogue = "posts"
    queryset = published
    text = ("title", "excerpt", "body")
    category = "category"
    tags = "tags"
    created = "published_at"
    filters = ("type", "category", "tags")
    events = {"like": Like, "bookmark": Bookmark, "comment": Comment}
    profiles = (Member.objects.all(),)
    profile_fields = ("interests",)
    surfaces = {"posts.Member": "hybrid-recommendations"}
    page_events = ("view", "like", "bookmark", "share")
    page_first = "is_demo"

    @classmethod
    def describe(cls, person: Member) -> str:
        """Such as "member, interested in python and testing"."""
        return person.describe()

    @classmethod
    def card(cls, item: Post) -> dict[str, Any]:
        """The excerpt, what kind of post it is, and from when."""
        return {**super().card(item), "text": item.excerpt, "facts": (item.type, f"{item.published_at:%d %B %Y}")}
