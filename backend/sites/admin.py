"""Admin classes that the sites share."""

from typing import ClassVar

from django.contrib import admin


class PersonAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # subscriptable in the stubs only
    """People, and the account that may see their list."""

    list_display: tuple[str, ...] = ("name", "describe", "account", "is_demo")
    list_filter: ClassVar[tuple[str, ...]] = ("is_demo",)
    list_select_related = ("account",)
    search_fields: ClassVar[tuple[str, ...]] = ("name",)
    readonly_fields: ClassVar[tuple[str, ...]] = ("id",)
    raw_id_fields = ("account",)
