"""The one thing the service is for, as a client sees it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from recommendation_service.domain.answer import Answer
from recommendation_service.domain.ids import HASHED
from recommendation_service.tests.support import service
from recommendation_service.tests.support.service import bearer
from recommendation_service.use_cases.loader import load_file, names

USE_CASES = Path(__file__).parents[2] / "use_cases"
PATH = "/api/recommendations/startups/for-developer"
LIKES = [{"item_id": f"i{row:03d}", "event": "like", "time": "2026-01-31T12:00:00Z"} for row in range(0, 24, 2)]


def get(client: FlaskClient, path: str) -> Any:
    return client.get(path, headers=bearer())


def test_an_answer_has_the_promised_shape(client: FlaskClient) -> None:
    answer = get(client, f"{PATH}/u001?limit=3&explain=true")
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    body = Answer.model_validate(answer.json, strict=True)
    assert set(answer.json) == set(Answer.model_fields)
    assert (body.use_case, body.surface, body.user_id) == ("startups", "for-developer", "u001")
    assert [one.position for one in body.recommendations] == [1, 2, 3]
    assert all(one.title.startswith("Item ") for one in body.recommendations)
    assert body.request_id == answer.headers["X-Request-ID"]
    assert not body.degraded


@pytest.mark.parametrize("surface", ["for-developer", "for-investor"])
@pytest.mark.parametrize(
    ("count", "method"), [(0, "content_based"), (4, "content_based"), (5, "als"), (19, "als"), (20, "ensemble")]
)
def test_routing_follows_the_number_of_interactions(client: FlaskClient, surface: str, count: int, method: str) -> None:
    path = f"/api/recommendations/startups/{surface}"
    answer = client.post(path, json={"user_id": "x", "history": LIKES[:4], "count": count}, headers=bearer())
    assert answer.json["method_used"] == method
    assert answer.json["interaction_count"] == count


def test_a_hot_user_gets_parts_of_both_models(client: FlaskClient) -> None:
    answer = client.post(PATH, json={"user_id": "x", "history": LIKES[:6], "count": 25, "explain": True}, headers=bearer())
    assert answer.json["method_used"] == "ensemble"
    assert set(answer.json["recommendations"][0]["parts"]) == {"als", "two_tower"}
    assert get(client, f"{PATH}/u001").json["recommendations"][0]["parts"] == {}


def test_a_direct_get_reads_the_exported_past(client: FlaskClient) -> None:
    answer = get(client, f"{PATH}/u001")
    assert answer.json["interaction_count"] == 8
    assert answer.json["method_used"] == "als"


def test_items_of_the_brought_past_are_never_shown_again(client: FlaskClient) -> None:
    answer = client.post(PATH, json={"user_id": "x", "history": LIKES[:6], "limit": 100}, headers=bearer())
    shown = {one["item_id"] for one in answer.json["recommendations"]}
    assert not shown & {event["item_id"] for event in LIKES[:6]}


def test_somebody_unknown_gets_a_cold_start_list(client: FlaskClient) -> None:
    answer = get(client, f"{PATH}/nobody-has-this-id")
    assert answer.status_code == 200
    assert answer.json["interaction_count"] == 0
    assert len(answer.json["recommendations"]) == 10


def test_a_profile_gives_a_newcomer_a_personal_list(client: FlaskClient) -> None:
    answer = client.post(PATH, json={"user_id": "x", "profile": {"skills": ["t1"]}, "history": []}, headers=bearer())
    assert answer.json["method_used"] == "content_based"
    assert all(int(one["item_id"][1:]) % 2 == 1 for one in answer.json["recommendations"])


@pytest.mark.parametrize("limit", ["1", "10", "100"])
def test_limits_from_1_to_100_are_valid(client: FlaskClient, limit: str) -> None:
    assert len(get(client, f"{PATH}/u001?limit={limit}").json["recommendations"]) <= int(limit)


@pytest.mark.parametrize(
    "query",
    ["limit=" + bad for bad in ("0", "-1", "101", "1e9", "1.5", "ten", "\uff11\uff10", "", "+5", "%0010", "10%20")]
    + ["limit=1&limit=2"],
)
def test_any_other_limit_is_422_and_named(client: FlaskClient, query: str) -> None:
    answer = get(client, f"{PATH}/u001?{query}")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/limit"


BAD_IDS = ["%00", "..%2F", "%E2%80%AEabc", "%ED%A0%80", "a%0Ab", "null", "NaN", "%20", "a" * 256]
UNUSUAL_IDS = ["a%20b", "%27%3B+DROP", "%F0%9F%98%80", "a" * 65, "-x", "%7B%7B7*7%7D%7D", "%3Dcmd()"]


@pytest.mark.parametrize("user_id", BAD_IDS)
def test_what_is_no_id_is_422_or_no_path(client: FlaskClient, user_id: str) -> None:
    assert get(client, f"{PATH}/{user_id}").status_code in (404, 422)


@pytest.mark.parametrize("user_id", UNUSUAL_IDS)
def test_a_key_that_is_no_valid_id_is_hashed(client: FlaskClient, user_id: str) -> None:
    assert HASHED.fullmatch(get(client, f"{PATH}/{user_id}").json["user_id"])


def test_an_id_comes_back_in_normal_form(client: FlaskClient) -> None:
    assert get(client, f"{PATH}/Zoe%CC%88").json["user_id"] == "Zo\u00eb"


@pytest.mark.parametrize("path", ["/api/recommendations/nope/for-developer/u1", "/api/recommendations/startups/nope"])
def test_an_unknown_use_case_or_surface_is_404_and_lists_what_exists(client: FlaskClient, path: str) -> None:
    answer = get(client, path)
    assert answer.status_code == 404
    files = [load_file(USE_CASES / f"{name}.toml") for name in names(USE_CASES)]
    known = [f"{one.name}/{surface}" for one in files for surface in sorted(one.surfaces)]
    assert {"movies/for-you", "startups/for-developer"} <= set(known)
    assert answer.json["detail"].endswith(f"there are {', '.join(known)}")


def test_a_use_case_without_an_export_is_503_and_tells_the_command(client: FlaskClient) -> None:
    answer = get(client, "/api/recommendations/movies/for-you/u1")
    assert answer.status_code == 503
    assert answer.content_type == "application/problem+json"
    assert "generate_all_datasets" in answer.json["detail"]


def test_a_facet_is_a_filter_and_may_be_repeated(client: FlaskClient) -> None:
    one = get(client, f"{PATH}/nobody?category=c0&limit=100").json["recommendations"]
    both = get(client, f"{PATH}/nobody?category=c0&category=C1&limit=100").json["recommendations"]
    assert {int(item["item_id"][1:]) % 2 for item in one} == {0}
    assert {int(item["item_id"][1:]) % 2 for item in both} == {0, 1}


@pytest.mark.parametrize("query", ["colour=red", "limt=5", "%F0%9F%98%80=1", "a~b/c=1", "=1"])
def test_an_unknown_parameter_is_422_and_lists_the_known(client: FlaskClient, query: str) -> None:
    answer = get(client, f"{PATH}/u001?{query}")
    assert answer.status_code == 422
    assert "category, tags" in answer.json["detail"]


BAD_BODIES: list[tuple[dict[str, Any], str]] = [
    ({"limit": 0}, "/limit"),
    ({"limit": "5"}, "/limit"),
    ({"limit": True}, "/limit"),
    ({"user_id": 5}, "/user_id"),
    ({"user_id": "None"}, "/user_id"),
    ({"surprise": 1}, "/surprise"),
    ({"count": -1}, "/count"),
    ({"history": [{"item_id": "i001", "event": "like", "time": "yesterday"}]}, "/history/0/time"),
    ({"history": [{"item_id": "i001", "event": "like", "time": "2026-01-31T12:00:00"}]}, "/history/0/time"),
    ({"history": [{"item_id": "i001", "event": "LIKE", "time": "2026-01-31T12:00:00Z"}]}, "/history/0/event"),
    ({"history": LIKES * 50}, "/history"),
    ({"profile": {"skills": "python"}}, "/profile/skills"),
    ({"filters": {"colour": ["red"]}}, "/filters/colour"),
    ({"exclude": ["i001", ""]}, "/exclude/1"),
]


@pytest.mark.parametrize(("body", "pointer"), BAD_BODIES)
def test_a_wrong_body_is_422_and_points_at_the_place(client: FlaskClient, body: dict[str, Any], pointer: str) -> None:
    answer = client.post(PATH, json=body, headers=bearer())
    assert answer.status_code == 422
    assert pointer in [one["pointer"] for one in answer.json["errors"]]


def test_the_subject_may_stand_in_the_path_or_the_body_but_not_differ(client: FlaskClient) -> None:
    assert client.post(f"{PATH}/u001", json={}, headers=bearer()).json["user_id"] == "u001"
    assert client.post(f"{PATH}/u001", json={"user_id": "u001"}, headers=bearer()).status_code == 200
    assert client.post(f"{PATH}/u001", json={"user_id": "u002"}, headers=bearer()).status_code == 422


def test_a_request_id_that_was_sent_comes_back(client: FlaskClient) -> None:
    answer = client.post(PATH, json={"request_id": "abc-123"}, headers=bearer())
    assert answer.json["request_id"] == "abc-123"


def test_answers_are_private(client: FlaskClient) -> None:
    headers = get(client, f"{PATH}/u001").headers
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_without_models_the_popular_items_answer_and_say_so(serve: Callable[..., FlaskClient], tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    answer = get(serve(), f"{PATH}/u001").json
    assert answer["method_used"] == "popular"
    assert answer["degraded"]
    assert {one["code"] for one in answer["degradation"]} == {"not_trained"}


def test_a_damaged_model_is_told_apart_from_one_that_was_never_trained(
    serve: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    service.export_startups(tmp_path)
    service.publish(tmp_path, "als")
    for manifest in tmp_path.glob("models/startups/als_v*/manifest.json"):
        manifest.write_text("{")
    answer = get(serve(), f"{PATH}/u001").json
    codes = {one["engine"]: one["code"] for one in answer["degradation"]}
    assert codes["als"] == "refused"
    assert codes["two_tower"] == "not_trained"


def test_a_switched_off_engine_is_told(serve: Callable[..., FlaskClient], tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    service.publish_all(tmp_path)
    answer = get(serve(ENABLE_ALS="false"), f"{PATH}/u001").json
    assert answer["method_used"] == "two_tower"
    assert [one["code"] for one in answer["degradation"]] == ["switched_off"]


ITEM_SURFACE = """
name = "twins"
catalogues = ["startups"]
[events]
like = 1.0
[engines]
content_based = { kind = "content" }
popular = { kind = "popularity" }
[surfaces.similar]
catalogue = "startups"
about = "item"
router = { kind = "fixed", options = { engine = "content_based" } }
fallback = ["content_based", "popular"]
"""


def test_a_surface_about_an_item_takes_the_item_from_the_path(serve: Callable[..., FlaskClient], tmp_path: Path) -> None:
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "twins.toml").write_text(ITEM_SURFACE)
    service.export_startups(tmp_path)
    service.publish(tmp_path, "content")
    client = serve(RS_USE_CASES_DIR=str(tmp_path / "cases"))
    answer = get(client, "/api/recommendations/twins/similar/i004?limit=3")
    assert answer.status_code == 200
    assert answer.json["user_id"] is None
    assert all(int(one["item_id"][1:]) % 2 == 0 for one in answer.json["recommendations"])
    assert get(client, "/api/recommendations/twins/similar/i999").status_code == 404
    assert get(client, "/api/recommendations/twins/similar").status_code == 422
