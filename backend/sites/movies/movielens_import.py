"""Writes a release to the site's tables. A few people keep only their first ratings, so that every segment exists."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from sites.movies.models import Movie, Viewer
from sites.movies.movielens_formats import Film, Rater, Rating
from sites.movies.movielens_reader import Release
from tandem.services.bulk_load import Happened, write_past
from tandem.sources import source_of, use_case_of
from tandem.use_cases import load

CATALOGUE = "movies"
EVENT = "rate"
NEWCOMER_COUNTS = (0, 1, 4, 5, 12, 19, 20)  # counted interactions of the newcomers, repeated
MIN_LIKED = 25  # counted ratings of a person who may become a newcomer: the later ones show their favourite genres
FAVOURITES = 3
REGULARS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A person with their first ratings only, and the genres they liked later."""

    user_id: str
    counted: int
    first_ratings: tuple[Rating, ...]
    withheld: int
    favourite_genres: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Counts of the written rows."""

    films: int
    viewers: tuple[Viewer, ...]
    ratings: int
    newcomers: tuple[Newcomer, ...]
    counted: dict[str, int]  # counted interactions per person


def likes(rating: Rating) -> bool:
    """Return True if a rating counts towards routing: its weight in the use case is above 0."""
    source = source_of(CATALOGUE)
    rule = load(use_case_of(source) if source else CATALOGUE).events[EVENT]
    return rule.weight * (rating.stars - (rule.neutral or 0.0)) > 0


def load_release(release: Release, *, newcomers: int) -> Loaded:
    """Write films, viewers and ratings. The caller holds the transaction and has emptied the tables."""
    histories = _by_person(release)
    cut = {newcomer.user_id: newcomer for newcomer in choose_newcomers(release, histories, newcomers)}
    first_ratings = [
        rating
        for user_id, ratings in histories.items()
        for rating in (cut[user_id].first_ratings if user_id in cut else ratings)
    ]
    counted = Counter(rating.user_id for rating in first_ratings if likes(rating))
    regulars = [user_id for user_id in histories if user_id not in cut and counted[user_id] >= 20][:REGULARS_SHOWN]
    viewers = [
        viewer(rater, cut.get(rater.id), is_demo=rater.id in cut or rater.id in regulars) for rater in release.raters.values()
    ]
    films = [Movie(id=film.id, title=film.title, year=film.year, genres=list(film.genres)) for film in release.films.values()]
    Movie.objects.bulk_create(films, batch_size=1000)
    Viewer.objects.bulk_create(viewers, batch_size=1000)
    write_past(catalogue=CATALOGUE, events=[_event(rating) for rating in first_ratings])
    return Loaded(len(films), tuple(viewers), len(first_ratings), tuple(cut.values()), dict(counted))


def choose_newcomers(release: Release, histories: dict[str, list[Rating]], wanted: int) -> list[Newcomer]:
    """Return the people who joined last and have MIN_LIKED liked films, at most `wanted`, cut to NEWCOMER_COUNTS."""
    candidates = [user_id for user_id, ratings in histories.items() if sum(map(likes, ratings)) >= MIN_LIKED]
    joined = sorted(candidates, key=lambda user_id: (histories[user_id][0].time, user_id))
    usual = _genre_shares([rating for ratings in histories.values() for rating in ratings if likes(rating)], release.films)
    chosen = joined[len(joined) - min(wanted, len(joined)) :]
    return [
        _cut(histories[user_id], NEWCOMER_COUNTS[index % len(NEWCOMER_COUNTS)], release.films, usual)
        for index, user_id in enumerate(chosen)
    ]


def viewer(rater: Rater, newcomer: Newcomer | None, *, is_demo: bool) -> Viewer:
    """Return a viewer with a label such as "Viewer 196, technician, 20s"."""
    known = filter(None, (f"Viewer {rater.id}", rater.occupation, rater.age_band))
    return Viewer(
        id=rater.id,
        label=", ".join(known)[:80],
        age_band=rater.age_band[:12],
        gender=rater.gender[:12],
        occupation=rater.occupation[:40],
        favourite_genres=list(newcomer.favourite_genres) if newcomer else [],
        is_demo=is_demo,
    )


def _by_person(release: Release) -> dict[str, list[Rating]]:
    histories: dict[str, list[Rating]] = {}
    for rating in release.ratings:
        histories.setdefault(rating.user_id, []).append(rating)
    return {user_id: sorted(ratings, key=lambda rating: rating.time) for user_id, ratings in histories.items()}


def _cut(ratings: Sequence[Rating], counted: int, films: dict[str, Film], usual: dict[str, float]) -> Newcomer:
    """Keep the ratings up to the `counted`-th that counts; the later ones only choose the favourite genres."""
    liked_rows = [index for index, rating in enumerate(ratings) if likes(rating)]
    end = liked_rows[counted - 1] + 1 if counted else 0
    later = [rating for rating in ratings[end:] if likes(rating)]
    shares = _genre_shares(later, films)
    ranked = sorted(shares, key=lambda genre: (usual.get(genre, 0.0) - shares[genre], genre))
    return Newcomer(ratings[0].user_id, counted, tuple(ratings[:end]), len(ratings) - end, tuple(ranked[:FAVOURITES]))


def _genre_shares(ratings: Sequence[Rating], films: dict[str, Film]) -> dict[str, float]:
    """Return by genre the share of the ratings whose film has it."""
    counts = Counter(genre for rating in ratings for genre in films[rating.item_id].genres)
    return {genre: count / len(ratings) for genre, count in counts.items()}


def _event(rating: Rating) -> Happened:
    name = f"tandem/{CATALOGUE}/{rating.user_id}/{rating.item_id}/{rating.time.timestamp()}"
    return Happened(uuid5(NAMESPACE_URL, name), rating.user_id, rating.item_id, EVENT, rating.time, rating.stars)
