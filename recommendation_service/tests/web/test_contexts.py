"""Surfaces about a context, as Django asks them: with a job and the cleaners who might do it, or by an id alone."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from apiflask import APIFlask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from recommendation_service.app import create_app
from recommendation_service.domain.answer import Answer
from recommendation_service.tests.support import service
from recommendation_service.tests.support.cleaning import (
    FOR_CLEANER,
    FOR_JOB,
    cleaner,
    export_cleaning,
    ids_of,
    job,
    offers,
    publish_neural,
)
from recommendation_service.tests.support.service import bearer
from recommendation_service.tests.web.test_openapi import CHECKS
from recommendation_service.web.recommendations import MAX_OFFERS_BYTES

RULES = {"quality", "location", "specialization", "pricing", "availability"}


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> APIFlask:
    """Both catalogues exported, a network published; startups beside it."""
    root = tmp_path_factory.mktemp("cleaning")
    service.export_startups(root)
    export_cleaning(root)
    publish_neural(root)
    return create_app(service.settings_under(root, RS_USE_CASES="cleaning,startups"))


@pytest.fixture
def client(market: APIFlask) -> FlaskClient:
    return market.test_client()


def post(client: FlaskClient, path: str = FOR_JOB, **body: Any) -> Any:
    return client.post(path, json=body, headers=bearer())


def fields(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.json
    return [one["pointer"] for one in answer.json["errors"]]


def test_offers_are_ranked_by_both_for_the_job_that_is_brought(client: FlaskClient) -> None:
    answer = post(client, context=job(3), offers=offers(9, 3, 11), explain=True)
    assert answer.status_code == 200
    body = Answer.model_validate(answer.json, strict=True)
    assert (body.method_used, body.degraded, body.user_id) == ("ensemble", False, None)
    assert body.model_version == "rules+neural_v1"
    assert sorted(ids_of(answer.json)) == ["11", "3", "9"]
    for one in body.recommendations:
        assert set(one.parts) == {"rule_based", "neural"}
        assert sum(one.parts.values()) == pytest.approx(one.score, abs=1e-3)
        assert 0 <= one.score <= 100
        assert one.title == f"Cleaner {one.item_id}"


def test_the_blend_is_the_formula_over_both_answers(client: FlaskClient) -> None:
    asked = {"context": job(3), "offers": offers(9, 3, 11)}
    both = {one["item_id"]: one["score"] for one in post(client, **asked).json["recommendations"]}
    rules, network = (
        {one["item_id"]: one["score"] for one in post(client, **asked, strategy=name).json["recommendations"]}
        for name in ("rule_based", "neural")
    )
    for item_id, score in both.items():
        assert score == pytest.approx(0.6 * rules[item_id] + 0.4 * network[item_id], abs=1e-3)


def test_rules_say_what_each_part_gave_and_why(client: FlaskClient) -> None:
    answer = post(client, context=job(3), offers=offers(9, 3), strategy="rule_based", explain=True).json
    assert (answer["method_used"], answer["model_version"]) == ("rule_based", "rules")
    first = answer["recommendations"][0]
    assert first["item_id"] == "9"  # 6 km further, and so much better; kind, price and time are the same
    assert set(first["parts"]) == {"rule_based"} | RULES
    assert first["parts"]["rule_based"] == pytest.approx(first["score"])
    assert first["reasons"] == [
        "High quality score (86/100)",
        "Fits the budget (about €48 of €80)",
        "Nearby location (6.0 km away)",
        "Specializes in this property type",
        "Has time this week",
    ]


def test_the_network_tells_both_halves(client: FlaskClient) -> None:
    answer = post(
        client, context={**job(3), "text_columns": {"client_id": "c1"}}, offers=offers(9), strategy="neural", explain=True
    )
    (one,) = answer.json["recommendations"]
    assert {"neural", "content", "alpha"} <= set(one["parts"]) <= {"neural", "collaborative", "content", "alpha"}


def test_the_other_direction_gives_the_pair_the_same_score(client: FlaskClient) -> None:
    forwards = post(client, context=job(3), offers=offers(9), strategy="rule_based").json["recommendations"][0]
    asker = {"id": "9", "numbers": cleaner(9)["numbers"], "text_columns": cleaner(9)["text_columns"]}
    offer = {"item_id": "3", "title": "Two rooms", "numbers": job(3)["numbers"], "text_columns": job(3)["text_columns"]}
    answer = post(client, FOR_CLEANER, context=asker, offers=[offer], strategy="rule_based").json["recommendations"][0]
    assert answer["score"] == pytest.approx(forwards["score"])
    assert (answer["item_id"], answer["title"]) == ("3", "Two rooms")
    assert "The kind of property you clean most" in answer["reasons"]


def test_a_bid_that_was_placed_takes_the_place_of_the_expected_one(client: FlaskClient) -> None:
    dear = post(client, context=job(3), offers=offers(9, bid=200.0), strategy="rule_based", explain=True).json
    usual = post(client, context=job(3), offers=offers(9), strategy="rule_based", explain=True).json
    assert dear["recommendations"][0]["parts"]["pricing"] == 0
    assert usual["recommendations"][0]["parts"]["pricing"] > 90


def test_a_direct_get_asks_the_export(client: FlaskClient) -> None:
    answer = client.get(f"{FOR_JOB}/3?limit=4&explain=true", headers=bearer())
    assert answer.status_code == 200
    assert answer.json["method_used"] == "ensemble"
    assert len(answer.json["recommendations"]) == 4
    assert [one["title"] for one in answer.json["recommendations"]] == [f"Cleaner {one}" for one in ids_of(answer.json)]
    posted = post(client, f"{FOR_JOB}/3", limit=4, explain=True).json
    assert ids_of(posted) == ids_of(answer.json)


def test_a_direct_get_and_the_same_offers_agree(client: FlaskClient) -> None:
    got = client.get(f"{FOR_JOB}/3?limit=12", headers=bearer()).json["recommendations"]
    brought = post(client, context=job(3), offers=offers(*range(1, 13)), limit=12).json["recommendations"]
    assert {one["item_id"]: pytest.approx(one["score"], abs=1e-3) for one in got} == {
        one["item_id"]: one["score"] for one in brought
    }


def test_a_job_of_the_export_may_meet_offers_of_today(client: FlaskClient) -> None:
    answer = post(client, f"{FOR_JOB}/3", offers=[{**cleaner(3), "item_id": "joined-a-minute-ago", "title": "New"}])
    assert ids_of(answer.json) == ["joined-a-minute-ago"]
    assert answer.json["recommendations"][0]["title"] == "New"


def test_offers_never_bring_back_what_the_export_holds(client: FlaskClient) -> None:
    """Ids and places of the export, other people behind them: nothing of the export's may be told of them."""
    strangers = [{**one, "title": f"Today's {one['item_id']}"} for one in offers(2, 1, overall_score=77.0)]
    answer = post(client, context=job(3), offers=strangers, limit=100, explain=True).json
    assert sorted(ids_of(answer)) == ["1", "2"]
    for one in answer["recommendations"]:
        assert one["title"] == f"Today's {one['item_id']}"
        assert one["reasons"][0] == "High quality score (77/100)"


