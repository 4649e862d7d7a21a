"""Addresses of the marketplace: its API, and its people's own pages under /cleaning/."""

from django.urls import path

from sites.cleaning.views import deeds, figures, jobs, lists, outcomes, pages

app_name = "cleaning"
API = "api/v1/cleaning/"
RECOMMENDATION = API + "recommendations/"
urlpatterns = [
    path(API + "jobs", jobs.JobsView.as_view(), name="jobs"),
    path(API + "jobs/<str:job_id>", jobs.JobView.as_view(), name="job"),
    path(API + "jobs/<str:job_id>/cleaners", lists.RecommendedCleanersView.as_view(), name="recommended-cleaners"),
    path(API + "jobs/<str:job_id>/bid-suggestion", lists.BidSuggestionView.as_view(), name="bid-suggestion"),
    path(API + "jobs/<str:job_id>/bids", jobs.BidsView.as_view(), name="bids"),
    path(API + "jobs/<str:job_id>/accept", jobs.AcceptView.as_view(), name="accept"),
    path(API + "jobs/<str:job_id>/confirm", jobs.ConfirmView.as_view(), name="confirm"),
    path(API + "jobs/<str:job_id>/complete", jobs.CompleteView.as_view(), name="complete"),
    path(API + "jobs/<str:job_id>/cancel", jobs.CancelView.as_view(), name="cancel"),
    path(API + "jobs/<str:job_id>/fail", jobs.FailView.as_view(), name="fail"),
    path(API + "jobs/<str:job_id>/review", jobs.ReviewView.as_view(), name="review"),
    path(API + "cleaners/me/jobs", lists.OwnRecommendedJobsView.as_view(), name="own-recommended-jobs"),
    path(API + "cleaners/<str:cleaner_id>/jobs", lists.RecommendedJobsView.as_view(), name="recommended-jobs"),
    path(RECOMMENDATION + "cleaners/<str:recommendation_id>/contacted", outcomes.ContactedView.as_view(), name="contacted"),
    path(RECOMMENDATION + "<str:side>/<str:recommendation_id>/viewed", outcomes.ViewedView.as_view(), name="viewed"),
    path(RECOMMENDATION + "<str:side>/<str:recommendation_id>/feedback", outcomes.MatchFeedbackView.as_view(), name="feedback"),
    path("cleaning/", pages.home, name="home"),
    path("cleaning/analytics/", figures.analytics_page, name="analytics"),
    path("cleaning/clients/<str:client_id>/", pages.client_page, name="client-page"),
    path("cleaning/clients/<str:client_id>/post/", deeds.post_job, name="post-job"),
    path("cleaning/jobs/<str:job_id>/", pages.job_page, name="job-page"),
    path("cleaning/jobs/<str:job_id>/did/", deeds.client_did, name="client-did"),
    path("cleaning/jobs/<str:job_id>/cleaners/<str:cleaner_id>/", pages.profile_page, name="profile-page"),
    path("cleaning/cleaners/<str:cleaner_id>/", pages.cleaner_page, name="cleaner-page"),
    path("cleaning/cleaners/<str:cleaner_id>/jobs/<str:job_id>/", pages.offer_page, name="offer-page"),
    path("cleaning/cleaners/<str:cleaner_id>/jobs/<str:job_id>/did/", deeds.cleaner_did, name="cleaner-did"),
]
