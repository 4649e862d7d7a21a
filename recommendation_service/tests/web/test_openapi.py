"""The document and the service agree, by generated requests."""

from collections import Counter
from typing import Any

import pytest
import schemathesis
from apiflask import APIFlask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

from recommendation_service.tests.support.service import bearer
from recommendation_service.web.openapi import OPEN_PATHS

CHECKS = [
    schemathesis.checks.not_a_server_error,
    schemathesis.checks.status_code_conformance,
    schemathesis.checks.content_type_conformance,
    schemathesis.checks.response_schema_conformance,
]


@pytest.fixture
def described(whole: APIFlask) -> Any:
    """The served document, its use case and surface narrowed to ones that exist, so that requests get inside."""
    schema = schemathesis.openapi.from_wsgi("/openapi.json", whole)
    for path, methods in schema.raw_schema["paths"].items():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] in ("use_case", "surface"):
                    choice = {"use_case": ["startups", "nowhere"], "surface": ["for-developer", "for-investor"]}
                    parameter["schema"] = {"type": "string", "enum": choice[parameter["name"]]}
        assert path
    return schema


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_generated_requests_get_only_answers_that_the_document_describes(described: Any, mode: GenerationMode) -> None:
    headers = bearer("service", "recs:any recs:admin")
    asked: Counter[int] = Counter()
    for found in described.get_all_operations():
        operation = found.ok()

        @settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            response = case.call(headers=headers)
            asked[response.status_code] += 1
            case.validate_response(response, checks=CHECKS, headers=headers)

        if mode is GenerationMode.POSITIVE or operation.body or list(operation.iter_parameters()):
            ask()
    print(f"{mode.value}: {asked.total()} requests, {dict(asked)}")  # noqa: T201  # pytest -s shows it
    assert asked.total() >= 100
    assert not any(status >= 500 for status in asked)


def test_every_route_but_the_document_itself_is_described(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    rules = {rule.rule.replace("<", "{").replace(">", "}") for rule in client.application.url_map.iter_rules()}
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == rules - {"/openapi.json", "/docs", "/metrics"}


def test_every_closed_route_says_that_it_needs_a_token(client: FlaskClient) -> None:
    for path, methods in client.get("/openapi.json").json["paths"].items():
        for operation in methods.values():
            assert ("security" in operation) == (path not in OPEN_PATHS)


def test_the_docs_page_loads_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/docs").text
    assert "/api/recommendations/{use_case}/{surface}/{subject}" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