def test_nothing_known_of_anybody_gives_no_list_rather_than_the_exports(client: FlaskClient) -> None:
    bare = [{"item_id": "2"}, {"item_id": "1"}]
    answer = post(client, context={"id": "3"}, offers=bare, strategy="rule_based").json
    assert (answer["method_used"], answer["recommendations"]) == ("none", [])
    assert [(one["code"], one["detail"]) for one in answer["degradation"]] == [
        ("no_prediction", "rule_based has no prediction in this context"),
        ("no_prediction", "popular knows only the items of the export, not the offers"),
    ]


def test_excluded_offers_are_left_out(client: FlaskClient) -> None:
    assert ids_of(post(client, context=job(3), offers=offers(9, 3), exclude=["9"]).json) == ["3"]


@pytest.mark.parametrize("path", [f"{FOR_JOB}/7", f"{FOR_CLEANER}/13"])
def test_an_unknown_context_is_not_found(client: FlaskClient, path: str) -> None:
    assert client.get(path, headers=bearer()).status_code == 404


def test_without_a_subject_there_is_nothing_to_go_by(client: FlaskClient) -> None:
    assert fields(client.get(FOR_JOB, headers=bearer())) == ["/item_ids"]
    assert fields(post(client)) == ["/item_ids"]


def test_the_path_and_the_context_must_agree(client: FlaskClient) -> None:
    assert fields(post(client, f"{FOR_JOB}/3", context=job(4), offers=offers(9))) == ["/context/id"]
    assert post(client, f"{FOR_JOB}/3", context=job(3), offers=offers(9)).status_code == 200


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"context": {"id": "null"}}, "/context/id"),
        ({"context": {}}, "/context/id"),
        ({"context": {"id": "3", "name": "x"}}, "/context/name"),
        ({"context": {"id": "3", "numbers": {"size_m2": "80"}}}, "/context/numbers/size_m2"),
        ({"context": {"id": "3", "numbers": {"size_m2": True}}}, "/context/numbers/size_m2"),
        ({"context": {"id": "3", "numbers": {"size_m2": None}}}, "/context/numbers/size_m2"),
        ({"context": {"id": "3", "numbers": {"size_m2": 1e13}}}, "/context/numbers/size_m2"),
        ({"context": {"id": "3", "numbers": {"Size": 1}}}, "/context/numbers/Size"),
        ({"context": {"id": "3", "numbers": {f"n{one}": 1 for one in range(61)}}}, "/context/numbers"),
        ({"context": {"id": "3", "text_columns": {f"n{one}": "x" for one in range(21)}}}, "/context/text_columns"),
        ({"context": {"id": "3", "text_columns": {"kind": "x" * 201}}}, "/context/text_columns/kind"),
        ({"context": {"id": "3", "text_columns": {"kind": 3}}}, "/context/text_columns/kind"),
        ({"offers": []}, "/offers"),
        ({"offers": [{"item_id": str(one)} for one in range(501)]}, "/offers"),
        ({"offers": [{"item_id": "1"}, {"item_id": "2"}, {"item_id": "1"}]}, "/offers/2/item_id"),
        ({"offers": [{"title": "nobody"}]}, "/offers/0/item_id"),
        ({"offers": [{"item_id": "1", "title": "x" * 501}]}, "/offers/0/title"),
        ({"offers": [{"item_id": "1", "numbers": {"a b": 1}}]}, "/offers/0/numbers/a b"),
        ({"limit": 101}, "/limit"),
        ({"filters": {"area": ["north"]}}, "/filters/area"),
        ({"strategy": "popular"}, "/strategy"),
    ],
)
def test_what_is_wrong_is_named(client: FlaskClient, change: dict[str, Any], pointer: str) -> None:
    assert fields(post(client, **{"context": job(3), "offers": offers(9, 3), **change})) == [pointer]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_numbers_that_are_none_never_get_in(client: FlaskClient, number: str) -> None:
    body = '{"context": {"id": "3", "numbers": {"size_m2": %s}}}' % number  # noqa: UP031  # braces of JSON
    answer = client.post(FOR_JOB, data=body, headers=bearer() | {"Content-Type": "application/json"})
    assert answer.status_code == 400


