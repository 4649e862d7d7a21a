"""All URLs of the reference project. Errors are problem+json under /api/, and pages elsewhere."""

from django.contrib import admin
from django.urls import include, path

from api.views import livez, readyz

urlpatterns = [
    path("livez", livez, name="livez"),
    path("readyz", readyz, name="readyz"),
    path("admin/recommendations/", include("sites.courses.admin_urls")),
    path("admin/", admin.site.urls),
    path("api/", include("api.urls")),
    path("tandem/", include("tandem.urls")),
    path("", include("recommendations.urls")),
    path("", include("sites.urls")),
]

handler400 = "api.errors.bad_request"
handler403 = "api.errors.forbidden"
handler404 = "api.errors.not_found"
handler500 = "api.errors.server_error"
