"""The marketplace's ScoringService under the import path of acceptance list 000."""

from recommendations.conf import SCORING, configured_class
from sites.cleaning.scoring import service

__all__ = ["ScoringService"]

# The class that RECOMMENDATION_SCORING names: the marketplace's own, a subclass, or one with the same methods.
ScoringService: type[service.ScoringService] = configured_class(SCORING)
