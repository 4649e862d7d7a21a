"""External ids: which ids every endpoint, file and model of Tandem accepts."""

import unicodedata
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from recommendation_service.errors import InvalidInput

MAX_ID_LENGTH = 64
_PUNCTUATION = frozenset("-_.:@+=~")


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


def _refused(field: str, reason: str) -> InvalidInput:
    message = f"{field} {reason}"
    return InvalidInput(message, fields={f"/{field}": reason})


def _cleaned(raw: Any) -> Any:
    if not isinstance(raw, str):
        return raw
    try:
        return clean_id(raw)
    except InvalidInput as error:
        raise ValueError(error.message.removeprefix("id ")) from error


ExternalId = Annotated[str, BeforeValidator(_cleaned), Field(strict=True, min_length=1, max_length=MAX_ID_LENGTH)]
EventName = Annotated[str, Field(strict=True, pattern=r"^[a-z][a-z0-9_]{0,39}$")]
