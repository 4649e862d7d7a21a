"""Reads a MovieLens release in any of its four layouts; invalid rows are left out and listed with their line numbers."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from recommendation_service.datasets.interaction_files.rows import read_rows
from recommendation_service.errors import DatasetError, InvalidInput
from sites.movies import movielens_formats
from sites.movies.movielens_formats import Film, Layout, Rater, Rating, Row

T = TypeVar("T")
UNDECODED = re.compile("[\udc80-\udcff]")  # bytes that are not UTF-8, as `surrogateescape` keeps them


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out, and why."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


@dataclass(slots=True)
class Release:
    """All valid rows of a folder, in the order of the files. A person rates a film once."""

    layout: str
    films: dict[str, Film] = field(default_factory=dict)
    raters: dict[str, Rater] = field(default_factory=dict)
    ratings: list[Rating] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


def read_release(folder: Path) -> Release:
    """Read the release in `folder`. Raises DatasetError if no layout fits, a file is missing, or no rating is valid."""
    layout = next((known for known in movielens_formats.ALL if known.find(folder, known.ratings)), None)
    if layout is None:
        wanted = "; ".join(f"{known.name}: {known.ratings}, {known.films}" for known in movielens_formats.ALL)
        raise DatasetError(f"{folder}: is not a MovieLens release; known layouts are {wanted}")
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
        raise DatasetError(f"{folder}: has no valid rating; {_first(release)}")
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
    release: Release, folder: Path, layout: Layout, pattern: str, parse: Callable[[Row], T], *, required: bool
) -> Iterator[T]:
    """Yield every row of one file that `parse` accepts; the others go to `release.bad`."""
    path = layout.find(folder, pattern) if pattern else None
    if path is None:
        if required:
            raise DatasetError(f"{folder}: a {layout.name} release needs a file {pattern}")
        return
    for number, fields in read_rows(path, row_format=layout.row_format(pattern)):
        try:
            yield parse(_row(fields))
        except InvalidInput as error:
            release.bad.append(BadRow(path.name, number, error.message))
        except (ValueError, OverflowError, OSError) as error:  # OSError: a time outside the calendar
            release.bad.append(BadRow(path.name, number, str(error)))
        except LookupError as error:
            release.bad.append(BadRow(path.name, number, f"has no {error}, or an unknown code"))


def _row(fields: Mapping[Any, Any]) -> Row:
    """Return the row under its column names without types: `user_id:token` is `user_id`. Raises ValueError."""
    extra = fields.get(None, ())  # where the csv module puts cells beyond the columns
    cells = {name.partition(":")[0]: cell for name, cell in fields.items() if name is not None}
    count = sum(cell is not None for cell in cells.values()) + len(extra)
    if count != len(cells):
        raise ValueError(f"has {count} columns; {len(cells)} are needed")
    if any(not cell.isascii() and UNDECODED.search(cell) for cell in cells.values()):
        raise ValueError("is not UTF-8 text")
    return cells


def _first(release: Release) -> str:
    return f"the first bad line is {release.bad[0]}" if release.bad else "the file of ratings is empty"
