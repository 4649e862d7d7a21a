"""The recommendation door: parameters, odd ids, headers, problems."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sites.startups.models import Startup
from tandem.cache import cache
from tandem.service_client import client as hop
from tandem.service_client.client import RecommendationClient
from tests.sites.cleaning import marketplace
from tests.support import board
from tests.support.faults import FaultServer, good

pytestmark = pytest.mark.django_db
Point = Callable[[str], RecommendationClient]
COMMITTED = Path(settings.BASE_DIR).parent / "docs" / "reference" / "backend.openapi.yaml"
PROBLEM_KEYS = {"type", "title", "status", "detail", "instance", "code", "request_id", "errors"}


@pytest.fixture
def startups(service_at: Point) -> list[Startup]:
    service_at("http://127.0.0.1:9")
    return board.make_startups(30)


def get(client: Client, address: str = board.PATH.format("u1"), **query: Any) -> Any:
    return client.get(address, query, headers=board.service_header())


def assert_problem(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert set(body) == PROBLEM_KEYS
    assert body["status"] == status
    return body


def test_an_answer_has_exactly_the_documented_keys(service_at: Point, client: Client) -> None:
    ids = [str(one.pk) for one in board.make_startups(30)]
    with FaultServer(good(ids)) as server:
        service_at(server.url)
        answer = get(client).json()
    schema = yaml.safe_load(COMMITTED.read_text())["components"]["schemas"]
    assert set(answer) == set(schema["Answer"]["properties"])
    assert set(answer["recommendations"][0]) == set(schema["AnswerItem"]["properties"])
    assert [item["item_id"] for item in answer["recommendations"]] == ids[:10]


def test_a_list_belongs_to_one_visitor_and_is_kept_by_nobody(client: Client, startups: list[Startup]) -> None:
    response = get(client)
    assert response["Cache-Control"] == "private, no-store"
    assert {"Authorization", "Cookie"} <= {word.strip() for word in response["Vary"].split(",")}
    assert "script-src" not in response["Content-Security-Policy"]
    assert "'unsafe-inline'" not in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("limit", ["1", "10", "100", "007"])
def test_a_limit_of_1_to_100_is_taken(limit: str, client: Client, startups: list[Startup]) -> None:
    assert len(get(client, limit=limit).json()["recommendations"]) == min(int(limit), 30)


@pytest.mark.parametrize(
    "limit", ["0", "-1", "101", "1e9", "1.5", "ten", "\uff11\uff10", "", " 5", "+5", "5\x00", "9" * 400, ["5", "5"]]
)
def test_any_other_limit_is_a_422_that_names_it(limit: Any, client: Client, startups: list[Startup]) -> None:
    body = assert_problem(get(client, limit=limit), 422)
    assert body["errors"][0]["pointer"] == "/limit"


def test_an_unknown_parameter_is_named_and_the_known_ones_are_listed(client: Client, startups: list[Startup]) -> None:
    body = assert_problem(get(client, order_by="password"), 422)
    assert body["errors"][0]["pointer"] == "/order_by"
    assert "sector, skills, stage, tags, ticket" in body["errors"][0]["detail"]


def test_declared_facets_filter_and_others_do_not_exist(client: Client, startups: list[Startup]) -> None:
    shown = [item["item_id"] for item in get(client, sector="health", limit=100).json()["recommendations"]]
    assert len(shown) == 15
    assert set(Startup.objects.filter(pk__in=shown).values_list("sector", flat=True)) == {"health"}
    assert_problem(get(client, sector__name="health"), 422)
    assert_problem(get(client, name="x"), 422)


@pytest.mark.parametrize("value", ["", "x" * 201, ["x"] * 101])
def test_a_filter_value_has_bounds(value: Any, client: Client, startups: list[Startup]) -> None:
    assert assert_problem(get(client, sector=value), 422)["errors"][0]["pointer"] == "/sector"


@pytest.mark.parametrize("value", ["\x00", "💥", "' OR 1=1 --", "{{7*7}}", "<img onerror=x>", "%", "\u202e"])
def test_an_odd_filter_value_matches_nothing_and_breaks_nothing(value: str, client: Client, startups: list[Startup]) -> None:
    response = get(client, sector=value)
    assert response.status_code == 200
    assert response.json()["recommendations"] == []


@pytest.mark.parametrize("explain", ["maybe", "TRUE", "", ["true", "true"]])
def test_explain_is_true_or_false(explain: Any, client: Client, startups: list[Startup]) -> None:
    assert assert_problem(get(client, explain=explain), 422)["errors"][0]["pointer"] == "/explain"


def test_explain_fills_the_parts(client: Client, startups: list[Startup]) -> None:
    assert get(client, explain="true").json()["recommendations"][0]["parts"] == {"popular": 0.0}
    assert get(client).json()["recommendations"][0]["parts"] == {}


UNUSUAL_IDS = [
    "💥", "%F0%9F%92%A5", "'; DROP TABLE x", "%22", "{{7*7}}", "=cmd()", "-1", "..", "a" * 65, "%25", "a b", "a;b",
    "a%CC%81" * 65,
]  # fmt: skip
ODD_IDS = ["%00", "a%00b", "%0a", "%2e%2e%2f", "a" * 5000, "%E2%80%AE", "%EF%BF%BE", "null", "NaN"]


@pytest.mark.parametrize("odd", [*ODD_IDS, *UNUSUAL_IDS])
@pytest.mark.parametrize("place", ["/api/recommendations/startups/{}/u1", "/api/recommendations/{}/for-developer/u1"])
def test_an_odd_name_anywhere_in_the_path_is_refused_and_breaks_nothing(
    odd: str, place: str, client: Client, startups: list[Startup]
) -> None:
    response = get(client, place.format(odd))
    assert response.status_code in (404, 422)
    assert_problem(response, response.status_code)


@pytest.mark.parametrize("odd", ODD_IDS)
def test_what_is_no_id_is_refused_and_breaks_nothing(odd: str, client: Client, startups: list[Startup]) -> None:
    response = get(client, board.PATH.format(odd))
    assert response.status_code in (404, 422)
    assert_problem(response, response.status_code)


@pytest.mark.parametrize("plain", [*UNUSUAL_IDS, "9" * 30, "u1", "josé", "用户", "a@b.c", str(2**63)])
def test_an_unknown_id_gets_a_cold_start(plain: str, client: Client, startups: list[Startup]) -> None:
    response = get(client, board.PATH.format(plain))
    assert response.status_code == 200
    assert response.json()["recommendations"]


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(max_size=80), user_id=st.text(min_size=1, max_size=70))
def test_no_query_and_no_path_ever_makes_a_server_error(
    query: str, user_id: str, client: Client, startups: list[Startup]
) -> None:
    from urllib.parse import quote

    address = board.PATH.format(quote(user_id, safe="", errors="replace")) + "?" + quote(query, safe="=&", errors="replace")
    response = client.get(address, headers=board.service_header())
    assert response.status_code < 500
    if response.status_code >= 400:
        assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_another_method_is_a_405_that_lists_those_there_are(method: str, client: Client, startups: list[Startup]) -> None:
    response = getattr(client, method)(board.PATH.format("u1"), headers=board.service_header())
    assert_problem(response, 405)
    assert "GET" in response["Allow"]


def test_an_unexpected_failure_tells_nothing_of_the_inside(
    client: Client, startups: list[Startup], monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(**_: Any) -> None:
        raise RuntimeError("canary-7731 in a traceback")

    monkeypatch.setattr("tandem.api.views.recommendations.recommend", explode)
    client.raise_request_exception = False
    response = get(client)
    assert_problem(response, 500)
    assert b"canary-7731" not in response.content


def test_a_page_that_does_not_exist_is_a_plain_page(client: Client) -> None:
    response = client.get("/nothing/here")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


def test_too_many_requests_are_told_to_wait_and_services_are_not(
    client: Client, startups: list[Startup], settings: Any
) -> None:
    settings.TANDEM = {**settings.TANDEM, "THROTTLE": "3/min"}
    statuses = [client.get(board.PATH.format("u1"), headers=board.bearer("u1")).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    response = client.get(board.PATH.format("u1"), headers=board.bearer("u1"))
    assert_problem(response, 429)
    assert 1 <= int(response["Retry-After"]) <= 60
    assert [get(client).status_code for _ in range(5)] == [200] * 5


def test_with_the_throttles_cache_down_everybody_passes(
    client: Client, startups: list[Startup], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionError("redis is down")

    monkeypatch.setattr(cache(), "get", refuse)
    assert client.get(board.PATH.format("u1"), headers=board.bearer("u1")).status_code == 200


def test_a_page_is_answered_quickly_while_the_circuit_is_open(client: Client, startups: list[Startup]) -> None:
    for _ in range(6):
        hop.client().breaker("startups").failed()
    codes = {get(client).json()["degradation"][0]["code"] for _ in range(5)}
    assert codes == {"circuit_open"}


def test_the_committed_openapi_document_is_todays(tmp_path: Path) -> None:
    fresh = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(fresh))
    assert COMMITTED.read_text() == fresh.read_text(), "run: make docs"


def test_swagger_ui_comes_from_local_files_and_runs_no_inline_script(client: Client) -> None:
    response = client.get("/api/docs/", headers=board.service_header())
    page = response.content.decode()
    assert "https://" not in page
    assert "http://" not in page
    assert all(">" in tag and "src=" in tag.partition(">")[0] for tag in page.split("<script")[1:])
    assert "'unsafe-inline'" not in response["Content-Security-Policy"].split("style-src")[0]


@pytest.mark.parametrize("surface", ["cleaners-for-job", "jobs-for-cleaner"])
def test_what_suits_somebodys_job_is_told_to_staff_and_services_only(
    surface: str, service_at: Point, client: Client, django_user_model: Any
) -> None:
    service_at("http://127.0.0.1:9")
    subject = marketplace.make_job() if surface == "cleaners-for-job" else marketplace.make_cleaner()
    address = f"/api/recommendations/cleaning/{surface}/{subject.pk}"
    client.force_login(django_user_model.objects.create_user("visitor"))
    refused = assert_problem(client.get(address), 404)
    nowhere = assert_problem(client.get("/api/recommendations/cleaning/nowhere/5"), 404)
    assert refused["code"] == nowhere["code"]
    assert Client().get(address, headers=board.service_header()).status_code == 200
    client.force_login(django_user_model.objects.create_user("staff", is_staff=True))
    assert client.get(address).status_code == 200
