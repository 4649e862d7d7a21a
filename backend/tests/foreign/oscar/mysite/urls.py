"""Oscar's addresses, and those of Tandem."""

from django.apps import apps
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("tandem/", include("tandem.urls")),
    *i18n_patterns(path("", include(apps.get_app_config("oscar").urls[0]))),
]
