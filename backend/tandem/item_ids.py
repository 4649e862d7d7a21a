"""Ids of any text: an id that the service does not accept as it is, such as a path or a long slug, is replaced by its hash."""

import re
import time
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Any

from django.db.models import QuerySet

from recommendation_service.domain.ids import clean_id
from recommendation_service.errors import InvalidInput

HASHED = re.compile(r"h_[0-9a-f]{40}")
SCAN_EVERY_S = 60.0  # an id that no item has costs a scan of the catalogue at most this often

_known: dict[tuple[str, str], dict[str, str]] = {}  # model and field -> hash -> id of the site
_scanned: dict[tuple[str, str], float] = {}  # monotonic


@lru_cache(maxsize=10_000)
def public_id(raw: str) -> str:
    """Return the id itself if it is valid, else "h_" and 40 hexadecimal digits of its SHA-256."""
    try:
        valid = clean_id(raw) == raw and not HASHED.fullmatch(raw)
    except InvalidInput:
        valid = False
    return raw if valid or not raw else f"h_{sha256(raw.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"


def site_ids(rows: QuerySet[Any], field: str, ids: Iterable[str]) -> list[str]:
    """Return the site's own ids; hashes are looked up among the values of `field`, and unknown ones are left out.

    Each process remembers the hashed ids of a catalogue; it reads them again if one is unknown.
    """
    ids = list(ids)
    hashed = [each for each in ids if HASHED.fullmatch(each)]
    if not hashed:
        return ids
    key = (rows.model._meta.label, field)
    if not _known.get(key, {}).keys() >= set(hashed) and time.monotonic() - _scanned.get(key, -SCAN_EVERY_S) >= SCAN_EVERY_S:
        values = (str(value) for value in rows.order_by().values_list(field, flat=True).iterator())
        _known[key] = {public: value for value in values if (public := public_id(value)) != value}
        _scanned[key] = time.monotonic()
    known = _known.get(key, {})
    return [known.get(each, each) for each in ids if each in known or not HASHED.fullmatch(each)]


def forget_hashed() -> None:
    """Read hashed ids again at the next call; for tests."""
    _known.clear()
    _scanned.clear()
