"""GET /admin/recommendations/models and POST /admin/recommendations/reindex: views of the Django site."""

from sites.courses.admin_views import ModelsView, ReindexView

__all__ = ["ModelsView", "ReindexView"]
