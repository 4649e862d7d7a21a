"""Completes the OpenAPI document that APIFlask generates from the routes: parameters, bodies, problems, security."""

from typing import Any, cast

from apiflask import APIFlask
from flask import Response
from markupsafe import escape
from pydantic.json_schema import models_json_schema

from recommendation_service import __version__
from recommendation_service.domain.ids import MAX_ID_LENGTH
from recommendation_service.domain.request import DEFAULT_LIMIT, MAX_LIMIT, EstimateRequest, RecommendationRequest
from recommendation_service.web.errors import PROBLEM_JSON
from recommendation_service.web.payloads import json_response
from recommendation_service.web.schemas import Problem

VERSION = __version__
OPEN_PATHS = ("/livez", "/readyz")
REFS = "#/components/schemas/{model}"
DESCRIPTION = "Recommendations for the sites of one server. Every error is problem+json (RFC 9457)."

SUBJECT = {"type": "string", "minLength": 1, "maxLength": MAX_ID_LENGTH}
QUERY = [
    {
        "name": "limit",
        "in": "query",
        "description": "How many items at most",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    },
    {
        "name": "explain",
        "in": "query",
        "description": "Fill `parts` of each recommendation",
        "schema": {"type": "boolean", "default": False},
    },
    {
        "name": "filters",
        "in": "query",
        "description": "Any facet of the catalogue, repeatable: ?category=health&category=ai",
        "style": "form",
        "explode": True,
        "schema": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
    },
]
PROBLEMS = {
    "get": {"401": "No token, or an invalid one"},
    "recommend": {
        "404": "Does not exist, or you have no permission to see it",
        "422": "A parameter is wrong; `errors` names it",
        "503": "No export or model yet",
    },
    "body": {
        "400": "Not JSON",
        "413": "More than 256 kB, or than 1 MB on a surface about a context",
        "415": "Not application/json",
    },
}


def install(app: APIFlask) -> None:
    """Serve /openapi.json and /docs."""
    app.config.update(OPENAPI_VERSION="3.1.0", AUTO_404_RESPONSE=False, DESCRIPTION=DESCRIPTION)
    app.spec_processor(lambda spec: complete(cast(dict[str, Any], spec)))  # JSON, so never text

    @app.get("/openapi.json")
    @app.doc(hide=True)
    def openapi_json() -> Response:
        return json_response(cast(dict[str, Any], app._get_spec("json")))

    @app.get("/docs")
    @app.doc(hide=True)
    def docs() -> Response:
        return Response(page(cast(dict[str, Any], app._get_spec("json"))), content_type="text/html; charset=utf-8")


def complete(spec: dict[str, Any]) -> dict[str, Any]:
    """Add what APIFlask does not know of the routes, so that the document describes every possible answer."""
    _, models = models_json_schema(
        [(RecommendationRequest, "validation"), (EstimateRequest, "validation"), (Problem, "serialization")], ref_template=REFS
    )
    components = spec.setdefault("components", {})
    components.setdefault("schemas", {}).update(models["$defs"])
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            if isinstance(operation, dict) and "responses" in operation:
                _complete_operation(path, method, operation)
    return spec


def _complete_operation(path: str, method: str, operation: dict[str, Any]) -> None:
    problems: dict[str, str] = {"500": "Unexpected error; see the log of the service"}
    if path not in OPEN_PATHS:
        operation["security"] = [{"token": []}]
        problems |= PROBLEMS["get"]
    if path.startswith("/api/recommendations"):
        problems |= PROBLEMS["recommend"]
        _complete_recommendation(method, operation, problems)
    elif path.startswith("/api/estimates"):
        problems |= PROBLEMS["recommend"] | PROBLEMS["body"]
        _takes(operation, "EstimateRequest")
    elif path == "/readyz":
        content = operation["responses"]["200"]["content"]
        description = "No use case can answer yet; `detail` gives the reason"
        operation["responses"]["503"] = {"description": description, "content": content}
    elif path not in OPEN_PATHS:
        problems["403"] = "The token lacks the scope"
    for status, description in problems.items():
        content = {PROBLEM_JSON: {"schema": {"$ref": REFS.format(model="Problem")}}}
        operation["responses"][status] = {"description": description, "content": content}


def _complete_recommendation(method: str, operation: dict[str, Any], problems: dict[str, str]) -> None:
    for parameter in operation.get("parameters", []):
        if parameter["name"] == "subject":
            parameter["schema"] = SUBJECT
            parameter["description"] = "User id; item id where the surface is about an item; id of the context, such as a job"
    if method == "get":
        operation.setdefault("parameters", []).extend(QUERY)
        return
    problems |= PROBLEMS["body"]
    _takes(operation, "RecommendationRequest")


def _takes(operation: dict[str, Any], model: str) -> None:
    content = {"application/json": {"schema": {"$ref": REFS.format(model=model)}}}
    operation["requestBody"] = {"required": True, "content": content}


def page(spec: dict[str, Any]) -> str:
    """Return a plain HTML list of the operations, without scripts and external files."""
    rows = [
        f"<li><code>{method.upper()} {escape(path)}</code> {escape(operation.get('summary', ''))}</li>"
        for path, methods in spec["paths"].items()
        for method, operation in methods.items()
        if isinstance(operation, dict) and "responses" in operation
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(spec["info"]["title"])}</title>'
        f"<h1>{escape(spec['info']['title'])}</h1><p>{escape(DESCRIPTION)}</p><ul>{''.join(rows)}</ul>"
        '<p>The whole description: <a href="/openapi.json">/openapi.json</a></p></html>'
    )
