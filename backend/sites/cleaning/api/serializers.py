"""Serializers of the API's responses."""

from typing import Any

from django.db import models
from rest_framework import serializers

from sites.cleaning.api.permissions import Role
from sites.cleaning.api.visibility import COARSE_DIGITS, NO_COMPETITION, VisibleJob, coarse, rounded
from sites.cleaning.conf import MODES
from sites.cleaning.models import (
    BidSuggestion,
    Cleaner,
    CleaningJob,
    JobBid,
    Payment,
    PropertyType,
    RecommendationFeedback,
    Review,
)
from tandem.api.serializers import SkipSerializer


class RoundedField(serializers.FloatField):
    """A number rounded to `digits`; NaN is null."""

    def __init__(self, digits: int = 3, **options: Any) -> None:
        self.digits = digits
        super().__init__(**options)

    def to_representation(self, value: Any) -> Any:
        """Return the rounded number."""
        return rounded(value, self.digits)


class TimeField(serializers.DateTimeField):
    """A time in ISO 8601 with its UTC offset."""

    def to_representation(self, value: Any) -> Any:
        """Return the text."""
        return value.isoformat()


class BlankField(serializers.CharField):
    """A text that is "" if the related row does not exist."""

    def get_attribute(self, instance: Any) -> Any:
        """Return the text."""
        return super().get_attribute(instance) or ""


class ReasonField(serializers.CharField):
    """A reason, with its distance in whole kilometres."""

    def to_representation(self, value: Any) -> str:
        """Return the text."""
        return coarse(value)


class RowSerializer(serializers.ModelSerializer[Any]):
    """Columns of a row, read only: amounts and rates as numbers, times with their UTC offset."""

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        """Return the field class and its arguments."""
        null = {"allow_null": True} if model_field.null else {}
        options = {"read_only": True, "help_text": model_field.help_text, **null}
        if isinstance(model_field, models.DecimalField):
            return serializers.FloatField, options
        if isinstance(model_field, models.FloatField):
            return RoundedField, options
        if isinstance(model_field, models.DateTimeField):
            return TimeField, options
        if isinstance(model_field, models.IntegerField) and not model_field.choices:
            return serializers.IntegerField, options  # without the limits of the column, which differ between databases
        return super().build_standard_field(field_name, model_field)


class CleanerSerializer(RowSerializer):
    """A cleaner as every user may see them."""

    latitude = RoundedField(COARSE_DIGITS, help_text="Of where they start, to about a kilometre")
    longitude = RoundedField(COARSE_DIGITS)
    primary_property_type = BlankField(source="standing.primary_property_type", allow_blank=True)
    overall_score = RoundedField(source="standing.overall_score", allow_null=True, help_text="0 to 100; null before the first")
    average_rating = RoundedField(source="standing.average_rating", allow_null=True, help_text="1 to 10")
    review_count = serializers.IntegerField(source="standing.review_count", allow_null=True)
    completion_rate = RoundedField(source="standing.completion_rate", allow_null=True, help_text="Rates are 0 to 1")
    on_time_rate = RoundedField(source="standing.on_time_rate", allow_null=True)
    photo_rate = RoundedField(source="standing.photo_rate", allow_null=True)
    win_rate = RoundedField(source="standing.win_rate", allow_null=True)
    total_jobs = serializers.IntegerField(source="standing.total_jobs", allow_null=True)
    eco_percentage = RoundedField(source="standing.eco_percentage", allow_null=True, help_text="0 to 100")

    class Meta:
        """Neither account nor tier."""

        model = Cleaner
        fields = (
            "id", "name", "about", "hourly_rate", "reach_km", "eco_friendly", "is_available", "latitude", "longitude",
            "primary_property_type", "overall_score", "average_rating", "review_count", "completion_rate", "on_time_rate",
            "photo_rate", "win_rate", "total_jobs", "eco_percentage",
        )  # fmt: skip


class PlaceSerializer(serializers.Serializer[Any]):
    """The property of a job."""

    kind = serializers.ChoiceField(source="place.kind", choices=PropertyType.choices)
    district = serializers.CharField(source="place.district")
    size_m2 = serializers.IntegerField(source="place.size_m2")
    is_exact = serializers.BooleanField(help_text="False: the coordinates are rounded to about a kilometre")
    latitude = serializers.FloatField()
    longitude = serializers.FloatField()


class BidSerializer(RowSerializer):
    """A bid."""

    class Meta:
        """Without the list that led to it."""

        model = JobBid
        fields = ("id", "job_id", "cleaner_id", "amount", "status", "message", "time")


