"""Which column of a table is what: by the words of its header, and where these do not tell, by what stands in it.

A header's cell is cut into words at capitals, digits and signs, so `movieId`, `parent_asin`, `user_id:token` and
`unixReviewTime` are all known. A column that is somebody's id, a time or a value is looked for by the more telling word first.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from recommendation_service.commands.evaluate_file.value_parsing import instants, numbers

COUNTS = (
    "plays",
    "play",
    "playcount",
    "count",
    "counts",
    "listens",
    "frequency",
    "freq",
    "hours",
    "clicks",
    "views",
    "times",
    "quantity",
)
WORDS: Mapping[str, tuple[str, ...]] = {
    "user": (
        *(
            "user",
            "users",
            "username",
            "uid",
            "reviewer",
            "customer",
            "visitor",
            "person",
            "member",
            "client",
            "buyer",
            "listener",
        ),
        *("reader", "player", "author", "u", "session", "query"),
    ),
    "item": (
        *("item", "items", "iid", "movie", "asin", "business", "product", "artist", "track", "song", "isbn", "article", "book"),
        *(
            "course",
            "sku",
            "game",
            "app",
            "anime",
            "video",
            "poi",
            "venue",
            "location",
            "place",
            "spot",
            "recipe",
            "restaurant",
        ),
        *("hotel", "news", "beer", "show", "film", "joke", "album", "music", "repo", "post", "content", "offer", "i"),
    ),
    "value": ("rating", "ratings", "stars", "star", "overall", "score", "value", "vote", "weight", *COUNTS, "label", "r"),
    "time": (
        "unix",
        "timestamp",
        "timestamps",
        "time",
        "datetime",
        "ts",
        "date",
        "when",
        "created",
        "at",
        "t",
        "order",
        "position",
    ),
}
SHORT = {"u", "i", "r", "t", "at", "order", "position", "times", "time", "play", "query"}  # ... of one word, or not at all
LIKE_A_TIME = 1e7  # seconds since 1970, or a day written as 20140506: no rating and no count is as large
PLACES = ("user", "item", "value", "time")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a table's columns are, whether its first line is a header, and whether its values count something."""

    places: Mapping[str, int]  # of PLACES, user and item at least
    header: bool
    named: bool = False  # the header's words tell the columns
    counts: bool = False
    notes: tuple[str, ...] = ()


def columns_of(first: Sequence[str], body: Sequence[Sequence[str]]) -> Columns | None:
    """From a table's first line and some of the others; None where no column of users and one of items can be told."""
    named = by_name(first)
    if {"user", "item"} <= set(named):
        return Columns(
            named, header=True, named=True, counts=_words(first[named["value"]])[-1] in COUNTS if "value" in named else False
        )
    header = len(named) > 1 or _is_header(first, body)
    named = named if header else {}
    rows = body if header else [first, *body]
    places = _by_content(rows, len(first), named) if rows else {}
    return Columns(places, header) if {"user", "item"} <= set(places) else None


def by_name(header: Sequence[str]) -> dict[str, int]:
    """Which column is what by its name alone; a column is one thing only."""
    found: dict[str, int] = {}
    for name in PLACES:
        likely = [
            (likeness, place) for place, cell in enumerate(header) if (likeness := _likeness(cell, WORDS[name])) is not None
        ]
        free = [(likeness, place) for likeness, place in sorted(likely) if place not in found.values()]
        if free:
            found[name] = free[0][1]
    return found


def _words(cell: str) -> list[str]:
    """The words of a header's cell, in small letters; RecBole writes the type behind a colon, many write `userid`."""
    plain = cell.strip().strip("\"'").partition(":")[0]
    parts = [one.casefold() for one in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+", plain)]
    known = {word for words in WORDS.values() for word in words}
    cut = [one[:-2] if one.endswith("id") and one[:-2] in known and one not in known else one for one in parts]
    return [one for one in cut if one != "id"] or parts or [""]


def _likeness(cell: str, known: Sequence[str]) -> tuple[int, int] | None:
    """The smaller the likelier; None: it is not."""
    words = _words(cell)
    if any(sign.isdigit() for sign in cell):
        return None  # somebody's id
    rank = min((known.index(word) for word in words if word in known and (len(words) == 1 or word not in SHORT)), default=None)
    if rank is None and len(words) > 1 and words[-1] == "time" and "time" in known:
        rank = known.index("time")
    if rank is None:
        return None
    surely = len(words) == 1 or "id" in cell.casefold()
    return (0 if surely else 1, rank)


def _is_header(first: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Whether a column is of numbers or times everywhere but in the first line."""
    for place, cell in enumerate(first):
        below = [row[place] for row in body if place < len(row)]
        read = instants if numbers(below) is None else numbers
        if below and read(below) is not None and read([cell]) is None:
            return True
    return False


def _by_content(rows: Sequence[Sequence[str]], width: int, named: Mapping[str, int]) -> dict[str, int]:
    """Columns without a name, from the left: users, items, and what is no id is a time or a value."""
    found = dict(named)
    whole = [row for row in rows if len(row) >= width]
    cells = {place: [row[place].strip() for row in whole] for place in range(width) if place not in named.values()}
    kinds = {place: _kind(own) for place, own in cells.items()}
    wanted: Mapping[str, Callable[[int], bool]] = {
        "user": lambda place: kinds[place] != "instant",
        "item": lambda place: kinds[place] in ("id", "whole") or (place == 1 and kinds[place] == "fraction"),
        "time": lambda place: kinds[place] == "instant" or (kinds[place] != "id" and _like_times(cells[place])),
        "value": lambda place: kinds[place] != "id" and place > found["item"],
    }
    for name, fits in wanted.items():
        if name not in found and (name in ("user", "item") or "item" in found):
            place = next((place for place in sorted(cells) if place not in found.values() and fits(place)), None)
            if place is not None:
                found[name] = place
    left = [place for place in sorted(cells) if place not in found.values() and kinds[place] in ("whole", "fraction")]
    if "value" in found and "time" not in found and found["value"] + 1 in left:
        found["time"] = found["value"] + 1  # as in MovieLens' tables
    return found


def _kind(cells: Sequence[str]) -> str:
    told = [one for one in cells if one]
    values = numbers(told)
    if values is not None and told:
        return (
            "whole"
            if all(float(one).is_integer() and "." not in cell for one, cell in zip(values, told, strict=True))
            else "fraction"
        )
    return "instant" if told and instants(told) is not None else "id"


def _like_times(cells: Sequence[str]) -> bool:
    values = numbers([one for one in cells if one])
    return values is not None and len(values) > 0 and min(values) >= LIKE_A_TIME
