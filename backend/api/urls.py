"""The reference project's URLs under /api/."""

from django.urls import include, path

urlpatterns = [path("", include("tandem.api.urls"))]
