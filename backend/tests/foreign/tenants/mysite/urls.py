"""One page for each article, and Tandem's addresses."""

from django.urls import include, path
from helpdesk.views import home, page

urlpatterns = [path("tandem/", include("tandem.urls")), path("article/<int:pk>/", page), path("", home)]
