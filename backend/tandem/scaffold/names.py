"""What the names of models and fields usually mean, from names.toml."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

_LISTS = tomllib.loads(Path(__file__).with_name("names.toml").read_text(encoding="utf-8"))
SYSTEM_APPS = frozenset(_LISTS["apps"]["system"])
FIELDS: dict[str, list[str]] = _LISTS["fields"]
STATUS: dict[str, list[str]] = _LISTS["status"]
EVENT_WORDS: dict[str, list[str]] = _LISTS["events"]
WEIGHTS: dict[str, float] = _LISTS["weights"]
PRESET_WORDS: dict[str, list[str]] = _LISTS["presets"]
PRESETS = ("shop", "content", "social", "marketplace", "jobs", "courses")
DEFAULT_WEIGHT = 2.0
NEUTRAL_RATING = 3.0  # of 1 to 5: below it a rating counts against the item
ENDINGS = ("abandoned", "dnf", "dropped", "quit", "stopped")
NOT_PLURAL = ("stars", "status", "news", "series")


def words_of(*names: str) -> list[str]:
    """Return the lower-case words of names such as "UserProductView" or "saved_jobs", singular, in order."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", " ".join(names).replace("_", " "))
    return [_singular(word.lower()) for word in words]


def event_of(*names: str) -> str:
    """Return the event that names stand for, or "". A name before another counts more; in a name, the last word does."""
    for name in names:
        words = words_of(name)
        if "to" in words:  # "to-read" and "want to read" are wishes, whatever comes after
            return "save"
        if "read" in words and {"log", "mark", "track", "tracker"}.intersection(words):  # which pages were opened
            return "view"
        if words and words[0] in ENDINGS:  # "stopped-reading" is the end of reading
            return "dismiss"
        if words[-2:] == ["follow", "up"] or (words[-1:] != ["ticket"] and "ticket" in words):  # notes and readers of a ticket
            continue
        for word in reversed(words):
            event = next((event for event, known in EVENT_WORDS.items() if word in known), "")
            if event:
                return event
    return ""


def weight_of(event: str) -> float:
    """Return the weight of an event in the use-case file."""
    return WEIGHTS.get(event, DEFAULT_WEIGHT)


def preset_of(item_names: Iterable[str], events: Iterable[str]) -> str:
    """Return the preset that fits the names of the items and the events."""
    words, happened = set(words_of(*item_names)), set(events)
    for preset, known in PRESET_WORDS.items():
        if words.intersection(known):
            return preset
    if happened & {"purchase", "cart"}:
        return "shop"
    return "marketplace" if "bid" in happened else "social"


def _singular(word: str) -> str:
    if len(word) < 4 or word.endswith("ss") or word in NOT_PLURAL:
        return word
    return f"{word[:-3]}y" if word.endswith("ies") and len(word) > 4 else word.removesuffix("s")
