"""Scores of cleaners: five weighted parts, computed by rules from the tables. Nothing here needs a trained model."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypedDict

import numpy as np
from django.db import DatabaseError, transaction
from django.utils import timezone

from recommendation_service.core.numeric import Bools, Ints
from sites.cleaning.conf import cache_seconds
from sites.cleaning.models import Cleaner, CleanerScore
from sites.cleaning.scoring.aggregates import Counts, Tallies, damaged_cleaners, market_tallies, tallies_now
from sites.cleaning.scoring.score_values import drawn, drawn_mark, drawn_rate, figures, finished, market_rate, primary_kinds
from tandem import cache

log = logging.getLogger(__name__)

WEIGHTS = {"quality": 0.30, "reliability": 0.25, "experience": 0.20, "bidding": 0.15, "activity": 0.10}

# weights within each part, and the values that give 100 points
OF_QUALITY = {"overall": 0.30, "quality": 0.25, "communication": 0.15, "professionalism": 0.15, "timeliness": 0.15}
OF_RELIABILITY = {"completed": 0.4, "on_time": 0.3, "cancelled": 0.2, "with_photos": 0.1}
OF_EXPERIENCE = {"jobs": 0.7, "earnings": 0.3}
OF_BIDDING = {"won": 0.7, "price": 0.3}
OF_ACTIVITY = {"jobs_30": 0.6, "jobs_90": 0.4}
FULL_JOBS = 200
FULL_EARNINGS = 10_000.0  # €
FULL_WIN_RATE = 0.5
CHEAP, DEAR = 0.5, 1.5  # of the market's hourly rate: 100 points up to the first, 0 from the second
FULL_RECENT = {"jobs_30": 8, "jobs_90": 24}

NEWCOMER_DAYS = 30  # after joining, in which little activity is neutral
NEUTRAL = 50.0
IDLE_DAYS = 90
CHUNK = 2_000  # rows per statement
PRIOR_KEY = "cleaning:newcomer:1"


class Updated(TypedDict):
    """The result of an update."""

    updated: int
    errors: int
    error_cleaners: list[int]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a cleaner's score: its weight, 0 to 100 points, and a sentence."""

    name: str
    weight: float
    points: float
    sentence: str

    @property
    def adds(self) -> float:
        """Its share of the overall score."""
        return self.weight * self.points


@dataclass(frozen=True, slots=True, eq=False)
class Standings:
    """Columns of CleanerScore for n cleaners, (n,) each: NaN if unknown, "" for no kind of property."""

    numbers: Mapping[str, Counts]
    kinds: np.ndarray[tuple[int], np.dtype[np.str_]]
    is_active: Bools

    def sound(self) -> Bools:
        """Return (n,) False for cleaners with a score outside 0 to 100 or an infinite figure."""
        scores = np.stack([self.numbers[name] for name in ("overall_score", *WEIGHTS)])
        finite = ~np.isinf(np.stack(list(self.numbers.values()))).any(axis=0)
        return np.asarray(finite & ((scores >= 0) & (scores <= 100)).all(axis=0))


