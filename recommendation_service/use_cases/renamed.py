"""Keys that older use-case files use, with the names that replaced them."""

from collections.abc import Collection

RENAMED_KEYS = {
    "newcomers": "cold_start_engine",
    "may_be_silent": "optional_members",
    "at_least": "min_members",
    "also_learn": "learnable_members",
    "generate": "candidate_generators",
    "count_hits": "track_cache_hits",
    "pairing": "pairs",
    "first": "left",
    "second": "right",
    "persons": "owner_column",
    "embedded": "embedding_columns",
    "minus": "offset",
    "over": "scale",
    "log": "log1p",
    "says": "reason_template",
    "here": "from_columns",
    "there": "to_columns",
}


def rename_hint(key: str, allowed: Collection[str] | None = None) -> str:
    """Return "; use 'NEW'" if `key` has been renamed to one of the allowed keys (None: any), else "" ."""
    new = RENAMED_KEYS.get(key)
    return f"; use '{new}'" if new is not None and (allowed is None or new in allowed) else ""
