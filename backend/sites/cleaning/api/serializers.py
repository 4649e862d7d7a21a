"""The shapes of what the marketplace's doors give."""

from typing import Any

from rest_framework import serializers

from sites.cleaning.api.request_serializers import ReviewSerializer
from sites.cleaning.conf import MODES
from sites.cleaning.models import CleaningJob, JobBid, Payment, PropertyType
from tandem.api.serializers import SkipSerializer


class CleanerSerializer(serializers.Serializer[Any]):
    """A cleaner as anybody may see them."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    about = serializers.CharField(allow_blank=True)
    hourly_rate = serializers.FloatField(help_text="€")
    reach_km = serializers.IntegerField()
    eco_friendly = serializers.BooleanField()
    is_available = serializers.BooleanField()
    latitude = serializers.FloatField(help_text="Of where they start, to about a kilometre")
    longitude = serializers.FloatField()
    primary_property_type = serializers.CharField(allow_blank=True)
    overall_score = serializers.FloatField(allow_null=True, help_text="0 to 100; null before they were ever scored")
    average_rating = serializers.FloatField(allow_null=True, help_text="1 to 10")
    review_count = serializers.IntegerField(allow_null=True)
    completion_rate = serializers.FloatField(allow_null=True, help_text="This and the rates below: 0 to 1")
    on_time_rate = serializers.FloatField(allow_null=True)
    photo_rate = serializers.FloatField(allow_null=True)
    win_rate = serializers.FloatField(allow_null=True)
    total_jobs = serializers.IntegerField(allow_null=True)
    eco_percentage = serializers.FloatField(allow_null=True, help_text="0 to 100")


class PlaceSerializer(serializers.Serializer[Any]):
    """Where a job is."""

    kind = serializers.ChoiceField(PropertyType.choices)
    district = serializers.CharField()
    size_m2 = serializers.IntegerField()
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
    time = serializers.DateTimeField()


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

    id = serializers.IntegerField()
    status = serializers.ChoiceField(CleaningJob.Status.choices)
    property = PlaceSerializer()
    description = serializers.CharField(allow_blank=True)
    eco_friendly = serializers.BooleanField()
    hours = serializers.FloatField()
    budget = serializers.FloatField(help_text="€")
    posted_at = serializers.DateTimeField()
    wanted_for = serializers.DateTimeField()
    bid_count = serializers.IntegerField()
    lowest_bid = serializers.FloatField(allow_null=True)
    own_bid = BidSerializer(required=False, allow_null=True, help_text="For a cleaner who looks")
    client = NamedSerializer(required=False, help_text="This and all below: for the client, the hired cleaner, staff")
    cleaner = NamedSerializer(required=False, allow_null=True)
    accepted_at = serializers.DateTimeField(required=False, allow_null=True)
    confirmed_at = serializers.DateTimeField(required=False, allow_null=True)
    ended_at = serializers.DateTimeField(required=False, allow_null=True)
    was_on_time = serializers.BooleanField(required=False, allow_null=True)
    photos = serializers.IntegerField(required=False)
    payment = PaymentSerializer(required=False, allow_null=True)


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

    quality = serializers.FloatField(allow_null=True)
    location = serializers.FloatField(allow_null=True)
    specialization = serializers.FloatField(allow_null=True)
    pricing = serializers.FloatField(allow_null=True)
    availability = serializers.FloatField(allow_null=True)


class MatchSerializer(serializers.Serializer[Any]):
    """What both lists say of one place."""

    score = serializers.FloatField(help_text="0 to 100")
    rule_based_score = serializers.FloatField(allow_null=True)
    neural_score = serializers.FloatField(allow_null=True, help_text="null where the network did not say")
    breakdown = BreakdownSerializer()
    reasoning = serializers.ListField(child=serializers.CharField())
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

    recommendations = CleanerMatchSerializer(many=True)


class JobMatchesSerializer(MatchListSerializer):
    """Jobs for a cleaner, the best first."""

    recommendations = JobMatchSerializer(many=True)


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
    win_rate = serializers.FloatField(allow_null=True)
    current_bid_count = serializers.IntegerField()
    lowest_bid = serializers.FloatField(allow_null=True)


class ReviewToldSerializer(ReviewSerializer):
    """A review as it was given."""

    job_id = serializers.IntegerField()
    cleaner_id = serializers.IntegerField()


class OutcomeSerializer(serializers.Serializer[Any]):
    """What has come of one recommendation so far."""

    recommendation_id = serializers.IntegerField()
    viewed = serializers.BooleanField()
    contacted = serializers.BooleanField(required=False)
    hired = serializers.BooleanField(required=False)
    bid_placed = serializers.BooleanField(required=False)
    bid_accepted = serializers.BooleanField(required=False)


class FeedbackToldSerializer(serializers.Serializer[Any]):
    """The verdict as it stands."""

    recommendation_id = serializers.IntegerField()
    feedback_type = serializers.CharField()
    comment = serializers.CharField(allow_blank=True)
