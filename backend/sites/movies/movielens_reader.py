"""Reads a MovieLens release in any of its four layouts; what cannot be read is kept with its line number."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from recommendation_service.errors import DatasetError, InvalidInput
from sites.movies import movielens_formats
from sites.movies.movielens_formats import Film, Layout, Rater, Rating, Row

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that was left out, and why."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


@dataclass(slots=True)
class Release:
    """Everything readable in a folder. Ratings of one person and film are unique; the order is the file's."""

    layout: str
    films: dict[str, Film] = field(default_factory=dict)
    raters: dict[str, Rater] = field(default_factory=dict)
    ratings: list[Rating] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


def read_release(folder: Path) -> Release:
    """The release in `folder`. Raises DatasetError when no layout fits, a file is missing, or nothing is readable."""
    layout = next((known for known in movielens_formats.ALL if known.find(folder, known.ratings)), None)
    if layout is None:
        wanted = "; ".join(f"{known.name}: {known.ratings}, {known.films}" for known in movielens_formats.ALL)
        raise DatasetError(f"{folder}: no MovieLens release here; known layouts are {wanted}")
    release = Release(layout.name)
    for film in _read(release, folder, layout, layout.films, layout.film, required=True):
        release.films[film.id] = film
    for rater in _read(release, folder, layout, layout.raters, layout.rater, required=False):
        release.raters[rater.id] = rater
    for rating in _ratings(release, folder, layout):
        release.ratings.append(rating)
        if rating.user_id not in release.raters:
            release.raters[rating.user_id] = Rater(rating.user_id)
    if not release.ratings:
        raise DatasetError(f"{folder}: not one readable rating; {_first(release)}")
    return release


def _ratings(release: Release, folder: Path, layout: Layout) -> Iterator[Rating]:
    seen: set[tuple[str, str]] = set()

    def checked(row: Row) -> Rating:
        rating = layout.rating(row)
        if rating.item_id not in release.films:
            raise ValueError(f"film {rating.item_id} is not in the film file")
        pair = (rating.user_id, rating.item_id)
        if pair in seen:
            raise ValueError(f"person {rating.user_id} rated film {rating.item_id} in an earlier line")
        seen.add(pair)
        return rating

    return _read(release, folder, layout, layout.ratings, checked, required=True)


def _read(
    release: Release, folder: Path, layout: Layout, pattern: str, parse: Callable[[Row], Thing], *, required: bool
) -> Iterator[Thing]:
    """Every line of one file that `parse` understands; the others go to `release.bad`."""
    path = layout.find(folder, pattern) if pattern else None
    if path is None:
        if required:
            raise DatasetError(f"{folder}: a {layout.name} release has a file {pattern}, which is not here")
        return
    columns, lines = layout.read(path, pattern)
    for number, fields in lines:
        try:
            yield parse(_row(columns, fields))
        except InvalidInput as error:
            release.bad.append(BadRow(path.name, number, error.message))
        except (ValueError, OverflowError, OSError) as error:  # OSError: a time before or after all calendars
            release.bad.append(BadRow(path.name, number, str(error)))
        except LookupError as error:
            release.bad.append(BadRow(path.name, number, f"has no {error}, or a code that is not known"))


def _row(columns: Sequence[str], fields: Sequence[str]) -> Row:
    if len(fields) != len(columns):
        raise ValueError(f"has {len(fields)} columns; {len(columns)} are needed")
    if not all(text.isascii() or _is_text(text) for text in fields):
        raise ValueError("is not UTF-8 text")
    return dict(zip(columns, fields, strict=True))


def _is_text(text: str) -> bool:
    """False where `surrogateescape` had to keep a byte that is no text."""
    return not any("\udc80" <= letter <= "\udcff" for letter in text)


def _first(release: Release) -> str:
    return f"the first bad line is {release.bad[0]}" if release.bad else "the file of ratings is empty"
