"""GET /api/v1/recommendations/stats/user/{user_id} and /stats/global: views of the Django site."""

from sites.courses.views import GlobalStatsView, LearnerStatsView

__all__ = ["GlobalStatsView", "LearnerStatsView"]
