"""Bids over HTTP: strict questions, estimates in order, and every refusal a documented problem."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings

from recommendation_service.app import create_app
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.domain.answer import EstimatesAnswer
from recommendation_service.tests.support import service
from recommendation_service.tests.support.exports import NOW as THEN
from recommendation_service.tests.support.exports import Happening, write_export
from recommendation_service.tests.support.service import bearer, publish
from recommendation_service.tests.web.test_openapi import CHECKS
from recommendation_service.use_cases.loader import load
from recommendation_service.web.schemas import Problem

PATH = "/api/estimates/cleaning/bid"
JOB = {"id": "5", "numbers": {"hours": 4, "size_m2": 80}, "text_columns": {"property_type": "villa", "client_id": "17"}}
ASKED: dict[str, Any] = {
    "context": JOB,
    "offers": [
        {"item_id": "7", "title": "Maria", "numbers": {"usual_rate": 12.0}},
        {"item_id": "8", "numbers": {"usual_rate": 30}},
    ],
}


def export_cleaners(root: Path) -> None:
    cleaning = load("cleaning")
    items = [ItemRecord(f"{row}", f"Cleaner {row}", "", "", ()) for row in (7, 8)]
    write_export(root / "data", cleaning, items, [Happening("c1", "7", "hire", THEN)])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("cleaning")
    export_cleaners(made)
    publish(made, "bid", catalogue="cleaners")
    return made


@pytest.fixture(scope="module")
def app(root: Path) -> Any:
    return create_app(service.settings_under(root, RS_USE_CASES="cleaning"))


@pytest.fixture
def client(app: Any) -> FlaskClient:
    found: FlaskClient = app.test_client()
    return found


def ask(client: FlaskClient, body: Any = ASKED, path: str = PATH, **more: Any) -> Any:
    return client.post(path, json=body, headers=bearer(), **more)


def changed(**changes: Any) -> dict[str, Any]:
    return {**ASKED, **changes}


def test_each_offer_gets_a_range_in_the_order_asked(client: FlaskClient) -> None:
    answer = ask(client, changed(request_id="r-1"))
    assert answer.status_code == 200
    body = EstimatesAnswer.model_validate(answer.json, strict=True)
    assert set(answer.json) == set(EstimatesAnswer.model_fields)
    assert (body.request_id, body.use_case, body.estimator, body.model_version) == ("r-1", "cleaning", "bid", "bid_v1")
    assert [one.item_id for one in body.estimates] == ["7", "8"]
    assert all(0 < one.minimum <= one.optimal <= one.maximum for one in body.estimates)
    assert body.estimates[0] != body.estimates[1]


def test_without_a_request_id_one_is_made_and_is_the_headers(client: FlaskClient) -> None:
    answer = ask(client)
    assert answer.json["request_id"] == answer.headers["X-Request-ID"] != ""
    assert answer.headers["X-Serving-State"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (changed(limit=3), "/limit"),
        ({"context": JOB}, "/offers"),
        ({"offers": ASKED["offers"]}, "/context"),
        (changed(offers=[]), "/offers"),
        (changed(offers=[{"item_id": str(row)} for row in range(101)]), "/offers"),
        (changed(offers=[{"item_id": "7"}, {"item_id": "7"}]), "/offers/1/item_id"),
        (changed(offers=[{"item_id": 7}]), "/offers/0/item_id"),
        (changed(context={**JOB, "numbers": {"hours": "4"}}), "/context/numbers/hours"),
        (changed(context={**JOB, "numbers": {"hours": 1e300}}), "/context/numbers/hours"),
        (changed(context={**JOB, "numbers": {"hours": True}}), "/context/numbers/hours"),
        (changed(context={**JOB, "numbers": {}}), "/context/numbers/hours"),
        (changed(context={**JOB, "numbers": {"hours": -4}}), "/context/numbers/hours"),
        (changed(context={**JOB, "numbers": {"hours": 0}}), "/context/numbers/hours"),
        (changed(request_id=""), "/request_id"),
        ([], "/"),
    ],
)
def test_a_wrong_question_is_422_and_says_where(client: FlaskClient, body: Any, pointer: str) -> None:
    answer = ask(client, body)
    assert answer.status_code == 422, answer.json
    problem = Problem.model_validate(answer.json)
    assert problem.code == "invalid_input"
    assert pointer in [one.pointer for one in problem.errors]


def test_a_word_in_the_query_is_refused(client: FlaskClient) -> None:
    answer = ask(client, path=f"{PATH}?limit=3")
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/limit")


@pytest.mark.parametrize("path", ["/api/estimates/cleaning/rent", "/api/estimates/nowhere/bid", "/api/estimates/startups/bid"])
def test_what_is_not_there_is_404(client: FlaskClient, path: str) -> None:
    answer = ask(client, path=path)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert "cleaning/bid" in answer.json["detail"]


def test_only_a_service_may_ask_and_to_others_it_is_not_there(client: FlaskClient) -> None:
    assert client.post(PATH, json=ASKED).status_code == 401
    own = client.post(PATH, json=ASKED, headers=bearer("17", "recs:self"))
    assert (own.status_code, own.json["code"]) == (404, "not_found")
    assert client.get(PATH, headers=bearer()).status_code == 405


def test_bodies_that_are_no_json_are_refused(client: FlaskClient) -> None:
    assert client.post(PATH, data="x", headers=bearer()).status_code == 415
    assert client.post(PATH, data="{", headers=bearer(), content_type="application/json").status_code == 400
    assert client.post(PATH, data=b" " * 300_000, headers=bearer(), content_type="application/json").status_code == 413


def test_without_a_model_or_an_export_it_is_503_and_says_what_to_do(tmp_path: Path, serve: Callable[..., FlaskClient]) -> None:
    empty = ask(serve(RS_USE_CASES="cleaning"))
    assert (empty.status_code, empty.json["code"]) == (503, "unavailable")
    export_cleaners(tmp_path)
    untrained = ask(serve(RS_USE_CASES="cleaning"))
    assert untrained.status_code == 503
    assert "tandem train all --use-case cleaning" in untrained.json["detail"]


def test_a_model_published_while_it_serves_is_taken_up(tmp_path: Path, serve: Callable[..., FlaskClient]) -> None:
    export_cleaners(tmp_path)
    client = serve(RS_USE_CASES="cleaning")
    assert ask(client).status_code == 503
    publish(tmp_path, "bid", catalogue="cleaners")
    assert client.post("/api/models/reload", headers=bearer("service", "recs:admin")).status_code == 200
    assert ask(client).json["model_version"] == "bid_v1"


def test_a_damaged_model_is_not_served(tmp_path: Path, serve: Callable[..., FlaskClient]) -> None:
    export_cleaners(tmp_path)
    publish(tmp_path, "bid", catalogue="cleaners")
    (path,) = (tmp_path / "models" / "cleaners" / "bid_v1").glob("out_weights.npy")
    path.write_bytes(path.read_bytes()[:-1] + b"\x00\x00")
    assert ask(serve(RS_USE_CASES="cleaning")).status_code == 503


def test_what_was_asked_is_counted(client: FlaskClient) -> None:
    ask(client)
    told = client.get("/metrics", headers=bearer()).text
    assert 'recs_estimates_total{estimator="bid",use_case="cleaning"}' in told


def test_generated_questions_get_only_answers_that_the_document_describes(app: Any) -> None:
    statuses = {status for use_case in ("cleaning", "nowhere") for status in statuses_of_generated_questions(app, use_case)}
    assert {404, 422} <= statuses <= {200, 404, 422}


def statuses_of_generated_questions(app: Any, use_case: str) -> set[int]:
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    path = "/api/estimates/{use_case}/{name}"
    choices = {"use_case": [use_case], "name": ["bid"]}
    for parameter in schema.raw_schema["paths"][path]["post"]["parameters"]:
        parameter["schema"] = {"type": "string", "enum": choices[parameter["name"]]}
    models = schema.raw_schema["components"]["schemas"]
    for model, field in (("Context", "id"), ("Offer", "item_id")):  # the document does not say which letters an id may have
        models[model]["properties"][field]["pattern"] = "^[a-z0-9]{1,9}$"
    statuses = set()

    @settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=schema[path]["POST"].as_strategy())
    def hold(case: Any) -> None:
        response = case.call(headers=bearer())
        statuses.add(response.status_code)
        case.validate_response(response, checks=CHECKS, headers=bearer())

    hold()
    return statuses
