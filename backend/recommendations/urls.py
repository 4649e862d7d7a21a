"""URL of the Django view of acceptance list 000; the marketplace's REST API is in `sites.cleaning.urls`."""

from django.urls import path

from recommendations.views import get_recommended_cleaners

app_name = "recommendations"
urlpatterns = [
    path("recommendations/jobs/<int:job_id>/cleaners/", get_recommended_cleaners, name="recommended-cleaners"),
]
