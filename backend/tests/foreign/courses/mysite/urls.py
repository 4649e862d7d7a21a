"""The pages, Tandem's addresses and the admin."""

from django.contrib import admin
from django.urls import include, path
from school.views import home, page

urlpatterns = [
    path("tandem/", include("tandem.urls")),
    path("admin/", admin.site.urls),
    path("<str:kind>/<int:pk>/", page),
    path("", home),
]
