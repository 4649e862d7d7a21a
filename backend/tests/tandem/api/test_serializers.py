"""The serializers of an answer: one declaration for the service, Django and the OpenAPI document."""

import pytest
from drf_spectacular.generators import SchemaGenerator
from pydantic import ValidationError

from recommendation_service.domain.answer import Answer, Skip
from tandem.api.serializers import AnswerSerializer, SkipSerializer

SKIP = {"engine": "als", "code": "not_trained", "detail": "no model yet"}


def test_the_document_describes_exactly_the_model() -> None:
    schemas = SchemaGenerator().get_schema(request=None, public=True)["components"]["schemas"]
    assert schemas["Answer"]["required"] == [name for name, field in Answer.model_fields.items() if field.is_required()]
    assert schemas["Skip"]["properties"] == Skip.model_json_schema()["properties"]


def test_a_representation_is_checked_json() -> None:
    assert SkipSerializer(SKIP).data == SKIP
    assert SkipSerializer(Skip(**SKIP)).data == SKIP
    with pytest.raises(ValidationError, match="request_id"):
        _ = AnswerSerializer({"use_case": "startups"}).data
