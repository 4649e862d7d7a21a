"""Counters of each post: views, likes, comments and bookmarks, counted from the interactions and stored on the post.

They are for display and sorting only, so a counter may be late by one. Each recount starts from the interactions.
"""

from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.db.models.signals import post_delete, post_save

from sites.posts.models import Bookmark, Comment, Like, Member, Post
from tandem import cache
from tandem.models import UserInteraction
from tandem.selectors.quarantined import counted
from tandem.signals import interaction_recorded

CATALOGUE = "posts"
COUNTED = {"view": "view_count", "like": "like_count", "comment": "comment_count", "bookmark": "bookmark_count"}
NEWEST = 20  # a member's newest interactions, whose posts are counted again after each event


def recount(post_ids: Iterable[int]) -> int:
    """Count these posts again; return how many of them exist."""
    wanted = list(post_ids)
    counts = _counts([str(key) for key in wanted])
    posts = list(Post.objects.filter(pk__in=wanted).only("pk"))
    for post in posts:
        for event, field in COUNTED.items():
            setattr(post, field, counts[str(post.pk), event])
    Post.objects.bulk_update(posts, COUNTED.values(), batch_size=200)
    return len(posts)


def connect() -> None:
    """Connect to interactions, to deleted rows of the event tables, and to members who change their interests."""
    interaction_recorded.connect(_recorded, dispatch_uid="posts.engagement.recorded")
    for model in (Like, Bookmark, Comment):
        post_delete.connect(_deleted, sender=model, dispatch_uid=f"posts.engagement.{model.__name__}")
    post_save.connect(_member_changed, sender=Member, dispatch_uid="posts.engagement.member")


def _counts(item_ids: list[str]) -> Counter[tuple[str, str]]:
    events = UserInteraction.objects.filter(catalogue__name=CATALOGUE, item__item_id__in=item_ids, kind__name__in=COUNTED)
    rows = counted(events).values_list("item__item_id", "kind__name").annotate(times=Count("pk")).order_by()
    return Counter({(item_id, event): times for item_id, event, times in rows})


def _recorded(sender: Any, *, user_id: str, catalogue: str, **_kwargs: Any) -> None:
    if catalogue != CATALOGUE:
        return
    newest = UserInteraction.objects.filter(user__user_id=user_id, catalogue__name=CATALOGUE).order_by("-id")
    recount({int(item_id) for item_id in newest.values_list("item__item_id", flat=True)[:NEWEST] if item_id.isdecimal()})


def _deleted(instance: Like | Bookmark | Comment, **_kwargs: Any) -> None:
    transaction.on_commit(partial(recount, [instance.post_id]))


def _member_changed(instance: Member, **_kwargs: Any) -> None:
    """Drop the member's cached lists: they were made with the old interests."""
    transaction.on_commit(partial(cache.forget, str(instance.pk)))
