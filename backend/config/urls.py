"""All URLs of the reference project. Errors are problem+json under /api/, and pages elsewhere."""

from django.contrib import admin
from django.urls import include, path

from tandem.api.views.status import livez, readyz

urlpatterns = [
    path("livez", livez, name="livez"),
    path("readyz", readyz, name="readyz"),
    path("admin/recommendations/", include("sites.courses.admin_urls")),
    path("admin/", admin.site.urls),
    path("api/", include("api.urls")),
    path("tandem/", include("tandem.urls")),
    path("", include("sites.urls")),
]

handler400 = "tandem.api.problem_details.bad_request"
handler403 = "tandem.api.problem_details.forbidden"
handler404 = "tandem.api.problem_details.not_found"
handler500 = "tandem.api.problem_details.server_error"