class NamedSerializer(serializers.Serializer[Any]):
    """A person by id and name."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class PaymentSerializer(RowSerializer):
    """A simulated payment."""

    class Meta:
        """The amount and its parts."""

        model = Payment
        fields = ("reference", "amount", "platform_fee", "payout", "status")


class JobSerializer(serializers.Serializer[Any]):
    """A job as the visitor may see it."""

    id = serializers.IntegerField(source="job.pk")
    status = serializers.ChoiceField(source="job.status", choices=CleaningJob.Status.choices)
    property = PlaceSerializer(source="*")
    description = serializers.CharField(source="job.description", allow_blank=True)
    eco_friendly = serializers.BooleanField(source="job.eco_friendly")
    hours = serializers.FloatField(source="job.hours")
    budget = serializers.FloatField(source="job.budget", help_text="€")
    posted_at = TimeField(source="job.posted_at")
    wanted_for = TimeField(source="job.wanted_for")
    bid_count = serializers.IntegerField(source="competition.count")
    lowest_bid = serializers.FloatField(source="competition.lowest", allow_null=True)
    own_bid = BidSerializer(required=False, allow_null=True, help_text="For a cleaner")
    client = NamedSerializer(required=False, help_text="This and all below: for the client, the hired cleaner, staff")
    cleaner = NamedSerializer(required=False, allow_null=True)
    accepted_at = TimeField(source="job.accepted_at", required=False, allow_null=True)
    confirmed_at = TimeField(source="job.confirmed_at", required=False, allow_null=True)
    ended_at = TimeField(source="job.ended_at", required=False, allow_null=True)
    was_on_time = serializers.BooleanField(source="job.was_on_time", required=False, allow_null=True)
    photos = serializers.IntegerField(source="job.photos", required=False)
    payment = PaymentSerializer(required=False, allow_null=True)

    def to_representation(self, instance: CleaningJob | VisibleJob) -> dict[str, Any]:
        """Return what the visitor may see; a job without a role is shown as to a cleaner who may bid."""
        if isinstance(instance, CleaningJob):
            competition = self.context["competition"].get(instance.pk, NO_COMPETITION)
            instance = VisibleJob(instance, Role.CLEANER, competition)
        fields = super().to_representation(instance)
        return {name: value for name, value in fields.items() if name not in instance.hidden}


class JobWithBidsSerializer(JobSerializer):
    """A job; its client, staff and services see all bids."""

    bids = BidSerializer(many=True, required=False)


class BreakdownSerializer(serializers.Serializer[Any]):
    """The parts of a score by rules, 0 to 100 in whole points; null if unknown."""

    quality = RoundedField(0, allow_null=True)
    location = RoundedField(0, allow_null=True)
    specialization = RoundedField(0, allow_null=True)
    pricing = RoundedField(0, allow_null=True)
    availability = RoundedField(0, allow_null=True)


class MatchSerializer(serializers.Serializer[Any]):
    """One item of a list."""

    score = RoundedField(1, help_text="0 to 100")
    rule_based_score = RoundedField(1, allow_null=True)
    neural_score = RoundedField(1, allow_null=True, help_text="null if the network has no prediction")
    breakdown = BreakdownSerializer()
    reasoning = serializers.ListField(child=ReasonField())
    rank = serializers.IntegerField(min_value=1)
    recommendation_id = serializers.IntegerField(allow_null=True, help_text="For viewed, contacted and feedback")


class CleanerMatchSerializer(MatchSerializer):
    """A cleaner for a job."""

    cleaner = CleanerSerializer()


class JobMatchSerializer(MatchSerializer):
    """A job for a cleaner."""

    job = JobSerializer()


class MatchListSerializer(serializers.Serializer[Any]):
    """A list, and how it was made."""

    mode = serializers.ChoiceField(MODES, help_text="What made the scores")
    asked_mode = serializers.ChoiceField(MODES)
    degraded = serializers.BooleanField(help_text="True if a simpler mode than the requested one made the scores")
    degradation = SkipSerializer(many=True)
    model_version = serializers.CharField(allow_blank=True)
    request_id = serializers.UUIDField(help_text="Send it back with the bid that follows")


class CleanerMatchesSerializer(MatchListSerializer):
    """Cleaners for a job, the best first."""

    recommendations = CleanerMatchSerializer(many=True, source="*")


class JobMatchesSerializer(MatchListSerializer):
    """Jobs for a cleaner, the best first."""

    recommendations = JobMatchSerializer(many=True, source="*")


class SuggestionSerializer(RowSerializer):
    """A suggested bid, minimum ≤ optimal ≤ maximum, and its inputs."""

    class Meta:
        """Without the outcome, which is not known yet."""

        model = BidSuggestion
        fields = (
            "id", "job_id", "cleaner_id", "minimum", "optimal", "maximum", "method", "model_version", "client_budget",
            "market_average", "cleaner_average", "win_rate", "current_bid_count", "lowest_bid",
        )  # fmt: skip


class ReviewDetailSerializer(RowSerializer):
    """A saved review."""

    class Meta:
        """Marks, comment, and what they are about."""

        model = Review
        fields = (
            "overall", "quality", "communication", "professionalism", "timeliness", "comment", "job_id", "cleaner_id",
        )  # fmt: skip


class OutcomeSerializer(serializers.Serializer[Any]):
    """The outcome of a recommendation so far."""

    recommendation_id = serializers.IntegerField(source="pk")
    viewed = serializers.BooleanField()
    contacted = serializers.BooleanField(required=False)
    hired = serializers.BooleanField(required=False)
    bid_placed = serializers.BooleanField(required=False)
    bid_accepted = serializers.BooleanField(required=False)


class FeedbackDetailSerializer(RowSerializer):
    """Saved feedback."""

    recommendation_id = serializers.IntegerField(source="recommendation.pk")

    class Meta:
        """What was said, and of which recommendation."""

        model = RecommendationFeedback
        fields = ("recommendation_id", "feedback_type", "comment")