@pytest.mark.parametrize("brought", [{"context": {"id": "3"}}, {"offers": [{"item_id": "i001"}]}], ids=["context", "offers"])
def test_a_surface_about_users_takes_neither(client: FlaskClient, brought: dict[str, Any]) -> None:
    answer = post(client, "/api/recommendations/startups/for-developer", user_id="u001", **brought)
    assert fields(answer) == [f"/{next(iter(brought))}"]
    assert "is about user ids" in answer.json["detail"]


@pytest.mark.parametrize("scope", ["recs:self", "recs:admin", ""])
def test_lists_about_a_context_are_for_services(client: FlaskClient, scope: str) -> None:
    mine = bearer("3", scope)
    elsewhere = client.get("/api/recommendations/cleaning/nowhere/3", headers=mine).json
    for answer in (
        client.get(f"{FOR_JOB}/3", headers=mine),
        client.get(f"{FOR_JOB}/nobody-knows", headers=mine),
        client.post(FOR_JOB, json={"context": job(3), "offers": offers(9)}, headers=mine),
        client.post(FOR_JOB, json={"context": "nonsense"}, headers=mine),
        client.post(f"{FOR_CLEANER}/3", json={"user_id": "3"}, headers=mine),
    ):
        assert answer.status_code == 404
        assert answer.json["detail"] == elsewhere["detail"]


def test_five_hundred_offers_of_forty_numbers_fit(client: FlaskClient) -> None:
    more = {f"another_long_column_name_{one}": 1234.567890 + one for one in range(27)}
    many = [{**cleaner(number, **more), "item_id": f"{number:04d}"} for number in range(500)]
    answer = post(client, context=job(3), offers=many, limit=100)
    assert answer.status_code == 200
    assert len(answer.json["recommendations"]) == 100


def test_a_body_beyond_the_limit_is_refused_and_other_surfaces_keep_their_own(client: FlaskClient) -> None:
    headers = bearer() | {"Content-Type": "application/json"}
    assert client.post(FOR_JOB, data=b" " * (MAX_OFFERS_BYTES + 1), headers=headers).status_code == 413
    assert client.post(FOR_JOB, data=b" " * 300_000, headers=headers).status_code == 400
    assert client.post("/api/recommendations/startups/for-developer", data=b" " * 300_000, headers=headers).status_code == 413
    stranger = bearer("3", "recs:self") | {"Content-Type": "application/json"}
    assert client.post(FOR_JOB, data=b" " * 300_000, headers=stranger).status_code == 404


