"""URLs of the course platform's API."""

from django.urls import path

from sites.courses.views import GlobalStatsView, HomeView, LearnerStatsView, SimilarView

app_name = "courses"

API = "api/v1/recommendations/"
urlpatterns = [
    path(API + "home", HomeView.as_view(), name="home"),
    path(API + "similar/<str:course_id>", SimilarView.as_view(), name="similar"),
    path(API + "stats/user/<str:user_id>", LearnerStatsView.as_view(), name="stats_user"),
    path(API + "stats/global", GlobalStatsView.as_view(), name="stats_global"),
]
