"""The marketplace and its recommender in Django's admin: everything can be added, changed, deleted, filtered and downloaded."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from sites.cleaning import models
from sites.cleaning.csv_export import as_csv
from tandem.admin import PAGE

SHOWN = ("created_at", "rank", "score", "mode", "degraded")
UNKNOWN = "-"
OF_A_LIST = ("job__id__exact", "cleaner__name", "request_id__exact")


class Table(admin.ModelAdmin):  # type: ignore[type-arg]  # subscriptable in the stubs only
    """What all lists have: pages of 50, no count of everything, the chosen rows as CSV."""

    list_per_page = PAGE
    show_full_result_count = False
    actions = (as_csv,)


class Outcome(admin.SimpleListFilter):
    """Recommendations by how far they came. A side names its steps."""

    title = "what came of it"
    parameter_name = "outcome"
    steps: tuple[tuple[str, str], ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Nothing, or one of the steps."""
        return [("nothing", "nothing"), *((word, word) for word, _ in self.steps)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those that came so far; for nothing, those that came nowhere."""
        if self.value() == "nothing":
            return queryset.filter(**{f"{column}__isnull": True for _, column in self.steps})
        column = dict(self.steps).get(self.value() or "")
        return queryset.filter(**{f"{column}__isnull": False}) if column else queryset


class JobOutcome(Outcome):
    """What a cleaner did with a job."""

    steps = (("viewed", "viewed_at"), ("bid placed", "bid_placed_at"), ("bid accepted", "bid_accepted_at"))


class CleanerOutcome(Outcome):
    """What a client did with a cleaner."""

    steps = (("viewed", "viewed_at"), ("contacted", "contacted_at"), ("hired", "hired_at"))


@admin.register(models.Client)
class ClientAdmin(Table):
    """Those who post jobs, and the account that may see them."""

    list_display = ("name", "budget", "jobs_posted", "joined", "account", "is_demo")
    list_filter = ("budget", "is_demo")
    list_select_related = ("account",)
    search_fields = ("name", "id__exact")
    date_hierarchy = "joined"
    raw_id_fields = ("account",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the number of their jobs."""
        rows: QuerySet[Any] = super().get_queryset(request).annotate(job_count=Count("jobs"))
        return rows

    @admin.display(description="jobs", ordering="job_count")
    def jobs_posted(self, client: Any) -> int:
        """How many jobs they posted."""
        return int(client.job_count)


@admin.register(models.Cleaner)
class CleanerAdmin(Table):
    """Those who clean, with how they stand."""

    list_display = ("name", "tier", "hourly_rate", "overall", "eco_friendly", "is_available", "reach_km", "joined", "is_demo")
    list_filter = ("tier", "is_available", "eco_friendly", "is_demo", "standing__primary_property_type")
    list_select_related = ("standing",)
    search_fields = ("name", "id__exact")
    date_hierarchy = "joined"
    raw_id_fields = ("account",)

    @admin.display(description="overall", ordering="standing__overall_score")
    def overall(self, cleaner: models.Cleaner) -> str:
        """Their overall score."""
        found = getattr(cleaner, "standing", None)
        return UNKNOWN if found is None else f"{found.overall_score:.1f}"


@admin.register(models.Property)
class PropertyAdmin(Table):
    """Places to clean."""

    list_display = ("district", "kind", "size_m2", "client")
    list_filter = ("kind",)
    list_select_related = ("client",)
    search_fields = ("district", "client__name")
    autocomplete_fields = ("client",)


class Bids(admin.TabularInline):  # type: ignore[type-arg]  # as above
    """What was offered for the job."""

    model = models.JobBid
    fk_name = "job"
    fields = ("cleaner", "amount", "status", "message", "time", "request_id")
    autocomplete_fields = ("cleaner",)
    extra = 0


@admin.register(models.CleaningJob)
class CleaningJobAdmin(Table):
    """Jobs, from being posted to being paid."""

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
        """With the number of their bids."""
        rows: QuerySet[Any] = super().get_queryset(request).annotate(bid_count=Count("bids"))
        return rows

    @admin.display(description="bids", ordering="bid_count")
    def bids_placed(self, job: Any) -> int:
        """How many bids there are."""
        return int(job.bid_count)


@admin.register(models.JobBid)
class JobBidAdmin(Table):
    """Offers, and whether they won."""

    list_display = ("time", "job", "cleaner", "amount", "of_budget", "status", "from_a_list")
    list_filter = ("status", "job__place__kind")
    list_select_related = ("job__place", "cleaner")
    search_fields = ("job__id__exact", "cleaner__name", "request_id__exact")
    date_hierarchy = "time"
    autocomplete_fields = ("job", "cleaner")

    @admin.display(description="of the budget")
    def of_budget(self, bid: models.JobBid) -> str:
        """The amount as a share of the client's budget."""
        return f"{bid.amount / bid.job.budget:.0%}" if bid.job.budget else UNKNOWN

    @admin.display(description="from a list", boolean=True)
    def from_a_list(self, bid: models.JobBid) -> bool:
        """Whether a recommendation led to it."""
        return bid.request_id is not None


@admin.register(models.Review)
class ReviewAdmin(Table):
    """What clients said."""

    list_display = ("time", "job", "client", "cleaner", "overall", "quality", "communication", "professionalism", "timeliness")
    list_filter = ("overall",)
    list_select_related = ("job__place", "client", "cleaner")
    search_fields = ("job__id__exact", "client__name", "cleaner__name", "comment")
    date_hierarchy = "time"
    autocomplete_fields = ("job", "client", "cleaner")


@admin.register(models.Payment)
class PaymentAdmin(Table):
    """What was paid; nobody was charged."""

    list_display = ("reference", "job", "amount", "platform_fee", "payout", "fee_share", "status", "time")
    list_filter = ("status",)
    list_select_related = ("job__place",)
    search_fields = ("reference", "job__id__exact")
    date_hierarchy = "time"
    autocomplete_fields = ("job",)

    @admin.display(description="fee")
    def fee_share(self, payment: models.Payment) -> str:
        """The fee as a share of the whole."""
        return f"{payment.platform_fee / payment.amount:.1%}" if payment.amount else UNKNOWN


@admin.register(models.CleanerScore)
class CleanerScoreAdmin(Table):
    """How cleaners stand, by the last update_cleaner_scores."""

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
    """Jobs shown to cleaners, and what they did then."""

    list_display = (*SHOWN, "job", "cleaner", "is_viewed", "is_bid_placed", "is_bid_accepted", "bid")
    list_filter = (JobOutcome, "mode", "degraded", "feedback__feedback_type")
    list_select_related = ("job__place", "cleaner", "bid")
    search_fields = OF_A_LIST
    date_hierarchy = "created_at"
    autocomplete_fields = ("job", "cleaner", "bid")
    ordering = ("-created_at", "rank")

    @admin.display(description="viewed", boolean=True, ordering="viewed_at")
    def is_viewed(self, shown: models.JobRecommendation) -> bool:
        """Whether it was opened."""
        return shown.viewed

    @admin.display(description="bid placed", boolean=True, ordering="bid_placed_at")
    def is_bid_placed(self, shown: models.JobRecommendation) -> bool:
        """Whether they bid."""
        return shown.bid_placed

    @admin.display(description="bid accepted", boolean=True, ordering="bid_accepted_at")
    def is_bid_accepted(self, shown: models.JobRecommendation) -> bool:
        """Whether the bid won."""
        return shown.bid_accepted


@admin.register(models.CleanerRecommendation)
class CleanerRecommendationAdmin(Table):
    """Cleaners shown to clients, and what they did then."""

    list_display = (*SHOWN, "job", "cleaner", "client", "is_viewed", "is_contacted", "is_hired")
    list_filter = (CleanerOutcome, "mode", "degraded", "feedback__feedback_type")
    list_select_related = ("job__place", "cleaner", "client")
    search_fields = (*OF_A_LIST, "client__name")
    date_hierarchy = "created_at"
    autocomplete_fields = ("job", "cleaner", "client")
    ordering = ("-created_at", "rank")

    @admin.display(description="viewed", boolean=True, ordering="viewed_at")
    def is_viewed(self, shown: models.CleanerRecommendation) -> bool:
        """Whether it was opened."""
        return shown.viewed

    @admin.display(description="contacted", boolean=True, ordering="contacted_at")
    def is_contacted(self, shown: models.CleanerRecommendation) -> bool:
        """Whether the client wrote to them."""
        return shown.contacted

    @admin.display(description="hired", boolean=True, ordering="hired_at")
    def is_hired(self, shown: models.CleanerRecommendation) -> bool:
        """Whether they got the job."""
        return shown.hired


@admin.register(models.BidSuggestion)
class BidSuggestionAdmin(Table):
    """Bids advised, and what came of them."""

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
    """What people said of recommendations."""

    list_display = ("created_at", "feedback_type", "about", "rank_shown", "mode", "comment")
    list_filter = ("feedback_type", "job_recommendation__mode", "cleaner_recommendation__mode")
    list_select_related = ("job_recommendation", "cleaner_recommendation")
    search_fields = ("comment", "job_recommendation__cleaner__name", "cleaner_recommendation__client__name")
    date_hierarchy = "created_at"
    autocomplete_fields = ("job_recommendation", "cleaner_recommendation")

    @admin.display(description="recommendation")
    def about(self, said: models.RecommendationFeedback) -> str:
        """What was recommended to whom."""
        return str(said.recommendation)

    @admin.display(description="rank")
    def rank_shown(self, said: models.RecommendationFeedback) -> int:
        """At which place it was shown."""
        return int(said.recommendation.rank)

    @admin.display(description="mode")
    def mode(self, said: models.RecommendationFeedback) -> str:
        """What had made its score."""
        return str(said.recommendation.mode)
