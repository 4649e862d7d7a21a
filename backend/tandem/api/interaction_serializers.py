"""Serializers of interactions and feedback."""

from typing import Any

from rest_framework import serializers

from recommendation_service.domain.ids import MAX_KEY_LENGTH
from tandem.api.serializers import StrictSerializer
from tandem.models import Feedback
from tandem.services.interaction_validation import Interaction

MAX_ROWS = 1_000
_ROW = Interaction.model_json_schema() | {"required": ["item_id", "event"]}
REQUEST: dict[str, Any] = {
    "application/json": {"oneOf": [_ROW, {"type": "array", "items": _ROW, "minItems": 1, "maxItems": MAX_ROWS}]}
}


class RowErrorSerializer(serializers.Serializer[Any]):
    """One thing that is wrong with a row."""

    pointer = serializers.CharField(help_text="JSON pointer within the row")
    detail = serializers.CharField()


class RowResultSerializer(serializers.Serializer[Any]):
    """What became of one row."""

    index = serializers.IntegerField(min_value=0)
    status = serializers.ChoiceField(["accepted", "duplicate", "rejected"])
    event_id = serializers.UUIDField(allow_null=True)
    errors = RowErrorSerializer(many=True)  # type: ignore[assignment]  # a field of that name hides the base's property
    notes = serializers.ListField(child=serializers.CharField())


class RecordedSerializer(serializers.Serializer[Any]):
    """What became of everything that was sent."""

    accepted = serializers.IntegerField(min_value=0)
    duplicates = serializers.IntegerField(min_value=0)
    rejected = serializers.IntegerField(min_value=0)
    results = RowResultSerializer(many=True)


class FeedbackSerializer(StrictSerializer):
    """A verdict on one item."""

    user_id = serializers.CharField(max_length=MAX_KEY_LENGTH, required=False, help_text="Your own when it is left out")
    catalogue = serializers.CharField(max_length=40)
    item_id = serializers.CharField(max_length=MAX_KEY_LENGTH)
    verdict = serializers.ChoiceField(Feedback.Verdict.choices, help_text="hide: keep it out of my lists")
    comment = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    request_id = serializers.UUIDField(required=False, allow_null=True, help_text="Of the list in which it was shown")


class VerdictSerializer(serializers.Serializer[Any]):
    """The verdict as it stands."""

    user_id = serializers.CharField()
    catalogue = serializers.CharField()
    item_id = serializers.CharField()
    verdict = serializers.CharField()
