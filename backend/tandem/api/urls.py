"""Endpoints of the API: path("api/", include("tandem.api.urls"))."""

from django.urls import path

from tandem.api.views.interactions import FeedbackView, InteractionsView
from tandem.api.views.recommendations import RecommendationsView

app_name = "tandem_api"
urlpatterns = [
    path("recommendations/<str:use_case>/<str:surface>/<str:subject>", RecommendationsView.as_view(), name="recommendations"),
    path("v1/interactions", InteractionsView.as_view(), name="interactions"),
    path("v1/feedback", FeedbackView.as_view(), name="feedback"),
]
