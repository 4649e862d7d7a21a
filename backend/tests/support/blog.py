"""A small blog for tests: who wrote, read and was shown what is known without running the code."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from sites.posts.models import Member, Post, PostType
from tandem.models import Impression
from tandem.services.impressions import record_impression
from tandem.services.record_interactions import record_interactions
from tandem.surfaces import bound_surface
from tests.support.faults import Behaviour, answer_for, good

CATEGORIES = ("python", "travel", "cooking")
SURFACE = {"use_case": "posts", "surface": "hybrid-recommendations"}


def make_member(name: str, **more: Any) -> Member:
    """One member; `account=True` makes them an account of their name."""
    if more.get("account") is True:
        more["account"] = User.objects.create_user(name.lower())
    return Member.objects.create(name=name, **more)


def make_posts(count: int, author: Member, *, days_old: float = 10.0, first: int = 0) -> list[Post]:
    """Posts with types and categories in turn; each is a day older than the one before it."""
    kinds = PostType.values
    return [
        Post.objects.create(
            type=kinds[place % len(kinds)],
            title=f"Post {place:03}",
            excerpt=f"About {CATEGORIES[place % 3]}",
            body="Words.",
            image="posts/python.svg" if place % 2 == 0 else "",
            category=CATEGORIES[place % 3],
            tags=["testing", "typing"] if place % 3 == 0 else ["maps"],
            author=author,
            published_at=datetime.now(UTC) - timedelta(days=days_old + place),
        )
        for place in range(first, first + count)
    ]


def did(member: Member | str, post: Post, event: str, *, days_ago: float = 1.0, request_id: Any = None) -> None:
    """Record one event through the front door."""
    row: dict[str, Any] = {
        "user_id": str(getattr(member, "pk", member)),
        "item_id": str(post.pk),
        "event": event,
        "catalogue": "posts",
        "time": datetime.now(UTC) - timedelta(days=days_ago),
    }
    if request_id is not None:
        row["request_id"] = str(request_id)
    (result,) = record_interactions([row], source="test")
    assert result.status == "accepted", result


def was_shown(member: Member, posts: list[Post], *, days_ago: float = 1.0) -> uuid.UUID:
    """Record a list that the member was shown, and give its id."""
    request = uuid.uuid4()
    answer = answer_for(
        {"user_id": str(member.pk), "request_id": str(request), "limit": 100},
        [str(post.pk) for post in posts], method_used="hybrid", **SURFACE,
    )  # fmt: skip
    assert record_impression(bound=bound_surface("posts", "hybrid-recommendations"), answer=answer)
    moment = datetime.now(UTC) - timedelta(days=days_ago)
    Impression.objects.filter(pk=request).update(time=moment)
    return request


def serves_posts(posts: list[Post], **changes: Any) -> Behaviour:
    """A service whose hybrid recommends these posts."""
    return good([str(post.pk) for post in posts], **{"method_used": "hybrid", **SURFACE, **changes})
