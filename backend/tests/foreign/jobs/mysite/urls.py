"""The pages, and Tandem's addresses."""

from board.views import home, page
from django.urls import include, path

urlpatterns = [path("tandem/", include("tandem.urls")), path("job/<int:pk>/", page), path("", home)]