def test_without_a_network_rules_answer_and_it_is_said(serve: Callable[..., FlaskClient], tmp_path: Path) -> None:
    export_cleaning(tmp_path)
    answer = post(serve(RS_USE_CASES="cleaning"), context=job(3), offers=offers(9, 3)).json
    assert (answer["method_used"], answer["degraded"]) == ("rule_based", True)
    (skip,) = answer["degradation"]
    assert (skip["engine"], skip["code"]) == ("ensemble", "no_prediction")
    assert "neural has no published model" in skip["detail"]


def test_a_site_without_columns_shows_what_is_popular_and_says_so(serve: Callable[..., FlaskClient], tmp_path: Path) -> None:
    export_cleaning(tmp_path, sides=False)
    client = serve(RS_USE_CASES="cleaning")
    answer = client.get(f"{FOR_JOB}/3", headers=bearer())
    assert answer.status_code == 200
    assert (answer.json["method_used"], answer.json["degraded"]) == ("popular", True)
    assert len(answer.json["recommendations"]) == 10
    assert post(client, context=job(3), offers=offers(9)).json["method_used"] == "rule_based"


def test_where_one_catalogue_has_no_export_the_rest_keeps_working(serve: Callable[..., FlaskClient], tmp_path: Path) -> None:
    export_cleaning(tmp_path, "cleaners")
    client = serve(RS_USE_CASES="cleaning")
    assert post(client, context=job(3), offers=offers(9)).status_code == 200
    assert len(post(client, context=job(3)).json["recommendations"]) == 10
    by_id = client.get(f"{FOR_JOB}/3", headers=bearer())
    assert (by_id.status_code, by_id.json["code"]) == (503, "unavailable")
    assert "no export of jobs yet" in by_id.json["detail"]
    turned = client.get(f"{FOR_CLEANER}/3", headers=bearer())
    assert turned.status_code == 503
    assert "no export of jobs yet" in turned.json["detail"]
    (health,) = client.get("/health", headers=bearer()).json["use_cases"]
    assert health["can_answer"]
    assert health["detail"] == "no export of jobs yet; run: manage.py generate_all_datasets"


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_generated_contexts_and_offers_get_only_answers_that_the_document_describes(
    market: APIFlask, mode: GenerationMode
) -> None:
    """The lists are asked for themselves, so that what is drawn gets as deep as it can."""
    schema = schemathesis.openapi.from_wsgi("/openapi.json", market)
    asked: Counter[int] = Counter()
    for path in ("/api/recommendations/{use_case}/{surface}", "/api/recommendations/{use_case}/{surface}/{subject}"):
        for parameter in schema.raw_schema["paths"][path]["post"]["parameters"]:
            choice = {"use_case": ["cleaning"], "surface": ["cleaners-for-job", "jobs-for-cleaner"], "subject": ["3", "99"]}
            parameter["schema"] = {"type": "string", "enum": choice[parameter["name"]]}
        operation = schema[path]["POST"]

        @settings(max_examples=80, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            if mode is GenerationMode.POSITIVE and isinstance(case.body, dict) and "context" in case.body:
                for name in ("item_ids", "filters", "strategy"):
                    case.body.pop(name, None)
            response = case.call(headers=bearer())
            asked[response.status_code] += 1
            case.validate_response(response, checks=CHECKS, headers=bearer())

        ask()
    assert not any(status >= 500 for status in asked)
    assert asked[200] >= (5 if mode is GenerationMode.POSITIVE else 0)


COLUMNS = sorted({*job(1)["numbers"], *cleaner(1)["numbers"], "bid", "distance_km", "eco_percentage", "primary_score"})
extreme = st.sampled_from([-1e12, -1000.0, -1.0, -1e-9, 0.0, 1e-12, 1.0, 1e6, 1e12])
numbers = st.dictionaries(st.sampled_from(COLUMNS), extreme, max_size=len(COLUMNS))


@pytest.mark.parametrize("strategy", ["rule_based", "neural", "ensemble"])
@pytest.mark.parametrize("path", [FOR_JOB, FOR_CLEANER])
def test_no_number_makes_an_engine_fail_or_a_score_leave_its_scale(client: FlaskClient, path: str, strategy: str) -> None:
    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(asked=numbers, offered=st.lists(numbers, min_size=1, max_size=3))
    def law(asked: dict[str, float], offered: list[dict[str, float]]) -> None:
        brought = [{"item_id": str(place), "numbers": own} for place, own in enumerate(offered)]
        context = {"id": "3", "numbers": asked, "text_columns": {"property_type": "kind1"}}
        answer = post(client, path, context=context, offers=brought, strategy=strategy, explain=True)
        assert answer.status_code == 200
        assert "failed" not in [skip["code"] for skip in answer.json["degradation"]]
        assert all(0 <= one["score"] <= 100.001 for one in answer.json["recommendations"])

    law()
