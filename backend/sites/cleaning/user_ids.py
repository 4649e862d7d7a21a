"""The ids by which Tandem knows people: clients and cleaners are both counted from 1, so the id says which somebody is."""

from collections.abc import Mapping

CLIENT, CLEANER = "client-", "cleaner-"
PREFIXES: Mapping[str, str] = {"cleaning.Client": CLIENT, "cleaning.Cleaner": CLEANER}


def of_client(key: int | str) -> str:
    """Such as "client-5"."""
    return f"{CLIENT}{key}"


def of_cleaner(key: int | str) -> str:
    """Such as "cleaner-5"."""
    return f"{CLEANER}{key}"
