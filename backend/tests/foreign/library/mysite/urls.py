"""One page for each work, and Tandem's addresses."""

from books.views import home, page
from django.urls import include, path

urlpatterns = [path("tandem/", include("tandem.urls")), path("work/<uuid:pk>/", page), path("", home)]
