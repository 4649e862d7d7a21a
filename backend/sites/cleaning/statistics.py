"""Outcomes of the marketplace's recommendations and suggested bids, and the accuracy of its models. Days are those of UTC."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate

from recommendation_service.errors import TandemError
from recommendation_service.publishing.reading import published
from sites.cleaning.models import BidSuggestion, CleanerRecommendation, JobRecommendation, RecommendationFeedback
from sites.cleaning.web.labels import MODE_NAMES

log = logging.getLogger(__name__)
SIDES: Mapping[str, tuple[type[JobRecommendation] | type[CleanerRecommendation], Mapping[str, str]]] = {
    "cleaners": (CleanerRecommendation, {"viewed": "viewed_at", "contacted": "contacted_at", "hired": "hired_at"}),
    "jobs": (JobRecommendation, {"viewed": "viewed_at", "bid": "bid_placed_at", "accepted": "bid_accepted_at"}),
}
METRICS = {
    "top_1": "the hired cleaner is first",
    "top_3": "the hired cleaner is among the first three",
    "chance_top_1": "first in a random order",
    "chance_top_3": "among the first three in a random order",
    "mse": "mean squared error",
    "mae": "mean absolute error",
    "r2": "R²",
    "alpha": "weight of the collaborative half (alpha)",
    "jobs": "jobs in the training data",
    "validation_pairs": "pairs in the validation data",
    "held_out.n": "winning bids in the test data",
    "held_out.coverage": "winning bids between minimum and maximum",
    "held_out.share": "intended share of them",
    "held_out.width": "mean width of the range, relative to the optimal bid",
}
MODELS = (("neural", "The network of pairs"), ("bid", "The network of bids"))
_WON, _LOST, _USED, _UNUSED = Q(did_win=True), Q(did_win=False), Q(was_used=True), Q(was_used=False)


@dataclass(frozen=True, slots=True)
class Row:
    """Recommendations of one mode or day, and the number that reached each step."""

    name: str
    shown: int
    counts: tuple[int, ...]

    @property
    def cells(self) -> tuple[tuple[int, float], ...]:
        """Each count, and the same per 100 shown."""
        return tuple((count, 100 * count / self.shown if self.shown else 0.0) for count in self.counts)


@dataclass(frozen=True, slots=True)
class Side:
    """Outcomes of one of the two kinds of lists."""

    name: str
    steps: tuple[str, ...]
    total: Row
    modes: tuple[Row, ...]
    days: tuple[Row, ...]  # the newest first


@dataclass(frozen=True, slots=True)
class SuggestionOutcomes:
    """Counts of suggested bids by one method. A bid is used if it is within the suggested range."""

    method: str
    suggested: int
    bid: int
    used: int
    won_used: int
    lost_used: int
    won_unused: int
    lost_unused: int

    @property
    def used_share(self) -> float | None:
        """Used bids per bid; None without bids."""
        return _share(self.used, self.bid)

    @property
    def win_rate_used(self) -> float | None:
        """Won bids per decided bid, of those used; None without any."""
        return _share(self.won_used, self.won_used + self.lost_used)

    @property
    def win_rate_unused(self) -> float | None:
        """Won bids per decided bid, of those not used; None without any."""
        return _share(self.won_unused, self.won_unused + self.lost_unused)

    @property
    def coverage(self) -> float | None:
        """Used bids per won bid; None without any. `tandem evaluate bids` measures it on all winning bids."""
        return _share(self.won_used, self.won_used + self.won_unused)

    @property
    def shares(self) -> tuple[float | None, ...]:
        """All four, in the order of the page's columns."""
        return self.used_share, self.win_rate_used, self.win_rate_unused, self.coverage


@dataclass(frozen=True, slots=True)
class Published:
    """A published model with its own metrics."""

    title: str
    version: str
    figures: tuple[tuple[str, float], ...]


def side_of(name: str, *, since: datetime) -> Side:
    """Return the outcomes of one kind of lists since then, in three queries. A row counts on the day it was shown."""
    model, columns = SIDES[name]
    rows: QuerySet[Any] = model._default_manager.filter(created_at__gte=since).order_by()
    counts = {"shown": Count("pk"), **{step: Count(column) for step, column in columns.items()}}
    modes = rows.values("mode").annotate(**counts).order_by("-shown", "mode")
    days = rows.annotate(day=TruncDate("created_at", tzinfo=UTC)).values("day").annotate(**counts).order_by("-day")

    def row(label: str, counted: Mapping[str, Any]) -> Row:
        return Row(label, counted["shown"], tuple(counted[step] for step in columns))

    return Side(
        name=name,
        steps=tuple(columns),
        total=row("All", rows.aggregate(**counts)),
        modes=tuple(row(str(MODE_NAMES.get(counted["mode"], counted["mode"])), counted) for counted in modes),
        days=tuple(row(f"{counted['day'].day} {counted['day']:%B %Y}", counted) for counted in days),
    )


def feedback_counts(*, since: datetime) -> tuple[tuple[str, int, int], ...]:
    """Return each kind of feedback with its count on jobs and on cleaners. One query."""
    rows = RecommendationFeedback.objects.filter(created_at__gte=since).order_by().values_list("feedback_type")
    counts = {
        kind: (jobs, cleaners)
        for kind, jobs, cleaners in rows.annotate(Count("job_recommendation"), Count("cleaner_recommendation"))
    }
    return tuple((label, *counts.get(kind, (0, 0))) for kind, label in RecommendationFeedback.Verdict.choices)


def suggestion_outcomes(*, since: datetime | None = None) -> list[SuggestionOutcomes]:
    """Return one row per method, by its name. One query."""
    rows = BidSuggestion.objects.all() if since is None else BidSuggestion.objects.filter(created_at__gte=since)
    counts = {
        "suggested": Q(),
        "bid": Q(actual_bid__isnull=False),
        "used": _USED,
        "won_used": _WON & _USED,
        "lost_used": _LOST & _USED,
        "won_unused": _WON & _UNUSED,
        "lost_unused": _LOST & _UNUSED,
    }
    by_method = rows.order_by("method").values("method")
    counted: Any = by_method.annotate(**{name: Count("pk", filter=condition) for name, condition in counts.items()})
    return [SuggestionOutcomes(**row) for row in counted]


def accuracy() -> tuple[Published, ...]:
    """Return the metrics of the published models; models that are missing or damaged are left out."""
    result = []
    for kind, title in MODELS:
        try:
            model = published(settings.RECOMMENDATION_MODELS_DIR, "cleaners", kind)
        except (TandemError, OSError) as error:
            log.warning("the metrics of %s cannot be read: %s", kind, error)
            continue
        if model is not None:
            values = ((label, _number(model.manifest.metrics, name.split("."))) for name, label in METRICS.items())
            figures = tuple((label, value) for label, value in values if value is not None)
            result.append(Published(title, model.version, figures))
    return tuple(result)


def _number(metrics: Any, path: Sequence[str]) -> float | None:
    for step in path:
        metrics = metrics.get(step) if isinstance(metrics, Mapping) else None
    return float(metrics) if isinstance(metrics, int | float) and not isinstance(metrics, bool) else None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
