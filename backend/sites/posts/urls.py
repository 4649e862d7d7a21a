"""URLs of the blog: its API under the paths of the acceptance list, and its members' pages under /posts/."""

from django.urls import path

from sites.posts.views import api, pages

app_name = "posts"
urlpatterns = [
    path("recommend/hybrid-recommendations/", api.HybridRecommendationsView.as_view(), name="hybrid-recommendations"),
    path("recommend/interests/", api.InterestsView.as_view(), name="interests"),
    path("recommend/cache-hits/", api.CacheHitsView.as_view(), name="cache-hits"),
    path("posts/insights/", api.InsightsView.as_view(), name="insights"),
    path("posts/dashboard/", pages.dashboard, name="dashboard"),
    path("posts/members/<str:user_id>/theme.css", pages.stylesheet, name="stylesheet"),
    path("posts/change/interests/", pages.change, {"field": "interests"}, name="change-interests"),
    path("posts/change/theme/", pages.change, {"field": "theme"}, name="change-theme"),
    path("posts/discuss/", pages.discuss, name="discuss"),
    path("posts/discussions/<uuid:key>/", pages.discussion, name="discussion"),
    path("posts/read/<int:number>/", pages.read, name="read"),
    path("posts/read/<int:number>/action/", pages.act, name="act"),
    path("media/posts/<slug:category>.svg", pages.picture, name="picture"),
]
