"""What came of the marketplace's recommendations: by mode and by day, and what was said of them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate

from recommendation_service.errors import TandemError
from recommendation_service.publishing.reading import published
from sites.cleaning.models import CleanerRecommendation, JobRecommendation, RecommendationFeedback
from sites.cleaning.web.labels import MODES

log = logging.getLogger(__name__)
SIDES: Mapping[str, tuple[type[JobRecommendation] | type[CleanerRecommendation], tuple[tuple[str, str], ...]]] = {
    "cleaners": (CleanerRecommendation, (("viewed", "viewed_at"), ("contacted", "contacted_at"), ("hired", "hired_at"))),
    "jobs": (JobRecommendation, (("viewed", "viewed_at"), ("bid", "bid_placed_at"), ("accepted", "bid_accepted_at"))),
}
FIGURES = {
    "top_1": "the chosen one is first",
    "top_3": "the chosen one is among the first three",
    "chance_top_1": "first, by lot",
    "chance_top_3": "among the first three, by lot",
    "mse": "mean squared error",
    "mae": "mean absolute error",
    "r2": "R²",
    "alpha": "weight of the collaborative half (alpha)",
    "jobs": "jobs learned from",
    "validation_pairs": "pairs it was tried on",
    "held_out.n": "winning bids it was tried on",
    "held_out.coverage": "winning bids between minimum and maximum",
    "held_out.share": "meant to lie there",
    "held_out.width": "mean width of the range, of the best bid",
}
MODELS = (("neural", "The network of pairs"), ("bid", "The network of bids"))


@dataclass(frozen=True, slots=True)
class Row:
    """Recommendations that share a mode or a day, and how many of them came how far."""

    name: str
    shown: int
    counts: tuple[int, ...]  # by step, as the side names them

    @property
    def cells(self) -> tuple[tuple[int, float], ...]:
        """Each step's count, and how many that are of 100 shown."""
        return tuple((count, 100 * count / self.shown if self.shown else 0.0) for count in self.counts)


@dataclass(frozen=True, slots=True)
class Side:
    """What came of one of the two lists."""

    name: str
    steps: tuple[str, ...]
    total: Row
    modes: tuple[Row, ...]
    days: tuple[Row, ...]  # the newest first


@dataclass(frozen=True, slots=True)
class Published:
    """What a published model says of its own accuracy."""

    title: str
    version: str
    figures: tuple[tuple[str, float], ...]


def side_of(name: str, *, since: datetime) -> Side:
    """One side's recommendations since then, in three queries. A row counts on the day (UTC) on which it was shown."""
    model, steps = SIDES[name]
    rows: QuerySet[Any] = model._default_manager.filter(created_at__gte=since).order_by()
    counts = {step: Count(column) for step, column in steps}
    names = tuple(step for step, _ in steps)
    total = rows.aggregate(shown=Count("pk"), **counts)
    modes = rows.values("mode").annotate(shown=Count("pk"), **counts).order_by("-shown", "mode")
    days = (
        rows.annotate(day=TruncDate("created_at", tzinfo=UTC))
        .values("day")
        .annotate(shown=Count("pk"), **counts)
        .order_by("-day")
    )
    return Side(
        name=name,
        steps=names,
        total=_row("All", total, names),
        modes=tuple(_row(MODES.get(row["mode"], row["mode"]), row, names) for row in modes),
        days=tuple(_row(_day(row["day"]), row, names) for row in days),
    )


def verdicts(*, since: datetime) -> tuple[tuple[str, int, int], ...]:
    """Each verdict: its word, how often it was given of jobs, and of cleaners. One query."""
    given = RecommendationFeedback.objects.filter(created_at__gte=since).order_by().values("feedback_type")
    found = given.annotate(jobs=Count("job_recommendation"), cleaners=Count("cleaner_recommendation"))
    counts = {row["feedback_type"]: (int(row["jobs"]), int(row["cleaners"])) for row in found}
    return tuple((label, *counts.get(word, (0, 0))) for word, label in RecommendationFeedback.Verdict.choices)


def accuracy() -> tuple[Published, ...]:
    """What the models that serve now say of themselves; nothing of one that was never published, or is damaged."""
    found = []
    for kind, title in MODELS:
        try:
            model = published(settings.RECOMMENDATION_MODELS_DIR, "cleaners", kind)
        except (TandemError, OSError) as error:
            log.warning("the figures of %s cannot be read: %s", kind, error)
            continue
        if model is not None:
            found.append(Published(title, model.version, _figures(model.manifest.metrics)))
    return tuple(found)


def _figures(metrics: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    return tuple((word, value) for name, word in FIGURES.items() if (value := _within(metrics, name.split("."))) is not None)


def _within(metrics: Any, path: Sequence[str]) -> float | None:
    for step in path:
        metrics = metrics.get(step) if isinstance(metrics, Mapping) else None
    return float(metrics) if isinstance(metrics, int | float) and not isinstance(metrics, bool) else None


def _row(name: str, counted: Mapping[str, Any], steps: Sequence[str]) -> Row:
    return Row(name, counted["shown"], tuple(counted[step] for step in steps))


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
