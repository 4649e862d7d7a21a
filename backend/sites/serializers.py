"""Serializer base classes that the sites share."""

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.request import Request


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses keys that are not fields of the serializer."""

    def validate(self, attrs: Mapping[str, Any]) -> Any:
        """Return the values. Raises ValidationError that names unknown keys."""
        unknown = sorted(set(self.initial_data) - set(self.fields))
        if unknown:
            fields = ", ".join(self.fields)
            raise serializers.ValidationError({str(name)[:64]: f"is unknown; use {fields}" for name in unknown})
        return attrs


class QuerySerializer(StrictSerializer):
    """Validates a query string: every parameter is known and comes at most once."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the parsed values. Raises ValidationError for a repeated parameter."""
        if isinstance(data, QueryDict):
            repeated = [name for name in data if len(data.getlist(name)) > 1]
            if repeated:
                raise serializers.ValidationError({name[:64]: "must come once" for name in repeated})
            data = data.dict()  # in a QueryDict, DRF takes an empty value for a missing one
        return super().to_internal_value(data)

    @classmethod
    def parse(cls, request: Request) -> dict[str, Any]:
        """Return the validated parameters of a request. Raises ValidationError."""
        query = cls(data=request.query_params)
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)


class DigitsField(serializers.IntegerField):
    """A whole number of a query string, in ASCII digits only: no sign, no spaces."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number. Raises ValidationError."""
        if not (isinstance(data, str) and data.isascii() and data.isdigit()):
            self.fail("invalid")
        return super().to_internal_value(data)


class RoundedField(serializers.FloatField):
    """A number with at most `digits` decimals."""

    def __init__(self, digits: int = 6, **kwargs: Any) -> None:
        self.digits = digits
        super().__init__(**kwargs)

    def to_representation(self, value: Any) -> Any:
        """Return the rounded number."""
        return round(float(value), self.digits)
