"""Read-only views of what happened and what was shown. Never counts a big table."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from tandem.models import Feedback, Impression, ImpressionItem, Run, UserInteraction
from tandem.services.background_jobs import mark_lost

PAGE = 50
PAGES = 200


class UncountedPaginator(Paginator):  # type: ignore[type-arg]  # not generic when the program runs
    """Offers the newest PAGES pages and never asks how many rows there are."""

    @cached_property
    def count(self) -> int:
        """Rows within reach, at most PAGE * PAGES of them."""
        rows: Any = self.object_list
        return len(rows.values_list("pk", flat=True)[: PAGE * PAGES])


class ReadOnly:
    """Nobody writes the past through the admin."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never; looking needs the view permission."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never; `manage.py erase_user` forgets a person in every table."""
        return False


class FastList(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    """A list of the newest rows that stays fast whatever the table's size."""

    show_full_result_count = False
    list_per_page = PAGE
    paginator = UncountedPaginator
    ordering = ("-pk",)


class ShownItems(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # as above
    """What the list held, in order: why was this shown?"""

    model = ImpressionItem
    fields = ("position", "item", "score")
    ordering = ("position",)
    extra = 0


@admin.register(Impression)
class ImpressionAdmin(FastList):
    """Lists that were shown, with the engine that made them and what should have answered instead."""

    list_display = ("time", "user", "use_case", "surface", "method_used", "degraded", "model_version")
    list_select_related = ("user",)
    search_fields = ("user__user_id__exact", "request_id__exact")
    ordering = ("-time",)
    inlines = (ShownItems,)


@admin.register(UserInteraction)
class UserInteractionAdmin(FastList):
    """What people did."""

    list_display = ("time", "user", "kind", "item", "catalogue", "value", "request_id")
    list_select_related = ("user", "kind", "item", "catalogue")
    search_fields = ("user__user_id__exact", "event_id__exact")


@admin.register(Feedback)
class FeedbackAdmin(FastList):
    """What people said."""

    list_display = ("time", "user", "verdict", "item", "comment")
    list_select_related = ("user", "item")
    search_fields = ("user__user_id__exact",)


@admin.register(Run)
class RunAdmin(FastList):
    """Long work: who started what, how it ended and what it said."""

    list_display = ("started", "what", "use_case", "by", "status", "took")
    list_filter = ("what", "status")
    ordering = ("-started",)
    fields = ("what", "use_case", "by", "status", "started", "ended", "took", "log")
    readonly_fields = ("took",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """All runs, those whose process was killed marked as failed first."""
        mark_lost()
        return super().get_queryset(request)

    @admin.display(description="seconds")
    def took(self, run: Run) -> str:
        """How long it ran, or has been running."""
        return f"{((run.ended or run.seen) - run.started).total_seconds():.1f}"
