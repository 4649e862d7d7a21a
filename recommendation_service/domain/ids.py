"""External ids: which ids every endpoint, file and model of Tandem accepts."""

import re
import unicodedata
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from recommendation_service.errors import InvalidInput

MAX_ID_LENGTH = 64
MAX_KEY_LENGTH = 255
HASHED = re.compile(r"h_[0-9a-f]{40}")
NOTHING = frozenset(("", "nan", "na", "n/a", "null", "none", "nat", "\\n", "undefined"))  # in lower case
_UNWRITTEN = frozenset(("Cc", "Cs", "Cn"))  # control characters, half a pair of UTF-16, unassigned
# U+FFFD is what a failed decoding leaves; the others set the direction of text.
_NEVER = frozenset("\ufffd\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_PUNCTUATION = frozenset("-_.:@+=~")
_PLAIN = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9\-_.:@+=~]{{0,{MAX_ID_LENGTH - 1}}}")  # most ids; a request may have thousands


def clean_id(raw: str, *, field: str = "id") -> str:
    """Return the id in Unicode NFC. Raises InvalidInput, which names `field`.

    Allowed are 1 to 64 letters, digits and `- _ . : @ + = ~`; the first character is a letter, a digit or `_`. Control and
    direction characters, quotes, slashes and emoji are refused, so that an id is safe in file names and log lines.
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
        raise _refused(field, f"contains the character U+{ord(bad):04X}; letters, digits and -_.:@+=~ are allowed")
    return text


def is_nothing(text: str) -> bool:
    """True if the text is blank or a word for no value, such as NULL or NaN."""
    return text.strip().casefold() in NOTHING


@lru_cache(maxsize=10_000)
def public_id(key: str) -> str:
    """Return the id of a key of the site: the key in Unicode NFC, or "h_" and 40 hexadecimal digits of its SHA-256.

    A key is hashed if it is no valid id, such as a path, if it is a word for no value, and if it looks like a hash. All
    Unicode forms of a key have one id.
    """
    text = unicodedata.normalize("NFC", key)
    try:
        valid = clean_id(text) == text and not HASHED.fullmatch(text) and not is_nothing(text)
    except InvalidInput:
        valid = False
    return text if valid or not text else f"h_{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"


def spelled_id(raw: str, *, field: str = "id") -> str:
    """Return the id that a caller, a file or a command names by the key of the site or by the id, whatever spaces are around.

    Raises InvalidInput, which names `field`, for blank text, words for no value, more than 255 characters, and control and
    direction characters.
    """
    if _PLAIN.fullmatch(raw) and raw.lower() not in NOTHING:
        return raw
    text = raw.strip()
    if is_nothing(text):
        raise _refused(field, f"is '{text}', which names nobody" if text else "is empty")
    if len(text) > MAX_KEY_LENGTH:
        raise _refused(field, f"has {len(text)} characters; at most {MAX_KEY_LENGTH} are allowed")
    bad = next((letter for letter in text if unicodedata.category(letter) in _UNWRITTEN or letter in _NEVER), None)
    if bad is not None:
        raise _refused(field, f"contains the character U+{ord(bad):04X}, which no key has")
    return text if HASHED.fullmatch(text) else public_id(text)


def _refused(field: str, reason: str) -> InvalidInput:
    message = f"{field} {reason}"
    return InvalidInput(message, fields={f"/{field}": reason})


def _cleaned(raw: Any) -> Any:
    if not isinstance(raw, str):
        return raw
    try:
        return spelled_id(raw)
    except InvalidInput as error:
        raise ValueError(error.message.removeprefix("id ")) from error


ExternalId = Annotated[str, BeforeValidator(_cleaned), Field(strict=True, min_length=1, max_length=MAX_ID_LENGTH)]
EventName = Annotated[str, Field(strict=True, pattern=r"^[a-z][a-z0-9_]{0,39}$")]
