"""The blog's declaration for Tandem."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from sites.posts.models import Bookmark, Comment, Like, Member, Post
from tandem.sources import ItemSource

SURFACE = "hybrid-recommendations"


class Posts(ItemSource):
    """Published posts of every type, read by members."""

    catalogue = "posts"
    queryset = Post.objects.published
    text = ("title", "excerpt", "body")
    category = "category"
    tags = "tags"
    created = "published_at"
    filters = ("type", "category", "tags")
    events = {"like": Like, "bookmark": Bookmark, "comment": Comment}
    profiles = (Member.objects.all(),)
    profile_fields = ("interests",)
    surfaces = {"posts.Member": SURFACE}
    page_events = ("view", "like", "bookmark", "share")
    page_first = "is_demo"

    @classmethod
    def describe(cls, person: Member) -> str:
        """Return a text such as "member, interested in python and testing"."""
        return person.describe()

    @classmethod
    def links(cls, person: Member) -> Sequence[tuple[str, str]]:
        """Return the member's own dashboard."""
        url = f"{reverse('posts:dashboard')}?{urlencode({'person': person.pk})}"
        return ((_("Insights, interests and theme") if person.is_creator else _("Interests and theme"), url),)

    @classmethod
    def card(cls, item: Post) -> dict[str, Any]:
        """Return the excerpt, type, date and page of the post."""
        facts = (item.type, f"{item.published_at:%d %B %Y}")
        return {**super().card(item), "text": item.excerpt, "facts": facts, "url": reverse("posts:read", args=[item.pk])}
