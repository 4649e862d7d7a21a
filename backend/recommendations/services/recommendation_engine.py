"""The marketplace's RecommendationEngine under the import path of acceptance list 000."""

from recommendations.conf import ENGINE, configured_class
from sites.cleaning.services import recommendations

__all__ = ["RecommendationEngine"]

# The class that RECOMMENDATION_ENGINE names: the marketplace's own, a subclass, or one with the same methods.
RecommendationEngine: type[recommendations.RecommendationEngine] = configured_class(ENGINE)
