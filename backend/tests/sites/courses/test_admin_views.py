"""What operators see and start: what serves, a reindex in the background, one at a time; and nobody else may."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tandem.models import BackgroundJob
from tandem.service_client import client as hop
from tandem.service_client import tokens
from tandem.service_client.client import RecommendationClient, ServiceFailed
from tandem.services import background_jobs
from tests.support import board

pytestmark = pytest.mark.django_db
MODELS, REINDEX = "/admin/recommendations/models", "/admin/recommendations/reindex"
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ROW = {
    "catalogue": "courses", "kind": "two_tower", "version": "two_tower_v3", "created_at": "2026-11-20T00:00:00+00:00",
    "problem": None, "dimension": 64, "items": 392, "arms": [],
}  # fmt: skip
ARM = {"surface": "home", "arm": "hybrid", "plays": 900, "mean_reward": 0.2137, "probability": 0.925}


@pytest.fixture
def staff() -> Client:
    client = Client(enforce_csrf_checks=False)
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RecommendationClient, "models", lambda _self: [ROW, {**ROW, "kind": "bandit", "arms": [ARM]}])


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch, service_at: Callable[[str], RecommendationClient]) -> list[BackgroundJob]:
    """The runs that would have been handed to a process of their own."""
    service_at("http://127.0.0.1:9")
    handed: list[BackgroundJob] = []
    monkeypatch.setattr(background_jobs, "_detach", handed.append)
    monkeypatch.setattr(background_jobs.transaction, "on_commit", lambda done, using=None: done())
    return handed


@pytest.mark.usefixtures("serving")
def test_models_tell_version_dimension_and_items(staff: Client) -> None:
    answer = staff.get(MODELS)
    assert answer["Cache-Control"] == "private, no-store"
    told = answer.json()
    assert (told["models"][0]["dimension"], told["models"][0]["items"], told["problem"]) == (64, 392, None)
    assert told["models"][1]["arms"] == [ARM]


def test_with_the_service_away_the_answer_says_so(staff: Client) -> None:
    told = staff.get(MODELS).json()
    assert (told["models"], told["problem"]["code"]) == ([], "unreachable")


@pytest.mark.usefixtures("serving")
def test_people_get_a_page_in_the_admins_look(staff: Client) -> None:
    BackgroundJob.objects.create(what="reindex", use_case="courses", by="root", status=BackgroundJob.Status.DONE)
    page = staff.get(MODELS, headers=HTML).content.decode()
    assert "hybrid goes first with probability 0.925; mean reward 0.214 in 900 lists" in page
    assert "reindex of courses" in page
    assert "<script" not in page.partition("</head>")[2].replace('<script src="', "")


def test_a_reindex_is_accepted_once_and_refused_while_it_runs(staff: Client, started: list[BackgroundJob]) -> None:
    first = staff.post(REINDEX)
    assert first.status_code == 202
    told = first.json()
    assert (told["what"], told["use_case"], told["status"], told["by"]) == ("reindex", "courses", "running", "root")
    assert first["Location"] == f"/admin/recommendations/runs/{told['run_id']}"
    second = staff.post(REINDEX)
    assert (second.status_code, second.json()["code"]) == (409, "conflict")
    assert [str(run.pk) for run in started] == [told["run_id"]]
    BackgroundJob.objects.update(status=BackgroundJob.Status.DONE)
    assert staff.post(REINDEX, {"use_case": "shop"}, content_type="application/json").status_code == 202


def test_a_run_can_be_followed_and_an_unknown_one_is_not_found(staff: Client) -> None:
    run = BackgroundJob.objects.create(what="reindex", use_case="courses", log="50 %")
    assert staff.get(f"/admin/recommendations/runs/{run.pk}").json()["log"] == "50 %"
    missing = staff.get("/admin/recommendations/runs/00000000-0000-0000-0000-000000000001")
    assert missing.status_code == 404


@pytest.mark.parametrize("body", [{"use_case": "nowhere"}, {"use_case": 3}, ["courses"]])
def test_a_use_case_nobody_has_is_named(staff: Client, body: Any, started: list[BackgroundJob]) -> None:
    response = staff.post(REINDEX, body, content_type="application/json")
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/use_case")
    assert not started


def test_only_operators_may(client: Client, started: list[BackgroundJob]) -> None:
    client.force_login(User.objects.create_user("somebody"))
    assert (client.get(MODELS).status_code, client.post(REINDEX).status_code) == (403, 403)
    outside = Client()
    assert (outside.get(MODELS).status_code, outside.post(REINDEX).status_code) == (401, 401)
    plain = board.service_header()
    assert outside.post(REINDEX, headers=plain).status_code == 403
    assert not started
    admin = board.bearer("service", tokens.ANY, tokens.ADMIN)
    assert outside.post(REINDEX, headers=admin).status_code == 202


def test_a_session_needs_the_csrf_token(started: list[BackgroundJob]) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("root"))
    assert strict.post(REINDEX).status_code == 403
    assert not started


def test_a_browser_that_nobody_logged_in_with_is_sent_to_the_login_page() -> None:
    response = Client().get(MODELS, headers=HTML)
    assert (response.status_code, response["Location"]) == (302, "/admin/login/?next=%2Fadmin%2Frecommendations%2Fmodels")


@pytest.mark.usefixtures("serving")
def test_a_browser_comes_back_to_the_page_after_its_button(staff: Client, started: list[BackgroundJob]) -> None:
    response = staff.post(REINDEX, {"use_case": "courses"}, headers=HTML)
    assert (response.status_code, response["Location"]) == (302, MODELS)
    assert len(started) == 1


def test_runs_are_in_the_admin_with_their_log(staff: Client) -> None:
    run = BackgroundJob.objects.create(
        what="reindex", use_case="courses", by="root", status=BackgroundJob.Status.DONE, log="all done"
    )
    assert "reindex" in staff.get("/admin/tandem/backgroundjob/").content.decode()
    assert "all done" in staff.get(f"/admin/tandem/backgroundjob/{run.pk}/change/").content.decode()
    assert staff.post(f"/admin/tandem/backgroundjob/{run.pk}/delete/").status_code == 403


def test_the_hop_for_models_asks_as_an_operator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Any] = []

    def exchange(_self: Any, method: str, path: str, _body: Any, headers: dict[str, str]) -> tuple[bytes, str]:
        asked.append(
            (method, path, tokens.signing.verify(headers["Authorization"][7:], tokens.key_ring(), audience=tokens.SERVICE))
        )
        return b'{"models": 7}', ""

    monkeypatch.setattr(RecommendationClient, "_exchange", exchange)
    with pytest.raises(ServiceFailed, match="unreachable"):
        hop.client().models()
    ((method, path, claims),) = asked
    assert (method, path, claims.scopes) == ("GET", "/api/models", frozenset({tokens.ADMIN}))
