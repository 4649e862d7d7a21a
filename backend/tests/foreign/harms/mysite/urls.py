"""The site's pages and its own API."""

from django.db import transaction
from django.urls import include, path
from market.views import broken, home, later, like, offer

from api.views import ping

urlpatterns = [
    path("", home),
    path("offer/<int:pk>/", offer),
    path("like/<int:pk>/", like),
    path("broken/<int:pk>/", broken),
    path("later/", transaction.non_atomic_requests(later)),
    path("api/ping/", ping),
    path("tandem/", include("tandem.urls")),
]
