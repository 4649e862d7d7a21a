"""The tables of the recommender: scores of cleaners, shown lists of both directions, suggested bids, and feedback.

All scores and parts of scores are 0 to 100, shares and rates 0 to 1, amounts in euros.
"""

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from sites.cleaning.models.market import Cleaner, CleaningJob, Client, JobBid, PropertyType


class CleanerScore(models.Model):
    """The scores of one cleaner, computed by ScoringService. Unknown is null, such as the rating before the first review."""

    cleaner = models.OneToOneField(Cleaner, on_delete=models.CASCADE, primary_key=True, related_name="standing")
    overall_score = models.FloatField(help_text="The five parts by their weights")
    # the five parts
    quality = models.FloatField()
    reliability = models.FloatField()
    experience = models.FloatField()
    bidding = models.FloatField()
    activity = models.FloatField()
    # from reviews, 0 to 100
    quality_score = models.FloatField(null=True, blank=True)
    communication_score = models.FloatField(null=True, blank=True)
    professionalism_score = models.FloatField(null=True, blank=True)
    timeliness_score = models.FloatField(null=True, blank=True)
    average_rating = models.FloatField(null=True, blank=True, help_text="Mean overall mark, 1 to 10")
    review_count = models.PositiveIntegerField(default=0)
    # reliability
    completion_rate = models.FloatField(null=True, blank=True)
    on_time_rate = models.FloatField(null=True, blank=True)
    cancellation_rate = models.FloatField(null=True, blank=True)
    photo_rate = models.FloatField(null=True, blank=True)
    # bidding
    bid_count = models.PositiveIntegerField(default=0)
    win_rate = models.FloatField(null=True, blank=True)
    average_bid = models.FloatField(null=True, blank=True, help_text="€")
    usual_rate = models.FloatField(null=True, blank=True, help_text="€ an hour: all they bid by all the hours they bid for")
    # experience
    total_jobs = models.PositiveIntegerField(default=0)
    total_earnings = models.FloatField(default=0.0, help_text="€ paid out to them")
    # specialization
    primary_property_type = models.CharField(max_length=12, choices=PropertyType.choices, blank=True)
    eco_percentage = models.FloatField(null=True, blank=True, help_text="Share of their jobs that were eco-friendly, 0 to 100")
    # activity
    jobs_30_days = models.PositiveIntegerField(default=0)
    jobs_90_days = models.PositiveIntegerField(default=0)
    jobs_ahead = models.PositiveIntegerField(default=0, help_text="Accepted or confirmed, not yet done")
    is_active = models.BooleanField(default=True, help_text="Did or bid for a job in 90 days, or joined within them")
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Ordered by score, the best first."""

        indexes = [models.Index(F("overall_score").desc(), name="cleaning_best")]
        ordering = ["-overall_score", "pk"]

    def __str__(self) -> str:
        return f"{self.overall_score:.0f}/100"


class ShownMatch(models.Model):
    """One item of a shown list, and how its score was made; base of both kinds of recommendation."""

    request_id = models.UUIDField(help_text="Of the whole list")
    score = models.FloatField()
    rank = models.PositiveSmallIntegerField(help_text="1 is the top")
    mode = models.CharField(max_length=10, help_text="rule_based, neural or ensemble: what made the score")
    degraded = models.BooleanField(default=False, help_text="A simpler mode than asked for")
    rule_based_score = models.FloatField(null=True, blank=True)
    neural_score = models.FloatField(null=True, blank=True)
    model_version = models.CharField(max_length=80, blank=True)
    reasons = models.JSONField(default=list, blank=True)
    location = models.FloatField(null=True, blank=True)
    pricing = models.FloatField(null=True, blank=True)
    specialization = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    viewed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Without a table."""

        abstract = True

    @property
    @admin.display(boolean=True, ordering="viewed_at")
    def viewed(self) -> bool:
        """True if the user opened it."""
        return self.viewed_at is not None


