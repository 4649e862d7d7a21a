"""Ids and keys: how an id that is sent is spelled, and which key of the site's tables an id stands for."""

import re
import time
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import CharField, IntegerField, Model, QuerySet, TextField

from recommendation_service.domain.ids import HASHED, public_id

SCAN_EVERY_S = 60.0  # an id that no item has costs a scan of the catalogue at most this often
WHOLE = re.compile(r"(\d+)\.0+")  # a whole number that was a float on its way, such as in pandas

_known: dict[tuple[str, str, str], dict[str, str]] = {}  # model, field and prefix -> id -> key of the site
_scanned: dict[tuple[str, str, str], float] = {}  # monotonic


def site_ids(rows: QuerySet[Any], field: str, ids: Iterable[str], *, prefix: str = "") -> list[str]:
    """Return the site's keys of these ids as text; ids that can be nobody's are left out.

    Hashes, and text with several Unicode forms, are looked up among the values of `field`, if it is a text column. Each
    process remembers them; it reads them again if one is unknown. `prefix` is what ids have before the key.
    """
    keys: list[str] = []
    searched = [each for each in ids if not _append_forms(each, prefix, keys)]
    if not searched or not _is_text(column_of(rows.model, field)):
        return keys
    name = (rows.model._meta.label, field, prefix)
    if (
        not _known.get(name, {}).keys() >= set(searched)
        and time.monotonic() - _scanned.get(name, -SCAN_EVERY_S) >= SCAN_EVERY_S
    ):
        values = (str(value) for value in rows.order_by().values_list(field, flat=True).iterator())
        _known[name] = {public: value for value in values if (public := public_id(prefix + value)) != prefix + value}
        _scanned[name] = time.monotonic()
    known = _known.get(name, {})
    return [*keys, *(known[each] for each in searched if each in known)]


def forget_hashed() -> None:
    """Read hashed ids again at the next call; for tests."""
    _known.clear()
    _scanned.clear()


def is_hashed(public: str) -> bool:
    """True if the id is the hash of a longer key."""
    return HASHED.fullmatch(public) is not None


def column_of(model: type[Model], field: str) -> Any:
    """Return the column that holds the keys; of a foreign key, the column that it points at. None if there is no such field."""
    try:
        column: Any = model._meta.pk if field == "pk" else model._meta.get_field(field)
    except FieldDoesNotExist:
        return None
    while getattr(column, "remote_field", None) is not None and hasattr(column, "target_field"):
        column = column.target_field
    return column


@lru_cache(maxsize=10_000)
def typed_key(column: Any, text: str) -> str | None:
    """Return the key as the column spells it: a UUID in lower case with hyphens, a number without zeros before it.

    None if the column cannot hold it.
    """
    try:
        if isinstance(column, IntegerField):
            number = WHOLE.fullmatch(text.strip())
            value = column.to_python(number[1] if number else text)
            column.run_validators(value)  # a number out of range: OverflowError on SQLite, DataError on PostgreSQL
        else:
            value = column.to_python(text)
    except (ValidationError, ValueError, TypeError, AttributeError):
        return None
    return str(value)


def typed_text(column: Any, raw: str) -> str:
    """Return the text of a key as the site's column spells it; text that the column cannot hold stays."""
    text = raw.strip()
    if column is None or _is_text(column) or HASHED.fullmatch(text):
        return text
    return typed_key(column, text) or text


def column_values(field: Any, ids: Iterable[str]) -> dict[str, Any]:
    """Return the ids as values of a model field, by id, without those that its column cannot hold."""
    values = {}
    for each in ids:
        with suppress(ValidationError, ValueError, TypeError):
            value = field.to_python(each)
            if isinstance(field, IntegerField):
                field.run_validators(value)  # a number out of range: OverflowError on SQLite, DataError on PostgreSQL
            values[each] = value
    return values


def _append_forms(public: str, prefix: str, keys: list[str]) -> bool:
    """Append the keys that may have this id; False if the keys of the table must be searched."""
    if HASHED.fullmatch(public):
        return False
    if not public.startswith(prefix):
        return True
    key = public.removeprefix(prefix)
    decomposed = unicodedata.normalize("NFD", key)
    keys += dict.fromkeys((key, decomposed))
    return len(decomposed) - len(key) < 2  # with more, parts of the key may be decomposed


def _is_text(column: Any) -> bool:
    return isinstance(column, CharField | TextField)
