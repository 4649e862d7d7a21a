"""The four layouts of MovieLens releases: file names, columns, and how a row is parsed."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from recommendation_service.datasets.interaction_files.rows import RowFormat
from recommendation_service.domain.ids import clean_id

Row = Mapping[str, str]

YEAR = re.compile(r"^(.*)\((\d{4})\)\s*$")
FIRST_FILM_YEAR, LAST_FILM_YEAR = 1870, 2100
NO_GENRE = frozenset({"", "unknown", "(no genres listed)"})


@dataclass(frozen=True, slots=True)
class Film:
    """One film; `title` ends with the year in brackets if the year is known."""

    id: str
    title: str
    year: int | None
    genres: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rater:
    """One person; "" for each property that the release does not have."""

    id: str
    age_band: str = ""
    gender: str = ""
    occupation: str = ""


class Rating(NamedTuple):
    """One rating of half a star to five stars."""

    user_id: str
    item_id: str
    stars: float
    time: datetime


@dataclass(frozen=True, slots=True)
class Layout:
    """One layout: glob patterns of its files, how their rows are written, and how a row is parsed."""

    name: str
    ratings: str
    films: str
    raters: str  # "" if the layout has no file of people
    film: Callable[[Row], Film]
    rater: Callable[[Row], Rater]
    rating: Callable[[Row], Rating]
    quoted: bool = False
    delimiter: str | None = None
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by pattern, for files without a header

    def find(self, folder: Path, pattern: str) -> Path | None:
        """Return the first file that matches the pattern, or None."""
        return next(iter(sorted(folder.glob(pattern))), None)

    def row_format(self, pattern: str) -> RowFormat:
        """Return how the rows of the pattern's file are written. Files without a header are in Latin-1."""
        columns = self.columns.get(pattern)
        encoding = "latin-1" if columns else "utf-8-sig"
        return RowFormat(self.delimiter, columns, self.quoted, encoding, "surrogateescape")


def titled(title: str, year: int | None) -> str:
    """Return a title such as "Toy Story (1995)"."""
    return f"{title} ({year})" if year else title


def parse_year(text: str) -> int | None:
    """Return a year of film history, or None for anything else: in some rows it is a letter."""
    year = int(text) if text.isascii() and text.isdigit() else 0
    return year if FIRST_FILM_YEAR <= year <= LAST_FILM_YEAR else None


def parse_rating(user_id: str, item_id: str, stars: str, seconds: str) -> Rating:
    """Return a valid rating. Raises ValueError or InvalidInput with the reason."""
    value = _number(stars, "stars")
    if not 0.5 <= value <= 5:
        raise ValueError(f"stars are {stars}; 0.5 to 5 are allowed")
    time = datetime.fromtimestamp(_number(seconds, "time"), tz=UTC)
    return Rating(clean_id(user_id, field="user id"), clean_id(item_id, field="film id"), value, time)


def parse_film(film_id: str, title: str, year: int | None, genres: Sequence[str]) -> Film:
    """Return a valid film. Raises ValueError or InvalidInput with the reason."""
    known = tuple(dict.fromkeys(genre for genre in genres if genre not in NO_GENRE))
    if not title.strip():
        raise ValueError("has no title")
    return Film(clean_id(film_id, field="film id"), title.strip()[:200], year, known)


def parse_occupation(occupation: str) -> str:
    """Return the occupation, or "" for the release's words for none."""
    return "" if occupation in {"other", "none"} else occupation


def _number(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"{what} '{text[:40]}' is not a number") from error


def _year_in(title: str) -> int | None:
    match = YEAR.match(title)
    return parse_year(match[2]) if match else None


def _decade_of(age: str) -> str:
    years = int(_number(age, "age"))
    return f"{years // 10 * 10}s"


TYPED = Layout(
    name="typed tab-separated",
    ratings="*.inter",
    films="*.item",
    raters="*.user",
    film=lambda row: parse_film(
        row["item_id"],
        titled(row["movie_title"], parse_year(row["release_year"])),
        parse_year(row["release_year"]),
        row["class"].split(" "),
    ),
    rater=lambda row: Rater(
        clean_id(row["user_id"], field="user id"), _decade_of(row["age"]), row["gender"], parse_occupation(row["occupation"])
    ),
    rating=lambda row: parse_rating(row["user_id"], row["item_id"], row["rating"], row["timestamp"]),
)
CSV = Layout(
    name="csv",
    ratings="ratings.csv",
    films="movies.csv",
    raters="",
    quoted=True,
    film=lambda row: parse_film(row["movieId"], row["title"], _year_in(row["title"]), row["genres"].split("|")),
    rater=lambda row: Rater(clean_id(row["userId"], field="user id")),
    rating=lambda row: parse_rating(row["userId"], row["movieId"], row["rating"], row["timestamp"]),
)
_FLAGS = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
CLASSIC = Layout(
    name="classic 100K",
    ratings="u.data",
    films="u.item",
    raters="u.user",
    columns={
        "u.data": ("user", "film", "stars", "time"),
        "u.item": ("film", "title", "released", "video", "address", *_FLAGS),
        "u.user": ("user", "age", "gender", "occupation", "zip"),
    },
    film=lambda row: parse_film(
        row["film"], row["title"], _year_in(row["title"]), [flag for flag in _FLAGS if row[flag] == "1"]
    ),
    rater=lambda row: Rater(
        clean_id(row["user"], field="user id"), _decade_of(row["age"]), row["gender"], parse_occupation(row["occupation"])
    ),
    rating=lambda row: parse_rating(row["user"], row["film"], row["stars"], row["time"]),
)
_AGES = {"1": "under 18", "18": "18-24", "25": "25-34", "35": "35-44", "45": "45-49", "50": "50-55", "56": "56 or more"}
_OCCUPATIONS = (
    "", "educator", "artist", "clerk", "student", "customer service", "doctor", "executive", "farmer", "homemaker",
    "school student", "lawyer", "programmer", "retired", "sales", "scientist", "self-employed", "technician", "craft",
    "unemployed", "writer",
)  # fmt: skip
ONE_MILLION = Layout(
    name="1M",
    ratings="ratings.dat",
    films="movies.dat",
    raters="users.dat",
    delimiter="::",
    columns={
        "ratings.dat": ("user", "film", "stars", "time"),
        "movies.dat": ("film", "title", "genres"),
        "users.dat": ("user", "gender", "age", "occupation", "zip"),
    },
    film=lambda row: parse_film(row["film"], row["title"], _year_in(row["title"]), row["genres"].split("|")),
    rater=lambda row: Rater(
        clean_id(row["user"], field="user id"), _AGES[row["age"]], row["gender"], _OCCUPATIONS[int(row["occupation"])]
    ),
    rating=CLASSIC.rating,
)
ALL = (TYPED, CSV, CLASSIC, ONE_MILLION)
