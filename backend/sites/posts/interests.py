"""What a member says they like: words that match categories and tags, cleaned and bounded."""

import unicodedata
from collections.abc import Iterable
from functools import partial
from typing import Any

from recommendation_service.errors import InvalidInput
from sites.posts.models import Member
from sites.posts.recommendation_sources import published

MAX_WORDS = 20
MAX_LENGTH = 40
SCANNED = 5_000  # posts looked at for words; the newest
_PUNCTUATION = frozenset(" -+#./&'")


def clean_interests(raw: Any) -> list[str]:
    """The words in small letters, each once, in their order. Raises InvalidInput naming the guilty word's place.

    A word that no post carries today is kept: it counts from the day on which one does.
    """
    if not isinstance(raw, list):
        raise _refused("/interests", "must be a list of words, such as ['python', 'testing']")
    if len(raw) > MAX_WORDS:
        raise _refused("/interests", f"holds {len(raw)} words; at most {MAX_WORDS} are kept")
    words = [_clean(word, f"/interests/{place}") for place, word in enumerate(raw)]
    return list(dict.fromkeys(words))


def set_interests(member: Member, raw: Any) -> list[str]:
    """Clean and store; the member's next list is made with them."""
    words = clean_interests(raw)
    member.interests = words
    member.save(update_fields=["interests"])
    return words


def known_words() -> list[str]:
    """Categories and tags that published posts carry, by alphabet."""
    found: set[str] = set()
    for category, tags in published().values_list("category", "tags")[:SCANNED]:
        found.update((category, *tags))
    return sorted(found)


def told(member: Member) -> dict[str, Any]:
    """What the endpoint answers: the interests, which of them match nothing yet, and the words that do."""
    known = known_words()
    return {
        "user_id": str(member.pk),
        "interests": member.interests,
        "unmatched": [word for word in member.interests if word not in known],
        "known": known,
    }


def split(text: str) -> list[str]:
    """What somebody typed into one line, by commas."""
    return [word for word in (part.strip() for part in text.split(",")) if word]


def _clean(raw: Any, pointer: str) -> str:
    refused = partial(_refused, pointer)
    if not isinstance(raw, str):
        raise refused("must be text")
    word = " ".join(unicodedata.normalize("NFC", raw).split()).casefold()
    if not 1 <= len(word) <= MAX_LENGTH:
        raise refused(f"must have 1 to {MAX_LENGTH} characters")
    if not _is_plain(word):
        raise refused("may hold letters, digits, spaces and - + # . / & '")
    return word


def _is_plain(letters: Iterable[str]) -> bool:
    return all(letter.isalnum() or letter in _PUNCTUATION for letter in letters)


def _refused(pointer: str, reason: str) -> InvalidInput:
    return InvalidInput(f"{pointer[1:]} {reason}", fields={pointer: reason})
