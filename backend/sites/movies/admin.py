"""Films and viewers in Django's admin."""

from django.contrib import admin

from sites.admin import PersonAdmin
from sites.movies.models import Movie, Viewer


@admin.register(Movie)
class MovieAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # subscriptable in the stubs only
    """Films by year."""

    list_display = ("title", "year", "genres")
    search_fields = ("title",)


@admin.register(Viewer)
class ViewerAdmin(PersonAdmin):
    """Viewers with their attributes."""

    list_display = ("label", "describe", "account", "is_demo")
    list_filter = ("is_demo", "age_band", "gender", "occupation")
    search_fields = ("label", "id")
    readonly_fields = ()