class JobRecommendation(ShownMatch):
    """A job shown to a cleaner, and the outcome."""

    job = models.ForeignKey(CleaningJob, on_delete=models.CASCADE, related_name="recommendations")
    cleaner = models.ForeignKey(Cleaner, on_delete=models.CASCADE, related_name="recommended_jobs")
    bid = models.ForeignKey(JobBid, on_delete=models.SET_NULL, null=True, blank=True, related_name="recommendations")
    availability = models.FloatField(null=True, blank=True)
    bid_placed_at = models.DateTimeField(null=True, blank=True)
    bid_accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Indexed for the newest rows of a cleaner."""

        constraints = [models.UniqueConstraint(fields=["request_id", "rank"], name="cleaning_job_place_once")]
        indexes = [models.Index("cleaner", F("created_at").desc(), name="cleaning_jobs_shown")]

    def __str__(self) -> str:
        return f"job {self.job_id} to cleaner {self.cleaner_id}"

    @property
    @admin.display(boolean=True, ordering="bid_placed_at")
    def bid_placed(self) -> bool:
        """True if the cleaner bid."""
        return self.bid_placed_at is not None

    @property
    @admin.display(boolean=True, ordering="bid_accepted_at")
    def bid_accepted(self) -> bool:
        """True if that bid won."""
        return self.bid_accepted_at is not None


class CleanerRecommendation(ShownMatch):
    """A cleaner shown to a client for a job, and the outcome."""

    job = models.ForeignKey(CleaningJob, on_delete=models.CASCADE, related_name="recommended_cleaners")
    cleaner = models.ForeignKey(Cleaner, on_delete=models.CASCADE, related_name="recommendations")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="recommended_cleaners")
    quality = models.FloatField(null=True, blank=True)
    reliability = models.FloatField(null=True, blank=True)
    contacted_at = models.DateTimeField(null=True, blank=True)
    hired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Indexed for the newest rows of a client."""

        constraints = [models.UniqueConstraint(fields=["request_id", "rank"], name="cleaning_cleaner_place_once")]
        indexes = [models.Index("client", F("created_at").desc(), name="cleaning_cleaners_shown")]

    def __str__(self) -> str:
        return f"cleaner {self.cleaner_id} for job {self.job_id}"

    @property
    @admin.display(boolean=True, ordering="contacted_at")
    def contacted(self) -> bool:
        """True if the client contacted the cleaner."""
        return self.contacted_at is not None

    @property
    @admin.display(boolean=True, ordering="hired_at")
    def hired(self) -> bool:
        """True if the cleaner was hired."""
        return self.hired_at is not None


class BidSuggestion(models.Model):
    """A suggested bid, its inputs, and its outcome."""

    job = models.ForeignKey(CleaningJob, on_delete=models.CASCADE, related_name="bid_suggestions")
    cleaner = models.ForeignKey(Cleaner, on_delete=models.CASCADE, related_name="bid_suggestions")
    minimum = models.DecimalField(max_digits=8, decimal_places=2)
    optimal = models.DecimalField(max_digits=8, decimal_places=2)
    maximum = models.DecimalField(max_digits=8, decimal_places=2)
    method = models.CharField(max_length=10, help_text="neural or rule_based")
    model_version = models.CharField(max_length=80, blank=True)
    # inputs
    client_budget = models.DecimalField(max_digits=8, decimal_places=2)
    market_average = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True, help_text="For as many hours")
    cleaner_average = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True, help_text="For as many hours")
    win_rate = models.FloatField(null=True, blank=True)
    current_bid_count = models.PositiveIntegerField(default=0)
    lowest_bid = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    # outcome
    actual_bid = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    was_used = models.BooleanField(null=True, blank=True, help_text="The bid lay within the advice")
    did_win = models.BooleanField(null=True, blank=True)

    class Meta:
        """minimum ≤ optimal ≤ maximum."""

        constraints = [
            models.CheckConstraint(condition=Q(minimum__lte=F("optimal"), optimal__lte=F("maximum")), name="cleaning_bid_order")
        ]
        indexes = [models.Index("cleaner", F("created_at").desc(), name="cleaning_bids_advised")]

    def __str__(self) -> str:
        return f"€{self.minimum} to €{self.maximum} for job {self.job_id}"


class RecommendationFeedback(models.Model):
    """Feedback on one recommendation; new feedback replaces the older one. Training learns from it."""

    class Verdict(models.TextChoices):
        """Why it did or did not help."""

        HELPFUL = "helpful"
        NOT_RELEVANT = "not_relevant"
        TOO_EXPENSIVE = "too_expensive"
        TOO_FAR = "too_far"
        WRONG_SPECIALTY = "wrong_specialty"
        OTHER = "other"

    job_recommendation = models.OneToOneField(
        JobRecommendation, on_delete=models.CASCADE, null=True, blank=True, related_name="feedback"
    )
    cleaner_recommendation = models.OneToOneField(
        CleanerRecommendation, on_delete=models.CASCADE, null=True, blank=True, related_name="feedback"
    )
    feedback_type = models.CharField(max_length=15, choices=Verdict.choices)
    comment = models.TextField(max_length=2000, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        """About exactly one recommendation."""

        verbose_name_plural = "recommendation feedback"
        constraints = [
            models.CheckConstraint(
                condition=Q(job_recommendation__isnull=False) ^ Q(cleaner_recommendation__isnull=False),
                name="cleaning_feedback_of_one",
            )
        ]

    def __str__(self) -> str:
        return self.feedback_type

    @property
    def recommendation(self) -> Any:
        """The recommendation it is about."""
        return self.job_recommendation or self.cleaner_recommendation
