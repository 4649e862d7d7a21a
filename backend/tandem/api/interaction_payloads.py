"""What the doors for interactions and feedback take and give: shapes for OpenAPI, and whose name a row may carry."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from tandem import identity, tokens
from tandem.api.authentication import scopes_of
from tandem.models import Feedback

NOT_YOURS = "is not yours to write for; leave it out to write for yourself"
_ROW: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["item_id", "event"],
    "properties": {
        "event_id": {"type": "string", "format": "uuid", "description": "Sent again with the same id, it counts once"},
        "user_id": {"type": "string", "maxLength": 64, "description": "Your own when it is left out"},
        "item_id": {"type": "string", "maxLength": 64},
        "event": {"type": "string", "maxLength": 40, "description": "An event that the use case names, such as like"},
        "use_case": {"type": "string", "description": "Enough where the use case has one catalogue"},
        "catalogue": {"type": "string"},
        "time": {
            "oneOf": [{"type": "string", "format": "date-time"}, {"type": "number"}],
            "description": "ISO 8601, or seconds since 1970; now when it is left out",
        },
        "value": {"type": "number", "nullable": True, "description": "Such as the stars of a rating"},
        "request_id": {"type": "string", "format": "uuid", "description": "Of the list in which the item was shown"},
    },
}
MAX_ROWS = 1_000
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


class FeedbackSerializer(serializers.Serializer[Any]):
    """A verdict on one item."""

    user_id = serializers.CharField(max_length=64, required=False, help_text="Your own when it is left out")
    catalogue = serializers.CharField(max_length=40)
    item_id = serializers.CharField(max_length=64)
    verdict = serializers.ChoiceField(Feedback.Verdict.choices, help_text="hide: keep it out of my lists")
    comment = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    request_id = serializers.UUIDField(required=False, allow_null=True, help_text="Of the list in which it was shown")

    def validate(self, attrs: Mapping[str, Any]) -> Any:
        """Refuse keys that are not known."""
        unknown = sorted(set(self.initial_data) - set(self.fields))
        if unknown:
            raise serializers.ValidationError({name: f"is not known; known are {', '.join(self.fields)}" for name in unknown})
        return attrs


class VerdictSerializer(serializers.Serializer[Any]):
    """The verdict as it stands."""

    user_id = serializers.CharField()
    catalogue = serializers.CharField()
    item_id = serializers.CharField()
    verdict = serializers.CharField()


class Writer:
    """For whom the sender of a request may write."""

    def __init__(self, user: Any) -> None:
        self._user = user
        self._anyone = bool(getattr(user, "is_staff", False)) or tokens.ANY in scopes_of(user)
        by_token = getattr(user, "token_subject", None) is not None
        self._own = not by_token or tokens.SELF in scopes_of(user)
        self._ids: dict[str | None, tuple[str, ...]] = {}

    def ids(self, catalogue: Any) -> tuple[str, ...]:
        """The sender's own user ids, asked for once per catalogue."""
        name = catalogue if isinstance(catalogue, str) else None
        if name not in self._ids:
            self._ids[name] = identity.user_ids_of(self._user, catalogue=name) if self._own else ()
        return self._ids[name]

    def user_id(self, asked: Any, catalogue: Any) -> Any:
        """The user id to write for, or None when the sender may not; what is not text is left to be refused later."""
        own = self.ids(catalogue)
        if asked is None:
            return own[0] if own else None
        return asked if self._anyone or not isinstance(asked, str) or asked in own else None
