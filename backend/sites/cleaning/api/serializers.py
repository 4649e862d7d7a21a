"""Serializers of the marketplace's answers."""

from typing import Any

from rest_framework import serializers

from sites.cleaning.api.permissions import Role
from sites.cleaning.api.request_serializers import ReviewSerializer
from sites.cleaning.api.visibility import COARSE_DIGITS, NO_COMPETITION, VisibleJob, coarse, rounded
from sites.cleaning.conf import MODES
from sites.cleaning.models import CleaningJob, JobBid, Payment, PropertyType
from tandem.api.serializers import SkipSerializer


class RoundedField(serializers.FloatField):
    """A number rounded to `digits`; NaN is null."""

    def __init__(self, digits: int, **options: Any) -> None:
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


class CleanerSerializer(serializers.Serializer[Any]):
    """A cleaner as anybody may see them."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    about = serializers.CharField(allow_blank=True)
    hourly_rate = serializers.FloatField(help_text="€")
    reach_km = serializers.IntegerField()
    eco_friendly = serializers.BooleanField()
    is_available = serializers.BooleanField()
    latitude = RoundedField(COARSE_DIGITS, help_text="Of where they start, to about a kilometre")
    longitude = RoundedField(COARSE_DIGITS)
    primary_property_type = BlankField(source="standing.primary_property_type", allow_blank=True)
    overall_score = RoundedField(
        3, source="standing.overall_score", allow_null=True, help_text="0 to 100; null before they were ever scored"
    )
    average_rating = RoundedField(3, source="standing.average_rating", allow_null=True, help_text="1 to 10")
    review_count = serializers.IntegerField(source="standing.review_count", allow_null=True)
    completion_rate = RoundedField(
        3, source="standing.completion_rate", allow_null=True, help_text="This and the rates below: 0 to 1"
    )
    on_time_rate = RoundedField(3, source="standing.on_time_rate", allow_null=True)
    photo_rate = RoundedField(3, source="standing.photo_rate", allow_null=True)
    win_rate = RoundedField(3, source="standing.win_rate", allow_null=True)
    total_jobs = serializers.IntegerField(source="standing.total_jobs", allow_null=True)
    eco_percentage = RoundedField(3, source="standing.eco_percentage", allow_null=True, help_text="0 to 100")


class PlaceSerializer(serializers.Serializer[Any]):
    """Where a job is."""

    kind = serializers.ChoiceField(source="place.kind", choices=PropertyType.choices)
    district = serializers.CharField(source="place.district")
    size_m2 = serializers.IntegerField(source="place.size_m2")
    is_exact = serializers.BooleanField(help_text="False: the coordinates are told to about a kilometre")
    latitude = serializers.FloatField()
    longitude = serializers.FloatField()


class BidSerializer(serializers.Serializer[Any]):
    """One offer."""

    id = serializers.IntegerField()
    job_id = serializers.IntegerField()
    cleaner_id = serializers.IntegerField()
    amount = serializers.FloatField(help_text="€")
    status = serializers.ChoiceField(JobBid.Status.choices)
    message = serializers.CharField(allow_blank=True)
    time = TimeField()


class NamedSerializer(serializers.Serializer[Any]):
    """Somebody by number and name."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class PaymentSerializer(serializers.Serializer[Any]):
    """What was paid; simulated, nobody was charged."""

    reference = serializers.CharField()
    amount = serializers.FloatField()
    platform_fee = serializers.FloatField()
    payout = serializers.FloatField()
    status = serializers.ChoiceField(Payment.Status.choices)


class JobSerializer(serializers.Serializer[Any]):
    """A job as the asker may see it."""

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
    own_bid = BidSerializer(required=False, allow_null=True, help_text="For a cleaner who looks")
    client = NamedSerializer(required=False, help_text="This and all below: for the client, the hired cleaner, staff")
    cleaner = NamedSerializer(required=False, allow_null=True)
    accepted_at = TimeField(source="job.accepted_at", required=False, allow_null=True)
    confirmed_at = TimeField(source="job.confirmed_at", required=False, allow_null=True)
    ended_at = TimeField(source="job.ended_at", required=False, allow_null=True)
    was_on_time = serializers.BooleanField(source="job.was_on_time", required=False, allow_null=True)
    photos = serializers.IntegerField(source="job.photos", required=False)
    payment = PaymentSerializer(required=False, allow_null=True)

    def to_representation(self, instance: CleaningJob | VisibleJob) -> dict[str, Any]:
        """Return what the viewer may see; a job without a role is shown as to a cleaner who may bid."""
        if isinstance(instance, CleaningJob):
            competition = self.context["competition"].get(instance.pk, NO_COMPETITION)
            instance = VisibleJob(instance, Role.CLEANER, competition)
        fields = super().to_representation(instance)
        return {name: value for name, value in fields.items() if name not in instance.hidden}


