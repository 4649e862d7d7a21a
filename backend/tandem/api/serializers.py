"""Serializers of the answers that all sites share."""

from typing import Any, ClassVar

from pydantic import BaseModel
from rest_framework import serializers

from recommendation_service.domain import answer


class PydanticSerializer(serializers.BaseSerializer[Any]):
    """Serializes with a pydantic model, so that the service, its client and this API share one declaration of a shape.

    The OpenAPI component has the model's name and JSON schema; see openapi.py.
    """

    model: ClassVar[type[BaseModel]]

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the checked JSON types. Raises pydantic.ValidationError."""
        return self.model.model_validate(instance).model_dump(mode="json")


class SkipSerializer(PydanticSerializer):
    """An engine that should have answered and did not."""

    model = answer.AnswerSkip


class AnswerSerializer(PydanticSerializer):
    """One list of recommendations."""

    model = answer.Answer


class ProblemPartSerializer(serializers.Serializer[Any]):
    """One wrong input."""

    pointer = serializers.CharField(help_text="JSON pointer into the body, or /name of a parameter")
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457 problem details."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    code = serializers.CharField(help_text="Stable name for programs")
    request_id = serializers.CharField()
    errors = ProblemPartSerializer(many=True)  # type: ignore[assignment]  # RFC 9457 leaves the name to us, and clients know this one
