"""The marketplace and its recommender in Django's admin: rows can be added, changed, deleted, filtered and downloaded."""

import csv
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from sites.cleaning import models
from tandem.admin import PAGE

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run
CHUNK = 2000


class _Echo:
    """A file for csv.writer whose write returns the line."""

    def write(self, line: str) -> str:
        return line


@admin.action(description="Download the selected rows as CSV")
def as_csv(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> StreamingHttpResponse:
    """Stream every column of the selected rows, in the order of the list."""
    names = [field.attname for field in queryset.model._meta.concrete_fields]
    response = StreamingHttpResponse(_lines(names, queryset.values_list(*names)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{queryset.model._meta.model_name}.csv"'
    response["Cache-Control"] = "private, no-store"
    return response


def safe(value: Any) -> Any:
    """Return a cell; text that a spreadsheet would run as a formula gets a quote before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _lines(names: Sequence[str], rows: "QuerySet[Any, Any]") -> Iterable[str]:
    write: Callable[[Iterable[Any]], str] = csv.writer(_Echo()).writerow
    yield write(names)
    for row in rows.iterator(chunk_size=CHUNK):
        yield write([safe(value) for value in row])


def _is_set(*columns: str) -> list[tuple[str, type[admin.EmptyFieldListFilter]]]:
    """Return a filter for each column: empty or not."""
    return [(column, admin.EmptyFieldListFilter) for column in columns]


SHOWN = ("created_at", "rank", "score", "mode", "degraded")
UNKNOWN = "-"
LIST_SEARCH = ("job__id__exact", "cleaner__name", "request_id__exact")


class Table(admin.ModelAdmin):  # type: ignore[type-arg]  # subscriptable in the stubs only
    """Base of all lists: pages of 50, no count of all rows, the selected rows as CSV."""

    list_per_page = PAGE
    show_full_result_count = False
    actions = (as_csv,)


@admin.register(models.Client)
class ClientAdmin(Table):
    """Clients, and the accounts that may see them."""

    list_display = ("name", "budget", "jobs_posted", "joined", "account", "is_demo")
    list_filter = ("budget", "is_demo")
    list_select_related = ("account",)
    search_fields = ("name", "id__exact")
    date_hierarchy = "joined"
    raw_id_fields = ("account",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return clients with the number of their jobs."""
        rows: QuerySet[Any] = super().get_queryset(request).annotate(job_count=Count("jobs"))
        return rows

    @admin.display(description="jobs", ordering="job_count")
    def jobs_posted(self, client: Any) -> int:
        """Return the number of jobs posted."""
        return int(client.job_count)


@admin.register(models.Cleaner)
class CleanerAdmin(Table):
    """Cleaners with their scores."""

    list_display = ("name", "tier", "hourly_rate", "overall", "eco_friendly", "is_available", "reach_km", "joined", "is_demo")
    list_filter = ("tier", "is_available", "eco_friendly", "is_demo", "standing__primary_property_type")
    list_select_related = ("standing",)
    search_fields = ("name", "id__exact")
    date_hierarchy = "joined"
    raw_id_fields = ("account",)

    @admin.display(description="overall", ordering="standing__overall_score")
    def overall(self, cleaner: models.Cleaner) -> str:
        """Return the overall score."""
        score = getattr(cleaner, "standing", None)
        return UNKNOWN if score is None else f"{score.overall_score:.1f}"


@admin.register(models.Property)
class PropertyAdmin(Table):
    """Properties of clients."""

    list_display = ("district", "kind", "size_m2", "client")
    list_filter = ("kind",)
    list_select_related = ("client",)
    search_fields = ("district", "client__name")
    autocomplete_fields = ("client",)


class Bids(admin.TabularInline):  # type: ignore[type-arg]  # as above
    """Bids for the job."""

    model = models.JobBid
    fk_name = "job"
    fields = ("cleaner", "amount", "status", "message", "time", "request_id")
    autocomplete_fields = ("cleaner",)
    extra = 0


@admin.register(models.CleaningJob)
class CleaningJobAdmin(Table):
    """Jobs from posting to payment."""

    list_display = (
        "__str__",
        "client",
        "status",
        "hours",
        "budget",
        "bids_placed",
        "cleaner",
        "posted_at",
        "wanted_for",
        "ended_at",
    )
    list_filter = ("status", "place__kind", "eco_friendly", "was_on_time", "cancelled_by_cleaner")
    list_select_related = ("place", "client", "cleaner")
    search_fields = ("id__exact", "client__name", "cleaner__name", "place__district")
    date_hierarchy = "posted_at"
    autocomplete_fields = ("client", "place", "cleaner")
    raw_id_fields = ("accepted_bid",)
    inlines = (Bids,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return jobs with the number of their bids."""
        rows: QuerySet[Any] = super().get_queryset(request).annotate(bid_count=Count("bids"))
        return rows

    @admin.display(description="bids", ordering="bid_count")
    def bids_placed(self, job: Any) -> int:
        """Return the number of bids."""
        return int(job.bid_count)


@admin.register(models.JobBid)
class JobBidAdmin(Table):
    """Bids, and whether they won."""

    list_display = ("time", "job", "cleaner", "amount", "of_budget", "status", "from_a_list")
    list_filter = ("status", "job__place__kind")
    list_select_related = ("job__place", "cleaner")
    search_fields = ("job__id__exact", "cleaner__name", "request_id__exact")
    date_hierarchy = "time"
    autocomplete_fields = ("job", "cleaner")

    @admin.display(description="of the budget")
    def of_budget(self, bid: models.JobBid) -> str:
        """Return the amount as a share of the client's budget."""
        return f"{bid.amount / bid.job.budget:.0%}" if bid.job.budget else UNKNOWN

    @admin.display(description="from a list", boolean=True)
    def from_a_list(self, bid: models.JobBid) -> bool:
        """Return True if a recommendation preceded the bid."""
        return bid.request_id is not None


@admin.register(models.Review)
class ReviewAdmin(Table):
    """Reviews of clients."""

    list_display = ("time", "job", "client", "cleaner", "overall", "quality", "communication", "professionalism", "timeliness")
    list_filter = ("overall",)
    list_select_related = ("job__place", "client", "cleaner")
    search_fields = ("job__id__exact", "client__name", "cleaner__name", "comment")
    date_hierarchy = "time"
    autocomplete_fields = ("job", "client", "cleaner")


@admin.register(models.Payment)
class PaymentAdmin(Table):
    """Simulated payments."""

    list_display = ("reference", "job", "amount", "platform_fee", "payout", "fee_share", "status", "time")
    list_filter = ("status",)
    list_select_related = ("job__place",)
    search_fields = ("reference", "job__id__exact")
    date_hierarchy = "time"
    autocomplete_fields = ("job",)

    @admin.display(description="fee")
    def fee_share(self, payment: models.Payment) -> str:
        """Return the fee as a share of the amount."""
        return f"{payment.platform_fee / payment.amount:.1%}" if payment.amount else UNKNOWN


@admin.register(models.CleanerScore)
class CleanerScoreAdmin(Table):
    """Scores of the last update_cleaner_scores."""

    list_display = (
        "cleaner", "overall_score", "quality", "reliability", "experience", "bidding", "activity", "average_rating",
        "review_count", "completion_rate", "win_rate", "total_jobs", "primary_property_type", "is_active", "updated_at",
    )  # fmt: skip
    list_filter = ("is_active", "primary_property_type", "cleaner__tier")
    list_select_related = ("cleaner",)
    search_fields = ("cleaner__name", "cleaner__id__exact")
    date_hierarchy = "updated_at"
    autocomplete_fields = ("cleaner",)


@admin.register(models.JobRecommendation)
class JobRecommendationAdmin(Table):
    """Jobs shown to cleaners, with the outcome."""

    list_display = (*SHOWN, "job", "cleaner", "viewed", "bid_placed", "bid_accepted", "bid")
    list_filter = (*_is_set("viewed_at", "bid_placed_at", "bid_accepted_at"), "mode", "degraded", "feedback__feedback_type")
    list_select_related = ("job__place", "cleaner", "bid")
    search_fields = LIST_SEARCH
    date_hierarchy = "created_at"
    autocomplete_fields = ("job", "cleaner", "bid")
    ordering = ("-created_at", "rank")


@admin.register(models.CleanerRecommendation)
class CleanerRecommendationAdmin(Table):
    """Cleaners shown to clients, with the outcome."""

    list_display = (*SHOWN, "job", "cleaner", "client", "viewed", "contacted", "hired")
    list_filter = (*_is_set("viewed_at", "contacted_at", "hired_at"), "mode", "degraded", "feedback__feedback_type")
    list_select_related = ("job__place", "cleaner", "client")
    search_fields = (*LIST_SEARCH, "client__name")
    date_hierarchy = "created_at"
    autocomplete_fields = ("job", "cleaner", "client")
    ordering = ("-created_at", "rank")


@admin.register(models.BidSuggestion)
class BidSuggestionAdmin(Table):
    """Suggested bids, with the outcome."""

    list_display = (
        "created_at", "job", "cleaner", "method", "minimum", "optimal", "maximum", "client_budget", "market_average",
        "cleaner_average", "win_rate", "current_bid_count", "lowest_bid", "actual_bid", "was_used", "did_win",
    )  # fmt: skip
    list_filter = ("method", "was_used", "did_win", "model_version")
    list_select_related = ("job__place", "cleaner")
    search_fields = ("job__id__exact", "cleaner__name")
    date_hierarchy = "created_at"
    autocomplete_fields = ("job", "cleaner")


@admin.register(models.RecommendationFeedback)
class RecommendationFeedbackAdmin(Table):
    """Feedback on recommendations."""

    list_display = ("created_at", "feedback_type", "about", "rank_shown", "mode", "comment")
    list_filter = ("feedback_type", "job_recommendation__mode", "cleaner_recommendation__mode")
    list_select_related = ("job_recommendation", "cleaner_recommendation")
    search_fields = ("comment", "job_recommendation__cleaner__name", "cleaner_recommendation__client__name")
    date_hierarchy = "created_at"
    autocomplete_fields = ("job_recommendation", "cleaner_recommendation")

    @admin.display(description="recommendation")
    def about(self, feedback: models.RecommendationFeedback) -> str:
        """Return the recommended pair."""
        return str(feedback.recommendation)

    @admin.display(description="rank")
    def rank_shown(self, feedback: models.RecommendationFeedback) -> int:
        """Return the rank of the recommendation."""
        return int(feedback.recommendation.rank)

    @admin.display(description="mode")
    def mode(self, feedback: models.RecommendationFeedback) -> str:
        """Return the mode that made the score."""
        return str(feedback.recommendation.mode)