class ScoringService:
    """Scores cleaners from the tables, without a model and from the first day.

    Six calculations: five parts, each a pure function of tallies to (n,) points of 0 to 100, and the overall.
    """

    weights: Mapping[str, float] = WEIGHTS

    def quality(self, tallies: Tallies, market: Tallies) -> Counts:
        """Mean marks of the reviews times ten, each drawn toward the market's: see `figures`."""
        return _weighed({mark: 10 * drawn_mark(tallies, market, mark) for mark in OF_QUALITY}, OF_QUALITY)

    def reliability(self, tallies: Tallies, market: Tallies) -> Counts:
        """Jobs completed, on time, not cancelled by the cleaner, and with photos; each share drawn toward the market's."""
        ends, all_ends = finished(tallies), finished(market)
        shares = {
            "completed": drawn_rate(tallies, market, "completed", ends, all_ends),
            "on_time": drawn_rate(tallies, market, "on_time", tallies["timed"], market["timed"]),
            "cancelled": 1 - drawn_rate(tallies, market, "cancelled", ends, all_ends),
            "with_photos": drawn_rate(tallies, market, "with_photos", tallies["completed"], market["completed"]),
        }
        return _weighed({name: 100 * values for name, values in shares.items()}, OF_RELIABILITY)

    def experience(self, tallies: Tallies) -> Counts:
        """Jobs done on a logarithmic scale, since the tenth teaches more than the hundredth, and euros earned."""
        jobs = np.log1p(tallies["completed"]) / np.log1p(FULL_JOBS)
        return _weighed({"jobs": _points(jobs), "earnings": _points(tallies["earned"] / FULL_EARNINGS)}, OF_EXPERIENCE)

    def bidding(self, tallies: Tallies, market: Tallies) -> Counts:
        """How often bids win, drawn toward the market, and how low they are on average.

        Averages are euros per hour, so that bids for large homes do not count as expensive.
        """
        rate = market_rate(market)
        price = drawn(tallies["amounts"], tallies["hours"], rate) / rate
        won = drawn_rate(tallies, market, "won", tallies["decided"], market["decided"])
        return _weighed({"won": _points(won / FULL_WIN_RATE), "price": _points((DEAR - price) / (DEAR - CHEAP))}, OF_BIDDING)

    def activity(self, tallies: Tallies, days_here: Counts) -> Counts:
        """Jobs done in the last 30 and 90 days; never below NEUTRAL in the first 30 days after joining."""
        done = _weighed({name: _points(tallies[name] / full) for name, full in FULL_RECENT.items()}, OF_ACTIVITY)
        return np.where(days_here < NEWCOMER_DAYS, np.maximum(done, NEUTRAL), done)

    def overall(self, parts: Mapping[str, Counts]) -> Counts:
        """Return the weighted sum of the five parts."""
        return _weighed(parts, self.weights)

    def stand(self, tallies: Tallies, market: Tallies, days_here: Counts) -> Standings:
        """Return all columns of n cleaners, given the market's tallies, (n,) or one for all, and the days since each joined."""
        parts = {
            "quality": self.quality(tallies, market),
            "reliability": self.reliability(tallies, market),
            "experience": self.experience(tallies),
            "bidding": self.bidding(tallies, market),
            "activity": self.activity(tallies, days_here),
        }
        active = (tallies["jobs_90"] > 0) | (tallies["bids_90"] > 0) | (days_here < IDLE_DAYS)
        numbers = {"overall_score": self.overall(parts), **parts, **figures(tallies, market)}
        return Standings(numbers, primary_kinds(tallies), active)

    def update_all_cleaner_scores(self, *, now: datetime | None = None) -> Updated:
        """Compute and save the scores of all cleaners; a constant number of reads, and writes in chunks.

        A cleaner with impossible rows, such as a mark of 11 or a negative amount, is logged and listed in `error_cleaners`,
        and keeps the previous score; these rows do not count for the market either.
        """
        now = now or timezone.now()
        cleaner_ids, days_here = _cleaners(now)
        tallies = tallies_now(cleaner_ids, now, everybody=True)
        market = tallies.total()
        standings = self.stand(tallies, market, days_here)
        errors = {key: f"impossible {table}" for key, table in damaged_cleaners().items()}
        for key in cleaner_ids[~standings.sound()].tolist():
            errors.setdefault(key, "scores that are no numbers of 0 to 100")
        rows = [row for row in _rows(cleaner_ids, standings, now) if row.cleaner_id not in errors]
        errors |= dict.fromkeys(_written(rows), "refused by the database")
        for key, reason in sorted(errors.items()):
            log.error("cleaner %d was not scored: %s", key, reason)
        cache.put(PRIOR_KEY, self._newcomer(market), cache_seconds())
        return {"updated": cleaner_ids.size - len(errors), "errors": len(errors), "error_cleaners": sorted(errors)}

    def newcomer_score(self) -> float:
        """Return the overall score of an unknown cleaner: the market's averages. Cached for RECOMMENDATION_CACHE_TTL."""
        result = cache.look_up(PRIOR_KEY)  # an unreachable cache is a miss, and so is any value that is not a score
        if not isinstance(result, float) or not 0 <= result <= 100:
            result = self._newcomer(market_tallies(timezone.now()))
            cache.put(PRIOR_KEY, result, cache_seconds())
        return result

    def explain(self, cleaner: Cleaner) -> tuple[Part, ...]:
        """Return the parts of a cleaner's score, in the order of the weights."""
        row = CleanerScore.objects.filter(cleaner=cleaner).first() or self._fresh(cleaner)
        return tuple(Part(name, weight, getattr(row, name), SENTENCES[name](row)) for name, weight in self.weights.items())

    def _newcomer(self, market: Tallies) -> float:
        return float(self.stand(Tallies(1), market, np.zeros(1)).numbers["overall_score"][0])

    def _fresh(self, cleaner: Cleaner) -> CleanerScore:
        """Return an unsaved row for a cleaner without one."""
        now, ids = timezone.now(), np.array([cleaner.pk], dtype=np.int64)
        days_here = np.array([float((now.date() - cleaner.joined).days)])
        (row,) = _rows(ids, self.stand(tallies_now(ids, now), market_tallies(now), days_here), now)
        return row


