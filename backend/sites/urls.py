"""Every site's page, at the root of the server."""

from django.urls import include, path

urlpatterns = [path("", include("sites.page.urls"))]
