"""Addresses under /api/."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from tandem.api.views.interactions import FeedbackView, InteractionsView
from tandem.api.views.recommendations import RecommendationsView

urlpatterns = [
    path("recommendations/<str:use_case>/<str:surface>/<str:subject>", RecommendationsView.as_view(), name="recommendations"),
    path("v1/interactions", InteractionsView.as_view(), name="interactions"),
    path("v1/feedback", FeedbackView.as_view(), name="feedback"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
]
