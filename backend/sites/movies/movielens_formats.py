"""The four shapes in which MovieLens ratings are handed round: file names, columns, and what each column says."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from recommendation_service.domain.ids import clean_id

Row = Mapping[str, str]
Table = tuple[Sequence[str], Iterator[tuple[int, list[str]]]]  # column names; then line number and fields

YEAR = re.compile(r"^(.*)\((\d{4})\)\s*$")
FIRST_FILM_YEAR, LAST_FILM_YEAR = 1870, 2100
NO_GENRE = frozenset({"", "unknown", "(no genres listed)"})


@dataclass(frozen=True, slots=True)
class Film:
    """One film; `title` holds the year in brackets where it is known."""

    id: str
    title: str
    year: int | None
    genres: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rater:
    """One person; empty words where the release does not tell."""

    id: str
    age_band: str = ""
    gender: str = ""
    occupation: str = ""


class Rating(NamedTuple):
    """One rating of half a star to five."""

    user_id: str
    item_id: str
    stars: float
    time: datetime


@dataclass(frozen=True, slots=True)
class Layout:
    """One shape: glob patterns of its files, how they are cut into columns, and how a line is understood."""

    name: str
    ratings: str
    films: str
    raters: str  # empty: this shape tells nothing of people
    table: Callable[[Path, str], Table]
    columns: Mapping[str, Sequence[str]]  # by pattern, for files without a header line
    film: Callable[[Row], Film]
    rater: Callable[[Row], Rater]
    rating: Callable[[Row], Rating]

    def find(self, folder: Path, pattern: str) -> Path | None:
        """The file of that pattern, or None."""
        return next(iter(sorted(folder.glob(pattern))), None)

    def read(self, path: Path, pattern: str) -> Table:
        """Column names, and the lines of a file."""
        columns, lines = self.table(path, pattern)
        return self.columns.get(pattern, columns), lines


def titled(title: str, year: int | None) -> str:
    """ "Toy Story (1995)"."""
    return f"{title} ({year})" if year else title


def a_year(text: str) -> int | None:
    """A year of film history, or None for anything else: some lines hold a word there."""
    year = int(text) if text.isascii() and text.isdigit() else 0
    return year if FIRST_FILM_YEAR <= year <= LAST_FILM_YEAR else None


def a_rating(user_id: str, item_id: str, stars: str, seconds: str) -> Rating:
    """A checked rating. Raises ValueError or InvalidInput that says what is wrong."""
    value = _number(stars, "stars")
    if not 0.5 <= value <= 5:
        raise ValueError(f"stars are {stars}; 0.5 to 5 are allowed")
    moment = datetime.fromtimestamp(_number(seconds, "time"), tz=UTC)
    return Rating(clean_id(user_id, field="user id"), clean_id(item_id, field="film id"), value, moment)


def a_film(film_id: str, title: str, year: int | None, genres: Sequence[str]) -> Film:
    """A checked film."""
    kept = tuple(dict.fromkeys(genre for genre in genres if genre not in NO_GENRE))
    if not title.strip():
        raise ValueError("has no title")
    return Film(clean_id(film_id, field="film id"), title.strip()[:200], year, kept)


def a_word(occupation: str) -> str:
    """The occupation, or nothing where the release says that it is none of its list."""
    return "" if occupation in {"other", "none"} else occupation


def _number(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"{what} '{text[:40]}' is no number") from error


def _year_in(title: str) -> int | None:
    match = YEAR.match(title)
    return a_year(match[2]) if match else None


def _decade_of(age: str) -> str:
    years = int(_number(age, "age"))
    return f"{years // 10 * 10}s"


def _with_header(separator: str) -> Callable[[Path, str], Table]:
    def table(path: Path, _pattern: str) -> Table:
        lines = _lines(path, separator, "utf-8")
        header = next(lines, (0, []))[1]
        return [name.partition(":")[0].lstrip("\ufeff") for name in header], lines

    return table


def _without_header(separator: str) -> Callable[[Path, str], Table]:
    def table(path: Path, pattern: str) -> Table:
        between = "\t" if pattern == "u.data" else separator
        return (), _lines(path, between, "latin-1")

    return table


def _lines(path: Path, separator: str, encoding: str) -> Iterator[tuple[int, list[str]]]:
    with path.open(encoding=encoding, errors="surrogateescape", newline="") as file:
        if separator == ",":
            reader = csv.reader(file)
            for fields in reader:
                if fields:
                    yield reader.line_num, fields
            return
        for number, line in enumerate(file, start=1):
            text = line.rstrip("\r\n")
            if text:
                yield number, text.split(separator)


TYPED = Layout(
    name="typed tab-separated",
    ratings="*.inter",
    films="*.item",
    raters="*.user",
    table=_with_header("\t"),
    columns={},
    film=lambda row: a_film(
        row["item_id"],
        titled(row["movie_title"], a_year(row["release_year"])),
        a_year(row["release_year"]),
        row["class"].split(" "),
    ),
    rater=lambda row: Rater(
        clean_id(row["user_id"], field="user id"), _decade_of(row["age"]), row["gender"], a_word(row["occupation"])
    ),
    rating=lambda row: a_rating(row["user_id"], row["item_id"], row["rating"], row["timestamp"]),
)
CSV = Layout(
    name="csv",
    ratings="ratings.csv",
    films="movies.csv",
    raters="",
    table=_with_header(","),
    columns={},
    film=lambda row: a_film(row["movieId"], row["title"], _year_in(row["title"]), row["genres"].split("|")),
    rater=lambda row: Rater(clean_id(row["userId"], field="user id")),
    rating=lambda row: a_rating(row["userId"], row["movieId"], row["rating"], row["timestamp"]),
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
    table=_without_header("|"),
    columns={
        "u.data": ("user", "film", "stars", "time"),
        "u.item": ("film", "title", "released", "video", "address", *_FLAGS),
        "u.user": ("user", "age", "gender", "occupation", "zip"),
    },
    film=lambda row: a_film(row["film"], row["title"], _year_in(row["title"]), [flag for flag in _FLAGS if row[flag] == "1"]),
    rater=lambda row: Rater(
        clean_id(row["user"], field="user id"), _decade_of(row["age"]), row["gender"], a_word(row["occupation"])
    ),
    rating=lambda row: a_rating(row["user"], row["film"], row["stars"], row["time"]),
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
    table=_without_header("::"),
    columns={
        "ratings.dat": ("user", "film", "stars", "time"),
        "movies.dat": ("film", "title", "genres"),
        "users.dat": ("user", "gender", "age", "occupation", "zip"),
    },
    film=lambda row: a_film(row["film"], row["title"], _year_in(row["title"]), row["genres"].split("|")),
    rater=lambda row: Rater(
        clean_id(row["user"], field="user id"), _AGES[row["age"]], row["gender"], _OCCUPATIONS[int(row["occupation"])]
    ),
    rating=CLASSIC.rating,
)
ALL = (TYPED, CSV, CLASSIC, ONE_MILLION)
