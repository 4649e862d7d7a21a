"""Tandem's addresses, and every page of the blog."""

from django.urls import include, path
from wagtail import urls as wagtail_urls

urlpatterns = [path("tandem/", include("tandem.urls")), path("", include(wagtail_urls))]
