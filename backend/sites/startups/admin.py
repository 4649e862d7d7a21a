"""The startup board in Django's admin."""

from django.contrib import admin

from sites.admin import PersonAdmin
from sites.startups.models import Developer, Investor, Startup


@admin.register(Startup)
class StartupAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # subscriptable in the stubs only
    """Startups by sector and stage."""

    list_display = ("name", "sector", "stage", "ticket", "founded_at", "is_public")
    list_filter = ("sector", "stage", "ticket", "is_public")
    search_fields = ("name", "pitch")
    readonly_fields = ("id",)


admin.site.register([Developer, Investor], PersonAdmin)
