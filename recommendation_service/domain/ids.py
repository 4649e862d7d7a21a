"""Which outside ids are allowed, decided once for every door."""

import unicodedata

from recommendation_service.errors import InvalidInput

MAX_ID_LENGTH = 64
_PUNCTUATION = frozenset("-_.:@+=~")


def clean_id(raw: str, *, field: str = "id") -> str:
    """The id in Unicode NFC, or InvalidInput naming `field`.

    Allowed: 1 to 64 letters, digits or `- _ . : @ + = ~`, beginning with a letter, a digit or `_`. That leaves out
    control and direction characters, quotes, slashes and emoji, so an id can safely be a file name or a log word.
    """
    text = unicodedata.normalize("NFC", raw)
    if not text:
        raise _refused(field, "is empty")
    if len(text) > MAX_ID_LENGTH:
        raise _refused(field, f"has {len(text)} characters; at most {MAX_ID_LENGTH} are allowed")
    if not (text[0].isalnum() or text[0] == "_"):
        raise _refused(field, "must begin with a letter, a digit or '_'")
    bad = next((letter for letter in text if not (letter.isalnum() or letter in _PUNCTUATION)), None)
    if bad is not None:
        raise _refused(field, f"holds the character U+{ord(bad):04X}; letters, digits and -_.:@+=~ are allowed")
    return text


def _refused(field: str, reason: str) -> InvalidInput:
    message = f"{field} {reason}"
    return InvalidInput(message, fields={f"/{field}": reason})
