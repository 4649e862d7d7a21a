"""Addresses of the marketplace: its API, and its people's own pages under /cleaning/."""

from django.urls import path

from sites.cleaning.api import views_jobs, views_outcomes, views_recommendations
from sites.cleaning.web import form_views, statistics_views, views

app_name = "cleaning"
API = "api/v1/cleaning/"
RECOMMENDATION = API + "recommendations/"
urlpatterns = [
    path(API + "jobs", views_jobs.JobsView.as_view(), name="jobs"),
    path(API + "jobs/<str:job_id>", views_jobs.JobView.as_view(), name="job"),
    path(
        API + "jobs/<str:job_id>/cleaners", views_recommendations.RecommendedCleanersView.as_view(), name="recommended-cleaners"
    ),
    path(API + "jobs/<str:job_id>/bid-suggestion", views_recommendations.BidSuggestionView.as_view(), name="bid-suggestion"),
    path(API + "jobs/<str:job_id>/bids", views_jobs.BidsView.as_view(), name="bids"),
    path(API + "jobs/<str:job_id>/accept", views_jobs.AcceptView.as_view(), name="accept"),
    path(API + "jobs/<str:job_id>/confirm", views_jobs.ConfirmView.as_view(), name="confirm"),
    path(API + "jobs/<str:job_id>/complete", views_jobs.CompleteView.as_view(), name="complete"),
    path(API + "jobs/<str:job_id>/cancel", views_jobs.CancelView.as_view(), name="cancel"),
    path(API + "jobs/<str:job_id>/fail", views_jobs.FailView.as_view(), name="fail"),
    path(API + "jobs/<str:job_id>/review", views_jobs.ReviewView.as_view(), name="review"),
    path(API + "cleaners/me/jobs", views_recommendations.OwnRecommendedJobsView.as_view(), name="own-recommended-jobs"),
    path(API + "cleaners/<str:cleaner_id>/jobs", views_recommendations.RecommendedJobsView.as_view(), name="recommended-jobs"),
    path(
        RECOMMENDATION + "cleaners/<str:recommendation_id>/contacted", views_outcomes.ContactedView.as_view(), name="contacted"
    ),
    path(RECOMMENDATION + "<str:side>/<str:recommendation_id>/viewed", views_outcomes.ViewedView.as_view(), name="viewed"),
    path(
        RECOMMENDATION + "<str:side>/<str:recommendation_id>/feedback",
        views_outcomes.MatchFeedbackView.as_view(),
        name="feedback",
    ),
    path("cleaning/", views.home, name="home"),
    path("cleaning/analytics/", statistics_views.analytics_page, name="analytics"),
    path("cleaning/clients/<str:client_id>/", views.client_page, name="client-page"),
    path("cleaning/clients/<str:client_id>/post/", form_views.post_job, name="post-job"),
    path("cleaning/jobs/<str:job_id>/", views.job_page, name="job-page"),
    path("cleaning/jobs/<str:job_id>/did/", form_views.client_did, name="client-did"),
    path("cleaning/jobs/<str:job_id>/cleaners/<str:cleaner_id>/", views.profile_page, name="profile-page"),
    path("cleaning/cleaners/<str:cleaner_id>/", views.cleaner_page, name="cleaner-page"),
    path("cleaning/cleaners/<str:cleaner_id>/jobs/<str:job_id>/", views.offer_page, name="offer-page"),
    path("cleaning/cleaners/<str:cleaner_id>/jobs/<str:job_id>/did/", form_views.cleaner_did, name="cleaner-did"),
]
