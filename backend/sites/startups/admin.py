"""The startup board in Django's admin."""

from django.contrib import admin

from sites.startups.models import Developer, Investor, Startup


@admin.register(Startup)
class StartupAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # subscriptable in the stubs only
    """Startups by sector and stage."""

    list_display = ("name", "sector", "stage", "ticket", "founded_at", "is_public")
    list_filter = ("sector", "stage", "ticket", "is_public")
    search_fields = ("name", "pitch")
    readonly_fields = ("id",)


@admin.register(Developer, Investor)
class PersonAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # subscriptable in the stubs only
    """People, and the account that may see their list."""

    list_display = ("name", "describe", "account", "is_demo")
    list_filter = ("is_demo",)
    search_fields = ("name",)
    readonly_fields = ("id",)
    raw_id_fields = ("account",)
