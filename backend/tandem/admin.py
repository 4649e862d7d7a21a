"""Read-only admin pages of interactions, impressions, feedback and background jobs. They never count a large table."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from tandem.models import BackgroundJob, Feedback, Impression, ImpressionItem, Quarantine, UserInteraction
from tandem.services.background_jobs import mark_lost
from tandem.trust.quarantine import quarantine, release

PAGE = 50
PAGES = 200


class UncountedPaginator(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """Offers the newest PAGES pages, and counts no further than those."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, at most PAGE * PAGES."""
        rows: Any = self.object_list
        return len(rows.values_list("pk", flat=True)[: PAGE * PAGES])


class ReadOnly:
    """Denies every change in the admin."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False; the view permission still applies."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False; `manage.py erase_user` deletes a user from every table."""
        return False


class FastList(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    """A list of the newest rows that is fast for a table of any size."""

    show_full_result_count = False
    list_per_page = PAGE
    paginator = UncountedPaginator
    ordering = ("-pk",)


class ShownItems(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # as above
    """The items of a list, in order."""

    model = ImpressionItem
    fields = ("position", "item", "score")
    ordering = ("position",)
    extra = 0


@admin.register(Impression)
class ImpressionAdmin(FastList):
    """Shown lists with the engine that answered."""

    list_display = ("time", "user", "use_case", "surface", "method_used", "degraded", "model_version")
    list_select_related = ("user",)
    search_fields = ("user__user_id__exact", "request_id__exact")
    ordering = ("-time",)
    inlines = (ShownItems,)


@admin.register(UserInteraction)
class UserInteractionAdmin(FastList):
    """Interactions of users."""

    list_display = ("time", "user", "kind", "item", "catalogue", "value", "request_id")
    list_select_related = ("user", "kind", "item", "catalogue")
    search_fields = ("user__user_id__exact", "event_id__exact")


@admin.register(Feedback)
class FeedbackAdmin(FastList):
    """Feedback of users."""

    list_display = ("time", "user", "verdict", "item", "comment")
    list_select_related = ("user", "item")
    search_fields = ("user__user_id__exact",)


@admin.register(Quarantine)
class QuarantineAdmin(FastList):
    """Accounts that act like bots, with an action to release them and one to take that back."""

    list_display = ("time", "user", "reason", "released")
    list_select_related = ("user",)
    search_fields = ("user__user_id__exact",)
    ordering = ("-time",)
    actions = ("release_accounts", "quarantine_again")

    def has_release_permission(self, request: HttpRequest) -> bool:
        """Return True for staff with the model's change permission, though rows cannot be edited."""
        return bool(request.user.has_perm("tandem.change_quarantine"))

    @admin.action(description="Let the events of these accounts count again", permissions=["release"])
    def release_accounts(self, request: HttpRequest, queryset: QuerySet[Quarantine]) -> None:
        """Release every chosen account."""
        for entry in queryset.select_related("user"):
            release(entry.user.user_id)

    @admin.action(description="Put these accounts into quarantine again", permissions=["release"])
    def quarantine_again(self, request: HttpRequest, queryset: QuerySet[Quarantine]) -> None:
        """Put every chosen account back."""
        for entry in queryset.select_related("user"):
            quarantine(entry.user.user_id, reason=entry.reason)


@admin.register(BackgroundJob)
class BackgroundJobAdmin(FastList):
    """Background jobs with their output."""

    list_display = ("started", "what", "use_case", "by", "status", "took")
    list_filter = ("what", "status")
    ordering = ("-started",)
    fields = ("what", "use_case", "by", "status", "started", "ended", "took", "log")
    readonly_fields = ("took",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BackgroundJob]:
        """Return all jobs, after marking jobs with a killed process as failed."""
        mark_lost()
        return super().get_queryset(request)

    @admin.display(description="seconds")
    def took(self, job: BackgroundJob) -> str:
        """Return how long the job ran, or has been running."""
        return f"{((job.ended or job.seen) - job.started).total_seconds():.1f}"
