"""The shapes of what the marketplace's doors take. All refuse keys that they do not know."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from sites.cleaning.models import PropertyType, RecommendationFeedback

MOST = 2**62  # every database holds such a number


class Strict(serializers.Serializer[Any]):
    """Refuses keys that are not known."""

    def validate(self, attrs: Mapping[str, Any]) -> Any:
        """The values as they are, once every key is known."""
        unknown = sorted(set(self.initial_data) - set(self.fields)) if hasattr(self, "initial_data") else []
        if unknown:
            raise serializers.ValidationError({name: f"is not known; known are {', '.join(self.fields)}" for name in unknown})
        return attrs


class NewPlaceSerializer(Strict):
    """A place that is not known yet."""

    kind = serializers.ChoiceField(PropertyType.choices)
    district = serializers.CharField(max_length=60)
    size_m2 = serializers.IntegerField(min_value=5, max_value=5000)
    latitude = serializers.FloatField(min_value=-90, max_value=90)
    longitude = serializers.FloatField(min_value=-180, max_value=180)

    def to_internal_value(self, data: Any) -> Any:
        """The values; keys that are not known are refused here, since a nested shape has no initial data."""
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        if unknown:
            raise serializers.ValidationError({name: f"is not known; known are {', '.join(self.fields)}" for name in unknown})
        return super().to_internal_value(data)


class PostJobSerializer(Strict):
    """Work that is wanted."""

    property_id = serializers.IntegerField(required=False, min_value=1, max_value=MOST, help_text="One of the client's places")
    property = NewPlaceSerializer(required=False, help_text="Or a new one")
    hours = serializers.DecimalField(max_digits=4, decimal_places=1, min_value=0)
    budget = serializers.DecimalField(max_digits=8, decimal_places=2, min_value=0)
    wanted_for = serializers.DateTimeField(help_text="In the future, at most a year away")
    eco_friendly = serializers.BooleanField(default=False)
    description = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")
    client_id = serializers.IntegerField(required=False, min_value=1, max_value=MOST, help_text="For staff and services")

    def validate(self, attrs: Mapping[str, Any]) -> Any:
        """Exactly one place."""
        if ("property_id" in attrs) == ("property" in attrs):
            raise serializers.ValidationError({"property_id": "say either property_id or property"})
        return super().validate(attrs)


class PlaceBidSerializer(Strict):
    """An offer."""

    amount = serializers.DecimalField(max_digits=8, decimal_places=2, min_value=0, help_text="€ for the whole job")
    message = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    request_id = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="Of the list that showed the job"
    )
    cleaner_id = serializers.IntegerField(required=False, min_value=1, max_value=MOST, help_text="For staff and services")


class AcceptSerializer(Strict):
    """Which offer is taken."""

    bid_id = serializers.IntegerField(min_value=1, max_value=MOST)


class NothingSerializer(Strict):
    """Nothing has to be said."""


class CompleteSerializer(Strict):
    """How it went."""

    photos = serializers.IntegerField(min_value=0, max_value=1000, default=0)
    on_time = serializers.BooleanField(required=False, allow_null=True, default=None, help_text="For the client to say")


class ReviewSerializer(Strict):
    """Marks of 1 to 10."""

    overall = serializers.IntegerField(min_value=1, max_value=10)
    quality = serializers.IntegerField(min_value=1, max_value=10)
    communication = serializers.IntegerField(min_value=1, max_value=10)
    professionalism = serializers.IntegerField(min_value=1, max_value=10)
    timeliness = serializers.IntegerField(min_value=1, max_value=10)
    comment = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")


class FeedbackOnMatchSerializer(Strict):
    """A verdict on one recommendation."""

    feedback_type = serializers.ChoiceField(RecommendationFeedback.Verdict.choices)
    comment = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
