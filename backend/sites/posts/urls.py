"""Addresses of the blog: its lists as the acceptance list names them, and its members' own pages under /posts/."""

from django.urls import path

from sites.posts.views import pages
from sites.posts.views.lists import CacheHitsView, HybridRecommendationsView
from sites.posts.views.members import InsightsView, InterestsView

app_name = "posts"
urlpatterns = [
    path("recommend/hybrid-recommendations/", HybridRecommendationsView.as_view(), name="hybrid-recommendations"),
    path("recommend/interests/", InterestsView.as_view(), name="interests"),
    path("recommend/cache-hits/", CacheHitsView.as_view(), name="cache-hits"),
    path("posts/insights/", InsightsView.as_view(), name="insights"),
    path("posts/dashboard/", pages.dashboard, name="dashboard"),
    path("posts/members/<str:user_id>/theme.css", pages.stylesheet, name="stylesheet"),
    path("posts/change/interests/", pages.change, {"what": "interests"}, name="change-interests"),
    path("posts/change/theme/", pages.change, {"what": "theme"}, name="change-theme"),
    path("posts/discuss/", pages.discuss, name="discuss"),
    path("posts/discussions/<uuid:identity>/", pages.discussion, name="discussion"),
    path("posts/read/<int:number>/", pages.read, name="read"),
    path("posts/read/<int:number>/did/", pages.did, name="did"),
    path("media/posts/<slug:category>.svg", pages.picture, name="picture"),
]
