"""Actions of members: read, like, bookmark and comment posts, set interests, and discuss insights."""

import unicodedata
from functools import partial
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from recommendation_service.errors import InvalidInput
from sites.posts.engagement_counters import CATALOGUE
from sites.posts.insight_texts import insights_of
from sites.posts.insights import report_of
from sites.posts.models import Bookmark, Comment, Discussion, Like, Member, Note, Post
from tandem.event_sync.mirror import mirror_of
from tandem.services.clicks import link_with_list
from tandem.services.record_interactions import record_interactions
from tandem.sources import source_of

TOGGLES: dict[str, type[Like] | type[Bookmark]] = {"like": Like, "bookmark": Bookmark}
MAX_TEXT_LENGTH = 2000
MAX_COMMENTS = 1000  # of one post
MAX_NOTES = 500  # of one discussion
MAX_INTERESTS = 20
MAX_INTEREST_LENGTH = 40
_PUNCTUATION = frozenset(" -+#./&'")


def record_view(member: Member, post: Post, request_id: Any) -> None:
    """Record that a member opened a post from a shown list; without the list's id nothing is recorded.

    The event id depends on member, list and post only: a page that is loaded again, or in advance, counts once.
    """
    try:
        list_id = UUID(str(request_id))
    except ValueError:
        return
    row = {
        "event_id": uuid5(NAMESPACE_URL, f"tandem/posts/viewed/{member.pk}/{list_id}/{post.pk}"),
        "user_id": str(member.pk),
        "item_id": str(post.pk),
        "event": "view",
        "catalogue": CATALOGUE,
        "request_id": str(list_id),
    }
    record_interactions([row], source="posts")


def toggles_of(member: Member | None, post: Post) -> set[str]:
    """Return which of like and bookmark this member has set on the post."""
    if member is None:
        return set()
    return {name for name, table in TOGGLES.items() if table.objects.filter(member=member, post=post).exists()}


def act_on_post(
    member: Member, post: Post, action: str, *, body: Any = None, parent: Any = None, request_id: Any = None
) -> None:
    """Like or bookmark a post, or remove the like or bookmark if it is set; or comment. Raises InvalidInput.

    Each action is a row of the site's own table, which Tandem syncs as an interaction; `request_id` is the list that led here.
    """
    if action == "comment":
        _link(action, _comment(member, post, body, parent), request_id)
    elif action in TOGGLES:
        row, created = TOGGLES[action].objects.get_or_create(member=member, post=post)
        if created:
            _link(action, row, request_id)
        else:
            row.delete()
    else:
        raise InvalidInput(
            f"there is no action '{action[:20]}' here; use like, bookmark or comment", fields={"/action": "is unknown"}
        )


def _link(event: str, row: Any, request_id: Any) -> None:
    """Let the row's interaction answer the list, after it is mirrored."""
    source = source_of(CATALOGUE)
    try:
        list_id = UUID(str(request_id))
    except ValueError:
        return
    if source is not None:
        transaction.on_commit(partial(link_with_list, mirror_of(source, event).event_id(row.pk), list_id))


def _comment(member: Member, post: Post, body: Any, parent: Any) -> Comment:
    """Add a comment. Replies are one level deep: a reply to a reply joins its thread."""
    text = clean_text(body)
    if post.comments.count() >= MAX_COMMENTS:
        raise InvalidInput(f"this post is full: it has {MAX_COMMENTS} comments", fields={"/body": "the post is full"})
    first = _thread_start(post, parent) if parent else None
    return Comment.objects.create(member=member, post=post, body=text, parent=first)


def _thread_start(post: Post, key: Any) -> Comment:
    try:
        comment = post.comments.select_related("parent").filter(pk=key).first()
    except (ValidationError, ValueError):
        comment = None
    if comment is None:
        raise InvalidInput("the comment to reply to does not exist", fields={"/parent": "is not a comment of this post"})
    first: Comment = comment.parent or comment
    return first


def clean_text(raw: Any) -> str:
    """Return a member's text without characters that cannot be stored or seen. Raises InvalidInput."""
    text = unicodedata.normalize("NFC", raw) if isinstance(raw, str) else ""
    body = "".join(letter for letter in text if letter in "\n\t" or letter.isprintable()).strip()
    if not 1 <= len(body) <= MAX_TEXT_LENGTH:
        reason = f"must have 1 to {MAX_TEXT_LENGTH} characters"
        raise InvalidInput(f"the text {reason}", fields={"/body": reason})
    return body


def clean_interests(raw: Any) -> list[str]:
    """Return the interests in lower case, each once, in their order. Raises InvalidInput that names the wrong one.

    An interest that no post has today is kept: it matches as soon as a post has it.
    """
    if not isinstance(raw, list):
        raise _invalid("/interests", "must be a list of texts, such as ['python', 'testing']")
    if len(raw) > MAX_INTERESTS:
        raise _invalid("/interests", f"has {len(raw)} entries; at most {MAX_INTERESTS} are allowed")
    return list(dict.fromkeys(_clean_interest(text, f"/interests/{index}") for index, text in enumerate(raw)))


def set_interests(member: Member, interests: list[str]) -> None:
    """Store cleaned interests; the member's next list uses them."""
    member.interests = interests
    member.save(update_fields=["interests"])


def _clean_interest(raw: Any, pointer: str) -> str:
    invalid = partial(_invalid, pointer)
    if not isinstance(raw, str):
        raise invalid("must be text")
    text = " ".join(unicodedata.normalize("NFC", raw).split()).casefold()
    if not 1 <= len(text) <= MAX_INTEREST_LENGTH:
        raise invalid(f"must have 1 to {MAX_INTEREST_LENGTH} characters")
    if not all(letter.isalnum() or letter in _PUNCTUATION for letter in text):
        raise invalid("may hold letters, digits, spaces and - + # . / & '")
    return text


def _invalid(pointer: str, reason: str) -> InvalidInput:
    return InvalidInput(f"{pointer[1:]} {reason}", fields={pointer: reason})


def open_discussion(creator: Member, insight: str, *, weeks: int) -> Discussion:
    """Return today's discussion of this insight, with its text and numbers; open it if there is none.

    Raises InvalidInput if the creator's report has no such insight.
    """
    today = timezone.now().date()
    existing = Discussion.objects.filter(creator=creator, insight=insight, day=today).first()
    if existing is not None:
        return existing
    insights = {entry.slug: entry for entry in insights_of(report_of(creator, weeks=weeks))}
    if insight not in insights:
        reason = f"must be one of {', '.join(insights)}"
        raise InvalidInput(f"insight {reason}", fields={"/insight": reason})
    defaults = {"sentence": insights[insight].sentence[:400], "numbers": insights[insight].numbers}
    return Discussion.objects.get_or_create(creator=creator, insight=insight, day=today, defaults=defaults)[0]


def add_note(discussion: Discussion, raw: Any, *, account: Any, written_by: str) -> Note:
    """Add a remark. Raises InvalidInput if it is empty or too long, or if the discussion is full."""
    body = clean_text(raw)
    if discussion.notes.count() >= MAX_NOTES:
        raise InvalidInput(f"this discussion is full: it has {MAX_NOTES} remarks", fields={"/body": "the discussion is full"})
    account = None if isinstance(account, AnonymousUser) or not getattr(account, "pk", None) else account
    return Note.objects.create(discussion=discussion, body=body, account=account, written_by=written_by[:150])