def _weighed(points: Mapping[str, Counts], weights: Mapping[str, float]) -> Counts:
    return np.asarray(sum(weight * points[name] for name, weight in weights.items()), dtype=np.float64)


def _points(share: Counts) -> Counts:
    return np.asarray(100 * np.clip(share, 0, 1), dtype=np.float64)


def days_since(joined: Sequence[object], moments: Counts) -> Counts:
    """Return (n,) days from the start, in UTC, of each date to each time, in seconds."""
    days = np.array(joined, dtype="datetime64[D]").astype("datetime64[s]").astype(np.float64)
    return np.asarray((moments - days) / 86_400, dtype=np.float64)


def _cleaners(now: datetime) -> tuple[Ints, Counts]:
    """Return the keys of all cleaners, and the days since they joined."""
    result = list(Cleaner.objects.order_by("pk").values_list("pk", "joined"))
    keys = np.array([key for key, _ in result], dtype=np.int64)
    return keys, days_since([joined for _, joined in result], np.full(len(result), now.astimezone(UTC).timestamp()))


def _rows(cleaner_ids: Ints, standings: Standings, now: datetime) -> Iterator[CleanerScore]:
    """Yield unsaved rows; unknown figures are null."""
    names = list(standings.numbers)
    # PostgreSQL adds floats up in whatever order it finds them; what lies below this digit is that order
    table = np.round(np.stack([standings.numbers[name] for name in names], axis=1), 9)
    known = table.astype(object)
    known[np.isnan(table)] = None
    kinds, active = standings.kinds.tolist(), standings.is_active.tolist()
    for key, figures_of, kind, is_active in zip(cleaner_ids.tolist(), known.tolist(), kinds, active, strict=True):
        values = dict(zip(names, figures_of, strict=True))
        yield CleanerScore(cleaner_id=key, primary_property_type=kind, is_active=is_active, updated_at=now, **values)


def _written(rows: Sequence[CleanerScore]) -> list[int]:
    """Insert or update, and return the keys that the database refused. A chunk that fails is tried row by row."""
    columns = [column.name for column in CleanerScore._meta.concrete_fields if not column.primary_key]
    refused: list[int] = []
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        if not _upserted(chunk, columns):
            refused += [row.cleaner_id for row in chunk if not _upserted([row], columns)]
    return refused


def _upserted(rows: Sequence[CleanerScore], columns: list[str]) -> bool:
    try:
        with transaction.atomic():
            CleanerScore.objects.bulk_create(rows, update_conflicts=True, unique_fields=["cleaner"], update_fields=columns)
    except DatabaseError:
        log.warning("%d scores could not be written together", len(rows), exc_info=True)
        return False
    return True


def _quality_text(row: CleanerScore) -> str:
    if not row.review_count or row.average_rating is None:
        return "No reviews yet; counted as an average cleaner."
    return f"{row.average_rating:.1f} of 10 on average in {_count(row.review_count, 'review')}."


def _reliability_text(row: CleanerScore) -> str:
    if row.completion_rate is None:
        return "No job has ended yet; counted as an average cleaner."
    parts = [f"Completed {row.completion_rate:.0%} of their jobs"]
    if row.on_time_rate is not None:
        parts.append(f"{row.on_time_rate:.0%} on time")
    parts.append(f"cancelled {row.cancellation_rate or 0:.0%}")
    if row.photo_rate is not None:
        parts.append(f"photos of {row.photo_rate:.0%}")
    return ", ".join(parts) + "."


def _experience_text(row: CleanerScore) -> str:
    if not row.total_jobs:
        return "No jobs done yet."
    return f"{_count(row.total_jobs, 'job')} done, €{row.total_earnings:,.0f} earned."


def _bidding_text(row: CleanerScore) -> str:
    if not row.bid_count or row.usual_rate is None:
        return "Has not bid yet; counted as an average bidder."
    won = "none decided yet" if row.win_rate is None else f"{row.win_rate:.0%} of those decided were won"
    return f"{_count(row.bid_count, 'bid')}, {won}; €{row.usual_rate:.2f} an hour on average."


def _activity_text(row: CleanerScore) -> str:
    return f"{_count(row.jobs_30_days, 'job')} in the last 30 days, {row.jobs_90_days} in 90."


def _count(count: float, noun: str) -> str:
    return f"{count:.0f} {noun}" + ("" if count == 1 else "s")


SENTENCES: Mapping[str, Callable[[CleanerScore], str]] = {
    "quality": _quality_text,
    "reliability": _reliability_text,
    "experience": _experience_text,
    "bidding": _bidding_text,
    "activity": _activity_text,
}
