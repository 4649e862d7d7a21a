"""What the blog declares to Tandem."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from sites.posts.models import Bookmark, Comment, Like, Member, Post
from tandem.sources import ItemSource


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
    def links(cls, person: Member) -> Sequence[tuple[str, str]]:
        """The member's own dashboard."""
        address = f"{reverse('posts:dashboard')}?{urlencode({'person': person.pk})}"
        return (("Insights, interests and looks" if person.is_creator else "Interests and looks", address),)

    @classmethod
    def card(cls, item: Post) -> dict[str, Any]:
        """The excerpt, what kind of post it is, from when, and where it can be read."""
        facts = (item.type, f"{item.published_at:%d %B %Y}")
        return {**super().card(item), "text": item.excerpt, "facts": facts, "url": reverse("posts:read", args=[item.pk])}
