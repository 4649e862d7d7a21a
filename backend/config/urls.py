"""Every address of the backend. Failures under /api/ are problem+json, pages elsewhere."""

from django.contrib import admin
from django.urls import include, path

from api.views.status import livez, readyz

urlpatterns = [
    path("livez", livez, name="livez"),
    path("readyz", readyz, name="readyz"),
    path("admin/recommendations/", include("sites.courses.operation_urls")),
    path("admin/", admin.site.urls),
    path("api/", include("api.urls")),
    path("", include("sites.urls")),
]

handler400 = "api.problems.bad_request"
handler403 = "api.problems.forbidden"
handler404 = "api.problems.not_found"
handler500 = "api.problems.server_error"
