"""Talks about insights: opened from one, kept with its sentence and numbers, written in by the creator and by staff."""

import unicodedata
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.utils import timezone

from recommendation_service.errors import InvalidInput
from sites.posts.insight_texts import insights_of
from sites.posts.insights import report_of
from sites.posts.models import Discussion, Member, Note

LONGEST = 2000
MOST_NOTES = 500  # a talk that is longer than this wants another place


def open_discussion(creator: Member, insight: str, *, weeks: int) -> Discussion:
    """Today's talk about this insight, with what it says now; the same one when it was opened before.

    Raises InvalidInput where the creator's report says no such thing.
    """
    today = timezone.now().date()
    known = Discussion.objects.filter(creator=creator, insight=insight, day=today).first()
    if known is not None:
        return known
    said = {one.slug: one for one in insights_of(report_of(creator, weeks=weeks))}
    if insight not in said:
        told = f"must be one of {', '.join(said)}"
        raise InvalidInput(f"insight {told}", fields={"/insight": told})
    words = {"sentence": said[insight].sentence[:400], "numbers": said[insight].numbers}
    return Discussion.objects.get_or_create(creator=creator, insight=insight, day=today, defaults=words)[0]


def add_note(discussion: Discussion, raw: Any, *, account: Any, written_by: str) -> Note:
    """One more remark. Raises InvalidInput when it is empty, too long, or the talk is full."""
    body = clean_text(raw)
    if discussion.notes.count() >= MOST_NOTES:
        raise InvalidInput(f"this discussion is full: it holds {MOST_NOTES} remarks", fields={"/body": "no room is left"})
    account = None if isinstance(account, AnonymousUser) or not getattr(account, "pk", None) else account
    return Note.objects.create(discussion=discussion, body=body, account=account, written_by=written_by[:150])


def clean_text(raw: Any) -> str:
    """What somebody wrote, without what cannot be stored or seen. Raises InvalidInput."""
    text = raw if isinstance(raw, str) else ""
    kept = "".join(letter for letter in unicodedata.normalize("NFC", text) if letter in "\n\t" or letter.isprintable())
    body = kept.strip()
    if not 1 <= len(body) <= LONGEST:
        told = f"must have 1 to {LONGEST} characters"
        raise InvalidInput(f"the text {told}", fields={"/body": told})
    return body


def discussion_or_404(identity: Any) -> Discussion:
    """The talk of that id."""
    found = Discussion.objects.select_related("creator").filter(pk=identity).first()
    if found is None:
        raise Http404("there is nothing here, or it is not yours to see")
    return found
