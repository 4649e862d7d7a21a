"""GET /api/v1/recommendations/home and /similar/{course_id}: views of the Django site."""

from sites.courses.views import HomeView, SimilarView

__all__ = ["HomeView", "SimilarView"]
