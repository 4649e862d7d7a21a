"""Query strings of recommendation requests, validated strictly: every error names its parameter."""

import unicodedata
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Self

from django.http import QueryDict
from rest_framework import serializers

from recommendation_service.domain.ids import clean_id
from recommendation_service.domain.query import DEFAULT_LIMIT, MAX_LIMIT
from recommendation_service.errors import InvalidInput
from tandem.api.problem_details import pointer, printable

__all__ = ["RecommendationQuery", "days", "one_id", "pointer"]

EXPLAIN, STRATEGY, DAYS, USER = "explain", "strategy", "days", "user_id"
TRUTH = {"true": True, "1": True, "false": False, "0": False}
MAX_VALUES = 100
MAX_VALUE_LENGTH = 200


class WholeNumberField(serializers.Field[int, str, int, Any]):
    """A number of ASCII digits, from 1 to `most`."""

    def __init__(self, *, most: int, default: int) -> None:
        self._most = most
        super().__init__(default=default)

    def to_internal_value(self, data: str) -> int:
        """Return the number."""
        if not (data.isascii() and data.isdigit() and len(data) <= 4 and 1 <= int(data) <= self._most):
            raise serializers.ValidationError(f"must be one whole number from 1 to {self._most}")
        return int(data)


class TruthField(serializers.Field[bool, str, bool, Any]):
    """true, 1, false or 0."""

    def to_internal_value(self, data: str) -> bool:
        """Return the value."""
        if data not in TRUTH:
            raise serializers.ValidationError("must be true or false, once")
        return TRUTH[data]


class IdField(serializers.Field[str, str, str, Any]):
    """A user or item id."""

    def to_internal_value(self, data: str) -> str:
        """Return the clean id. Raises InvalidInput."""
        return clean_id(data, field=str(self.field_name))


class FacetField(serializers.Field[tuple[str, ...], list[str], tuple[str, ...], Any]):
    """Any number of values of one filter."""

    def to_internal_value(self, data: list[str]) -> tuple[str, ...]:
        """Return the values in Unicode's form NFC."""
        if len(data) > MAX_VALUES or any(not 1 <= len(value) <= MAX_VALUE_LENGTH for value in data):
            raise serializers.ValidationError(f"takes 1 to {MAX_VALUES} values of 1 to {MAX_VALUE_LENGTH} characters")
        return tuple(unicodedata.normalize("NFC", value) for value in data)


class QuerySerializer(serializers.Serializer[Any]):
    """Validates a query string. Unknown and repeated parameters are errors, and an empty value is not a missing one."""

    def __init__(self, query: QueryDict, *, ignored: Collection[str] = ()) -> None:
        """`ignored` parameters are read by the view itself."""
        self._ignored = ignored
        super().__init__(data=query)

    def to_internal_value(self, data: QueryDict) -> Any:
        """Return the values by parameter."""
        values: dict[str, Any] = {}
        for name in data:
            field = self.fields.get(name)
            if isinstance(field, FacetField):
                values[name] = data.getlist(name)
            elif field is not None and len(data.getlist(name)) > 1:
                raise serializers.ValidationError({name: "must come once"})
            elif field is not None:
                values[name] = data[name]
            elif name not in self._ignored:
                known = ", ".join([*self._ignored, *self.fields])
                raise serializers.ValidationError({printable(name, 64): f"unknown parameter; known are {known}"})
        return super().to_internal_value(values)

    def validated(self) -> Self:
        """Return the serializer with `validated_data`. Raises ValidationError and InvalidInput."""
        self.is_valid(raise_exception=True)
        return self


class RecommendationQuery(QuerySerializer):
    """Parameters of a list: how many items, explained or not, by which strategy, and the catalogue's filters."""

    def __init__(
        self,
        query: QueryDict,
        *,
        facets: Iterable[str],
        strategies: Sequence[str] = (),
        limit_name: str = "limit",
        default_limit: int = DEFAULT_LIMIT,
        takes_user: bool = True,
        ignored: Collection[str] = (),
    ) -> None:
        """`facets` are the filters of the catalogue; `limit_name` is this path's name for the limit."""
        self._strategies, self._limit_name, self._default_limit = strategies, limit_name, default_limit
        self._takes_user, self._facets = takes_user, facets
        super().__init__(query, ignored=ignored)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the parameters of this surface."""
        fields: dict[str, serializers.Field[Any, Any, Any, Any]] = {
            self._limit_name: WholeNumberField(most=MAX_LIMIT, default=self._default_limit),
            EXPLAIN: TruthField(default=False),
        }
        if self._strategies:
            message: dict[str, Any] = {"invalid_choice": f"must be one of {', '.join(self._strategies)}, once"}
            fields[STRATEGY] = serializers.ChoiceField(list(self._strategies), required=False, error_messages=message)
        if self._takes_user:
            fields[USER] = IdField(required=False)
        return fields | {
            name: FacetField(required=False) for name in sorted(set(self._facets) - fields.keys() - set(self._ignored))
        }

    @property
    def user_id(self) -> str | None:
        """The user that was named, if any."""
        user_id: str | None = self.validated_data.get(USER)
        return user_id

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of `recommend` that a query string gives."""
        data = self.validated_data
        facets = [name for name, field in self.fields.items() if isinstance(field, FacetField)]
        return {
            "limit": data[self._limit_name],
            "explain": data[EXPLAIN],
            "strategy": data.get(STRATEGY),
            "filters": {name: data[name] for name in facets if name in data},
        }


class DaysQuery(QuerySerializer):
    """How many days back, the only parameter."""

    def __init__(self, query: QueryDict, *, default: int, most: int) -> None:
        self._default, self._most = default, most
        super().__init__(query)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the one field."""
        return {DAYS: WholeNumberField(most=self._most, default=self._default)}


def days(query: QueryDict, *, default: int, most: int) -> int:
    """Return the number of days that `?days=` requests. Raises ValidationError."""
    return int(DaysQuery(query, default=default, most=most).validated().validated_data[DAYS])


def one_id(query: QueryDict, name: str) -> str | None:
    """Return the one clean id under `name`, or None where it is missing. Raises InvalidInput."""
    values = query.getlist(name)
    if len(values) > 1:
        raise InvalidInput(f"{name} must come once", fields={f"/{name}": "must come once"})
    return clean_id(values[0], field=name) if values else None
