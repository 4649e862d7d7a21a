"""Serializers of the API: bases, query strings, and the JSON that all sites share."""

import unicodedata
from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import QueryDict
from pydantic import BaseModel
from rest_framework import serializers
from rest_framework.request import Request

from recommendation_service.domain import answer
from recommendation_service.domain.ids import spelled_id
from recommendation_service.domain.request import DEFAULT_LIMIT, MAX_LIMIT
from tandem.identity import spelled_user_id

USER, EXCLUDE = "user_id", "exclude"
MAX_EXCLUDED = 200  # more do not fit into an address
MAX_VALUES = 100
MAX_VALUE_LENGTH = 200
MAX_NAME_LENGTH = 64

AnyField = serializers.Field[Any, Any, Any, Any]


def printable(text: str, longest: int) -> str:
    """Return client text that is safe to repeat: at most `longest` characters, none of them control or lone surrogates."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:longest])


def pointer(name: Any) -> str:
    """Return one step of a JSON pointer (RFC 6901) for a name that a client sent."""
    return printable(str(name), MAX_NAME_LENGTH).replace("~", "~0").replace("/", "~1")


class PydanticSerializer(serializers.BaseSerializer[Any]):
    """Serializes with a pydantic model, so that the service, its client and this API share one declaration of a shape.

    The OpenAPI component has the model's name and JSON schema; see openapi.py.
    """

    model: ClassVar[type[BaseModel]]

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the checked JSON types. Raises pydantic.ValidationError."""
        return self.model.model_validate(instance).model_dump(mode="json")


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses keys that are not fields of the serializer."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the values. Raises ValidationError that names every unknown key beside every wrong value."""
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        known = ", ".join(self.fields) or "none"
        errors: dict[str, Any] = {str(name)[:64]: f"is not known; known are {known}" for name in unknown}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if not isinstance(error.detail, dict):
                raise
            errors.update(error.detail)
        if errors:
            raise serializers.ValidationError(errors)
        return values


class QuerySerializer(StrictSerializer):
    """Validates a query string: every parameter is known, and comes once unless it is a list."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the parsed values. Raises ValidationError for a repeated parameter."""
        if isinstance(data, QueryDict):
            lists = [name for name, field in self.fields.items() if isinstance(field, serializers.ListField)]
            repeated = [name for name in data if name not in lists and len(data.getlist(name)) > 1]
            if repeated:
                raise serializers.ValidationError({name[:64]: "must come once" for name in repeated})
            # a plain dict: in a QueryDict, DRF takes an empty value for a missing one
            data = {name: data.getlist(name) if name in lists else data[name] for name in data}
        return super().to_internal_value(data)

    @classmethod
    def parse(cls, request: Request, **context: Any) -> dict[str, Any]:
        """Return the validated parameters of a request. Raises ValidationError."""
        query = cls(data=request.query_params, context=context)
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)


class DigitsField(serializers.IntegerField):
    """A whole number of a query string, in ASCII digits only: no sign, no spaces."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number. Raises ValidationError."""
        if not (isinstance(data, str) and data.isascii() and data.isdigit()):
            self.fail("invalid")
        return super().to_internal_value(data)


class UserIdField(serializers.CharField):
    """A user id."""

    def to_internal_value(self, data: Any) -> str:
        """Return the id as it is stored. Raises InvalidInput."""
        return spelled_user_id(data, field=str(self.field_name))


class FacetField(serializers.ListField):
    """The values of one filter, in Unicode's form NFC."""

    def to_internal_value(self, data: list[str]) -> list[str]:
        """Return the values. Raises ValidationError."""
        if len(data) > MAX_VALUES or not all(1 <= len(value) <= MAX_VALUE_LENGTH for value in data):
            raise serializers.ValidationError(f"takes 1 to {MAX_VALUES} values of 1 to {MAX_VALUE_LENGTH} characters")
        return [unicodedata.normalize("NFC", value) for value in data]


class ExcludeField(serializers.ListField):
    """Ids of items that must not be shown, such as those of another list of the page: `?exclude=a&exclude=b`."""

    def to_internal_value(self, data: list[str]) -> list[str]:
        """Return the clean ids. Raises ValidationError for too many, InvalidInput for a wrong one."""
        if len(data) > MAX_EXCLUDED:
            raise serializers.ValidationError(f"takes at most {MAX_EXCLUDED} ids")
        return [spelled_id(item_id, field=EXCLUDE) for item_id in data]


class ListQuerySerializer(QuerySerializer):
    """Query string of a list, read as arguments of `recommend`: user, limit, strategy, explain, exclude and filters.

    The context has the bound surface, and may have the name and the default of the limit, and names of other parameters
    that the view reads itself.
    """

    explain = serializers.ChoiceField(("true", "1", "false", "0"), default="false")

    def get_fields(self) -> dict[str, AnyField]:
        """Return the parameters of this surface."""
        bound, other = self.context["bound"], self.context.get("other_parameters", ())
        fields: dict[str, AnyField] = super().get_fields()
        fields[self._limit_name] = DigitsField(
            min_value=1, max_value=MAX_LIMIT, default=self.context.get("default_limit", DEFAULT_LIMIT)
        )
        fields[EXCLUDE] = ExcludeField(required=False)
        if bound.surface.strategies:
            fields["strategy"] = serializers.ChoiceField(bound.surface.strategies, required=False)
        if self.context.get("takes_user", True):
            fields[USER] = UserIdField(required=False)
        fields |= {name: FacetField(required=False) for name in sorted(bound.facets - fields.keys())}
        return fields | {name: serializers.ListField(required=False) for name in other}

    def validate(self, attrs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments. Raises ValidationError that names unknown parameters."""
        attrs = super().validate(attrs)
        facets = [name for name, field in self.fields.items() if isinstance(field, FacetField)]
        return {
            USER: attrs.get(USER),
            "limit": attrs[self._limit_name],
            "explain": attrs["explain"] in ("true", "1"),
            "strategy": attrs.get("strategy"),
            "exclude": attrs.get(EXCLUDE, ()),
            "filters": {name: attrs[name] for name in facets if name in attrs},
        }

    @property
    def _limit_name(self) -> str:
        return str(self.context.get("limit_name", "limit"))


class SkipSerializer(PydanticSerializer):
    """An engine that should have answered and did not."""

    model = answer.Skip


class RelaxedSerializer(PydanticSerializer):
    """A rule that was relaxed, because it would have left too few items."""

    model = answer.Relaxed


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
