"""Ids of clients and cleaners. Both are numbered from 1, so the user id that Tandem knows has a prefix."""

from collections.abc import Mapping
from typing import TypeVar

from django.db.models import Model, QuerySet

CLIENT, CLEANER = "client-", "cleaner-"
PREFIXES: Mapping[str, str] = {"cleaning.Client": CLIENT, "cleaning.Cleaner": CLEANER}
MAX_DIGITS = 18  # every database stores such a number

M = TypeVar("M", bound=Model)


def of_client(key: int | str) -> str:
    """Return the user id of a client, such as "client-5"."""
    return f"{CLIENT}{key}"


def of_cleaner(key: int | str) -> str:
    """Return the user id of a cleaner, such as "cleaner-5"."""
    return f"{CLEANER}{key}"


def parse_pk(text: str) -> int | None:
    """Return the primary key that a text of a URL names; None for anything but up to 18 ASCII digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else None


def row_by_pk(rows: QuerySet[M], text: str) -> M | None:
    """Return the row whose primary key a text of a URL names, or None."""
    pk = parse_pk(text)
    return None if pk is None else rows.filter(pk=pk).first()
