"""What a member does on a post's own page: read, like, keep, take back, comment."""

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.core.exceptions import ValidationError

from recommendation_service.errors import InvalidInput
from sites.posts.discussions import clean_text
from sites.posts.engagement_counters import CATALOGUE
from sites.posts.models import Bookmark, Comment, Like, Member, Post
from tandem.services.record_interactions import record_interactions

KEPT: dict[str, type[Like] | type[Bookmark]] = {"like": Like, "bookmark": Bookmark}
MOST_COMMENTS = 1000  # under one post


def viewed(member: Member, post: Post, request_id: Any) -> None:
    """Record that a member opened a post out of a shown list; without the list's id nothing is recorded.

    A page may be loaded again or ahead of time, so the same list and post count once: the event's id is made of them.
    """
    try:
        request = UUID(str(request_id))
    except ValueError:
        return
    row = {
        "event_id": uuid5(NAMESPACE_URL, f"tandem/posts/viewed/{member.pk}/{request}/{post.pk}"),
        "user_id": str(member.pk),
        "item_id": str(post.pk),
        "event": "view",
        "catalogue": CATALOGUE,
        "request_id": str(request),
    }
    record_interactions([row], source="posts")


def did(member: Member | None, post: Post) -> set[str]:
    """Which of like and bookmark this member has given the post."""
    if member is None:
        return set()
    return {name for name, table in KEPT.items() if table.objects.filter(member=member, post=post).exists()}


def do(member: Member, post: Post, deed: str, *, body: Any = None, parent: Any = None) -> None:
    """Like or keep a post, the second time take it back; or comment. Raises InvalidInput.

    Each is a row of the site's own table, which Tandem mirrors as an interaction.
    """
    if deed == "comment":
        _comment(member, post, body, parent)
    elif deed in KEPT:
        row, made = KEPT[deed].objects.get_or_create(member=member, post=post)
        if not made:
            row.delete()
    else:
        raise InvalidInput(
            f"there is no deed '{deed[:20]}' here; use like, bookmark or comment", fields={"/deed": "is not known"}
        )


def _comment(member: Member, post: Post, body: Any, parent: Any) -> None:
    """Replies stay one level deep: a reply to a reply joins its thread."""
    text = clean_text(body)
    if post.comments.count() >= MOST_COMMENTS:
        raise InvalidInput(f"this post is full: it holds {MOST_COMMENTS} comments", fields={"/body": "no room is left"})
    first = _first_of_thread(post, parent) if parent else None
    Comment.objects.create(member=member, post=post, body=text, parent=first)


def _first_of_thread(post: Post, identity: Any) -> Comment:
    try:
        found = post.comments.select_related("parent").filter(pk=identity).first()
    except (ValidationError, ValueError):
        found = None
    if found is None:
        raise InvalidInput("the comment that you reply to is not here", fields={"/parent": "is not a comment of this post"})
    first: Comment = found.parent or found
    return first
