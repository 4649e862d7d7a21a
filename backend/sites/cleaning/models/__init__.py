"""The marketplace's own tables, and the five tables of its recommender."""

from sites.cleaning.models.market import Cleaner, CleaningJob, Client, JobBid, Payment, Property, PropertyType, Review
from sites.cleaning.models.recommender import (
    BidSuggestion,
    CleanerRecommendation,
    CleanerScore,
    JobRecommendation,
    RecommendationFeedback,
)

__all__ = [
    "BidSuggestion",
    "Cleaner",
    "CleanerRecommendation",
    "CleanerScore",
    "CleaningJob",
    "Client",
    "JobBid",
    "JobRecommendation",
    "Payment",
    "Property",
    "PropertyType",
    "RecommendationFeedback",
    "Review",
]
