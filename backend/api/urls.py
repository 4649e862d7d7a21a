"""The reference project's addresses under /api/."""

from django.urls import include, path

urlpatterns = [path("", include("tandem.api.urls"))]