class JobWithBidsSerializer(JobSerializer):
    """One job; its client, staff and services see all bids."""

    bids = BidSerializer(many=True, required=False)


class JobsSerializer(serializers.Serializer[Any]):
    """A page of jobs, the newest first."""

    jobs = JobSerializer(many=True)
    page = serializers.IntegerField()
    has_more = serializers.BooleanField()


class BreakdownSerializer(serializers.Serializer[Any]):
    """The parts of a score by rules, 0 to 100 in whole points; null where nothing is known."""

    quality = RoundedField(0, allow_null=True)
    location = RoundedField(0, allow_null=True)
    specialization = RoundedField(0, allow_null=True)
    pricing = RoundedField(0, allow_null=True)
    availability = RoundedField(0, allow_null=True)


class MatchSerializer(serializers.Serializer[Any]):
    """What both lists say of one place."""

    score = RoundedField(1, help_text="0 to 100")
    rule_based_score = RoundedField(1, allow_null=True)
    neural_score = RoundedField(1, allow_null=True, help_text="null where the network did not say")
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
    """What both lists say of themselves."""

    mode = serializers.ChoiceField(MODES, help_text="What made the scores")
    asked_mode = serializers.ChoiceField(MODES)
    degraded = serializers.BooleanField(help_text="True where a simpler mode answered than was asked for")
    degradation = SkipSerializer(many=True)
    model_version = serializers.CharField(allow_blank=True)
    request_id = serializers.UUIDField(help_text="Send it back with what is then done")


class CleanerMatchesSerializer(MatchListSerializer):
    """Cleaners for a job, the best first."""

    recommendations = CleanerMatchSerializer(many=True, source="*")


class JobMatchesSerializer(MatchListSerializer):
    """Jobs for a cleaner, the best first."""

    recommendations = JobMatchSerializer(many=True, source="*")


class SuggestionSerializer(serializers.Serializer[Any]):
    """What a cleaner might ask for a job, and what that was made of."""

    id = serializers.IntegerField()
    job_id = serializers.IntegerField()
    cleaner_id = serializers.IntegerField()
    minimum = serializers.FloatField(help_text="€; never above optimal")
    optimal = serializers.FloatField(help_text="€; never above maximum")
    maximum = serializers.FloatField(help_text="€")
    method = serializers.CharField(help_text="neural or rule_based")
    model_version = serializers.CharField(allow_blank=True)
    client_budget = serializers.FloatField()
    market_average = serializers.FloatField(allow_null=True, help_text="€ for as many hours")
    cleaner_average = serializers.FloatField(allow_null=True, help_text="€ for as many hours")
    win_rate = RoundedField(3, allow_null=True)
    current_bid_count = serializers.IntegerField()
    lowest_bid = serializers.FloatField(allow_null=True)


class ReviewToldSerializer(ReviewSerializer):
    """A review as it was given."""

    job_id = serializers.IntegerField()
    cleaner_id = serializers.IntegerField()


class OutcomeSerializer(serializers.Serializer[Any]):
    """What has come of one recommendation so far."""

    recommendation_id = serializers.IntegerField(source="pk")
    viewed = serializers.BooleanField()
    contacted = serializers.BooleanField(required=False)
    hired = serializers.BooleanField(required=False)
    bid_placed = serializers.BooleanField(required=False)
    bid_accepted = serializers.BooleanField(required=False)


class FeedbackToldSerializer(serializers.Serializer[Any]):
    """The verdict as it stands."""

    recommendation_id = serializers.IntegerField(source="recommendation.pk")
    feedback_type = serializers.CharField()
    comment = serializers.CharField(allow_blank=True)
