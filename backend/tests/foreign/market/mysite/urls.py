"""The pages, and Tandem's addresses."""

from bazaar.views import home, page
from django.urls import include, path

urlpatterns = [path("tandem/", include("tandem.urls")), path("listing/<int:pk>/", page), path("", home)]
