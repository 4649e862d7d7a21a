"""Serializers that the sites share."""

from typing import Any

from rest_framework import serializers

from tandem.api.serializers import QuerySerializer, UserIdField


class UserQuerySerializer(QuerySerializer):
    """Query string of a person's own endpoints."""

    user_id = UserIdField(required=False, help_text="Whose; your own if you leave it out")


class RoundedField(serializers.FloatField):
    """A number with at most `digits` decimals."""

    def __init__(self, digits: int = 6, **kwargs: Any) -> None:
        self.digits = digits
        super().__init__(**kwargs)

    def to_representation(self, value: Any) -> Any:
        """Return the rounded number."""
        return round(float(value), self.digits)
