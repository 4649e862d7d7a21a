"""Read-only admin pages of interactions, impressions, feedback and background jobs. They never count a large table."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from tandem.event_sync.rows import EXPECTED
from tandem.models import (
    BackgroundJob,
    Feedback,
    Impression,
    ImpressionItem,
    ItemKey,
    NotMirrored,
    Quarantine,
    UserInteraction,
)
from tandem.selectors.items import titles_of
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


class TitledChangeList(ChangeList):
    """A page of rows, each with the title of its item: one query per catalogue of the page."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page and the titles."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        keys = [row if isinstance(row, ItemKey) else row.item for row in self.result_list]
        titles = titles_of(keys)
        for row, key in zip(self.result_list, keys, strict=True):
            row.item_title = titles.get(key.pk, "")


class TitledList(FastList):
    """A list of rows about items."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the class that adds titles."""
        return TitledChangeList

    @admin.display(description="item")
    def titled_item(self, row: Any) -> str:
        """Return the title and the id of the item; the id alone if the site has no such item now."""
        key = row if isinstance(row, ItemKey) else row.item
        title = row.item_title if hasattr(row, "item_title") else titles_of([key]).get(key.pk, "")
        return f"{title} ({key.item_id})" if title else key.item_id


class ShownItems(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # as above
    """The items of a list, in order."""

    model = ImpressionItem
    fields = ("position", "titled_item", "score")
    readonly_fields = ("titled_item",)
    ordering = ("position",)
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImpressionItem]:
        """Return the items with their keys."""
        return super().get_queryset(request).select_related("item__catalogue")

    @admin.display(description="item")
    def titled_item(self, row: ImpressionItem) -> str:
        """Return the title and the id of the item; the titles of the list are read once per request."""
        known: tuple[Any, dict[int, str]] | None = getattr(self, "_titles", None)
        if known is None or known[0] != row.impression_id:
            shown = ItemKey.objects.select_related("catalogue").filter(
                pk__in=ImpressionItem.objects.filter(impression=row.impression_id).values("item")
            )
            known = (row.impression_id, titles_of(list(shown)))
            self._titles = known
        title = known[1].get(row.item_id, "")
        return f"{title} ({row.item.item_id})" if title else row.item.item_id


@admin.register(Impression)
class ImpressionAdmin(FastList):
    """Shown lists with the engine that answered."""

    list_display = ("time", "user", "use_case", "surface", "method_used", "degraded", "model_version")
    list_select_related = ("user",)
    search_fields = ("user__user_id__exact", "request_id__exact")
    ordering = ("-time",)
    inlines = (ShownItems,)


@admin.register(UserInteraction)
class UserInteractionAdmin(TitledList):
    """Interactions of users."""

    list_display = ("time", "user", "kind", "titled_item", "catalogue", "value", "request_id")
    list_select_related = ("user", "kind", "item__catalogue", "catalogue")
    search_fields = ("user__user_id__exact", "event_id__exact")


@admin.register(NotMirrored)
class NotMirroredAdmin(FastList):
    """Rows of the site's event tables that are no interactions, by table and reason."""

    list_display = ("table", "reason", "rows", "example", "time", "to_correct")
    list_display_links = None
    list_select_related = ("origin",)
    ordering = ("-rows",)

    @admin.display(description="table", ordering="origin__name")
    def table(self, entry: NotMirrored) -> str:
        """Return the name of the declared table."""
        return entry.origin.name

    @admin.display(description="to correct", boolean=True)
    def to_correct(self, entry: NotMirrored) -> bool:
        """Return True if such rows should be interactions."""
        return entry.reason not in EXPECTED


@admin.register(ItemKey)
class ItemKeyAdmin(TitledList):
    """Items that something was recorded about."""

    list_display = ("titled_item", "catalogue")
    list_select_related = ("catalogue",)
    search_fields = ("item_id__exact",)


@admin.register(Feedback)
class FeedbackAdmin(TitledList):
    """Feedback of users."""

    list_display = ("time", "user", "verdict", "titled_item", "comment")
    list_select_related = ("user", "item__catalogue")
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
