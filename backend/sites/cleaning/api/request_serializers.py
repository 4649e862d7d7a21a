"""Serializers of request bodies and query strings. All refuse unknown keys."""

import re
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from recommendation_service.domain.request import DEFAULT_LIMIT, MAX_LIMIT
from sites.cleaning.conf import MODES
from sites.cleaning.models import CleaningJob, Property, PropertyType, RecommendationFeedback, Review
from tandem.api.serializers import DigitsField, QuerySerializer, StrictSerializer

MAX_ID = 2**62  # every database stores such a number
MAX_KM, MAX_EUROS = 20_040, 1_000_000
MAX_PAGE = 100
PLAIN_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?", re.ASCII)
FILTERS = ("max_distance", "eco", "property_type", "max_price")
MARKS = ("overall", "quality", "communication", "professionalism", "timeliness")


class TruthField(serializers.BooleanField):
    """true, 1, false or 0."""

    TRUE_VALUES, FALSE_VALUES = {"true", "1", True}, {"false", "0", False}


class PlainNumberField(serializers.FloatField):
    """A number of a query string: digits with at most six decimals, above 0."""

    def to_internal_value(self, data: Any) -> float:
        """Return the number. Raises ValidationError."""
        if not PLAIN_NUMBER.fullmatch(str(data)) or not float(data) > 0:
            self.fail("invalid")
        return super().to_internal_value(data)


class ListQuery(QuerySerializer):
    """Query string of a list of recommendations."""

    limit = DigitsField(default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT)
    mode = serializers.ChoiceField(MODES, required=False, help_text="How to score; default: the setting RECOMMENDATION_MODE")
    max_distance = DigitsField(
        required=False, min_value=1, max_value=MAX_KM, help_text="Whole kilometres: smaller steps would reveal an address"
    )
    eco = TruthField(required=False, help_text="Only eco-friendly cleaners or jobs")
    property_type = serializers.ChoiceField(PropertyType.choices, required=False)
    max_price = PlainNumberField(required=False, max_value=MAX_EUROS, help_text="€: the highest price of a bid")

    @classmethod
    def arguments(cls, request: Request) -> tuple[str | None, int, dict[str, Any]]:
        """Return mode, limit and filters of a request. Raises ValidationError."""
        data = cls.parse(request)
        return data.get("mode"), data["limit"], {name: data[name] for name in FILTERS if name in data}


class PageQuery(QuerySerializer):
    """Query string of a client's own jobs."""

    status = serializers.ChoiceField(CleaningJob.Status.choices, required=False)
    limit = DigitsField(default=20, min_value=1, max_value=MAX_LIMIT, help_text="Jobs per page")
    page = DigitsField(default=1, min_value=1, max_value=MAX_PAGE)


class SuggestionQuery(QuerySerializer):
    """Query string of a suggested bid."""

    cleaner_id = DigitsField(required=False, min_value=1, max_value=MAX_ID, help_text="For whom; default: you")


class EmptySerializer(StrictSerializer):
    """A body without keys."""


class StrictModelSerializer(StrictSerializer, serializers.ModelSerializer[Any]):
    """Fields of a model, and no other key."""


class NewPropertySerializer(StrictModelSerializer):
    """A new property."""

    class Meta:
        """All but the client."""

        model = Property
        fields = ("kind", "district", "size_m2", "latitude", "longitude")


class PostJobSerializer(StrictSerializer):
    """A new job, at one of the client's properties or at a new one."""

    property_id = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_ID, help_text="One of the client's properties"
    )
    property = NewPropertySerializer(required=False, help_text="Or a new one")
    hours = serializers.DecimalField(max_digits=4, decimal_places=1, min_value=0)
    budget = serializers.DecimalField(max_digits=8, decimal_places=2, min_value=0)
    wanted_for = serializers.DateTimeField(help_text="In the future, at most a year away")
    eco_friendly = serializers.BooleanField(default=False)
    description = serializers.CharField(max_length=1000, allow_blank=True, default="")
    client_id = serializers.IntegerField(required=False, min_value=1, max_value=MAX_ID, help_text="For staff and services")

    def validate(self, attrs: Mapping[str, Any]) -> Any:
        """Return the values. Raises ValidationError unless there is exactly one property."""
        if ("property_id" in attrs) == ("property" in attrs):
            raise serializers.ValidationError({"property_id": "send either property_id or property"})
        return attrs


class PlaceBidSerializer(StrictSerializer):
    """A new bid."""

    amount = serializers.DecimalField(max_digits=8, decimal_places=2, min_value=0, help_text="€ for the whole job")
    message = serializers.CharField(max_length=300, allow_blank=True, default="")
    request_id = serializers.UUIDField(allow_null=True, default=None, help_text="Of the list that showed the job")
    cleaner_id = serializers.IntegerField(required=False, min_value=1, max_value=MAX_ID, help_text="For staff and services")


class AcceptSerializer(StrictSerializer):
    """The accepted bid."""

    bid_id = serializers.IntegerField(min_value=1, max_value=MAX_ID)


class CompleteSerializer(StrictSerializer):
    """How a completed job went."""

    photos = serializers.IntegerField(min_value=0, max_value=1000, default=0)
    on_time = serializers.BooleanField(allow_null=True, default=None, help_text="Only the client may set it")


class ReviewSerializer(StrictModelSerializer):
    """Marks from 1 to 10."""

    class Meta:
        """What the client writes."""

        model = Review
        fields = (*MARKS, "comment")


class MatchFeedbackSerializer(StrictModelSerializer):
    """Feedback on one recommendation."""

    class Meta:
        """What the user writes."""

        model = RecommendationFeedback
        fields = ("feedback_type", "comment")
