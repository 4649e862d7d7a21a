"""Operators' addresses, under /admin/recommendations/ and before the admin's own."""

from django.urls import path

from sites.courses.admin_views import ModelsView, ReindexView, RunView

app_name = "operations"

urlpatterns = [
    path("models", ModelsView.as_view(), name="models"),
    path("reindex", ReindexView.as_view(), name="reindex"),
    path("runs/<uuid:run_id>", RunView.as_view(), name="run"),
]
