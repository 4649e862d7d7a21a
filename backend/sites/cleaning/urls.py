"""URLs of the marketplace: its REST API, and its pages under /cleaning/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from sites.cleaning.api.views import CleanerViewSet, JobViewSet, RecommendationViewSet
from sites.cleaning.web import actions, views

app_name = "cleaning"
router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("jobs", JobViewSet, basename="jobs")
router.register("cleaners", CleanerViewSet, basename="cleaners")
router.register("recommendations/<str:side>", RecommendationViewSet, basename="recommendations")
contacted = RecommendationViewSet.as_view({"post": "contacted"})
urlpatterns = [
    path("api/v1/cleaning/recommendations/cleaners/<str:recommendation_id>/contacted", contacted, name="contacted"),
    path("api/v1/cleaning/", include(router.urls)),
    path("cleaning/", views.home, name="home"),
    path("cleaning/analytics/", views.analytics_page, name="analytics"),
    path("cleaning/clients/<str:client_id>/", views.client_page, name="client-page"),
    path("cleaning/clients/<str:client_id>/post/", actions.post_job, name="post-job"),
    path("cleaning/jobs/<str:job_id>/", views.job_page, name="job-page"),
    path("cleaning/jobs/<str:job_id>/action/", actions.client_action, name="client-action"),
    path("cleaning/jobs/<str:job_id>/cleaners/<str:cleaner_id>/", views.profile_page, name="profile-page"),
    path("cleaning/cleaners/<str:cleaner_id>/", views.cleaner_page, name="cleaner-page"),
    path("cleaning/cleaners/<str:cleaner_id>/jobs/<str:job_id>/", views.offer_page, name="offer-page"),
    path("cleaning/cleaners/<str:cleaner_id>/jobs/<str:job_id>/action/", actions.cleaner_action, name="cleaner-action"),
]
