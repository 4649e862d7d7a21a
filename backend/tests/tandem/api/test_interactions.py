"""POST /api/v1/interactions and /api/v1/feedback: whose name a row may carry, and what the answer says."""

import json
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tandem.models import Feedback, UserInteraction
from tandem.selectors.history import history_of
from tandem.service_client import tokens
from tests.support.board import bearer, make_developer, make_startups, service_header

PATH, FEEDBACK = "/api/v1/interactions", "/api/v1/feedback"
pytestmark = pytest.mark.django_db


@pytest.fixture
def startup_id() -> str:
    return str(make_startups(1)[0].pk)


def post(body: Any, headers: dict[str, str] | None = None, *, path: str = PATH, client: Client | None = None) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body)
    return (client or Client()).post(path, raw, content_type="application/json", headers=headers or {})


def row(item_id: str, **more: Any) -> dict[str, Any]:
    return {"item_id": item_id, "event": "like", "catalogue": "startups", **more}


def test_a_visitor_records_for_themselves_without_saying_who(startup_id: str) -> None:
    answer = post(row(startup_id), bearer("u1"))
    assert answer.status_code == 201
    assert (answer.json()["accepted"], answer.json()["results"][0]["status"]) == (1, "accepted")
    assert answer["Cache-Control"] == "private, no-store"
    events, _ = history_of(user_id="u1", catalogue="startups")
    assert [event.item_id for event in events] == [startup_id]


def test_a_logged_in_person_records_as_their_own_person(startup_id: str) -> None:
    account = User.objects.create_user("ada")
    ada = make_developer("Ada", account)
    client = Client()
    client.force_login(account)
    assert post(row(startup_id), client=client).status_code == 201
    assert UserInteraction.objects.get().user.user_id == str(ada.pk)


def test_a_session_needs_the_csrf_token(startup_id: str) -> None:
    account = User.objects.create_user("ada")
    make_developer("Ada", account)
    client = Client(enforce_csrf_checks=True)
    client.force_login(account)
    assert post(row(startup_id), client=client).status_code == 403
    assert not UserInteraction.objects.exists()


def test_nobody_may_write_without_a_name(startup_id: str) -> None:
    assert post(row(startup_id)).status_code == 401
    assert post(row(startup_id), path=FEEDBACK).status_code == 401


def test_a_visitor_may_not_write_for_another(startup_id: str) -> None:
    answer = post(row(startup_id, user_id="u2"), bearer("u1"))
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"] == [
        {"pointer": "/user_id", "detail": "is not yours to write for; leave it out to write for yourself"}
    ]
    assert not UserInteraction.objects.exists()


def test_a_token_without_a_scope_writes_for_nobody(startup_id: str) -> None:
    assert post(row(startup_id), bearer("u1", tokens.ADMIN)).status_code == 422


def test_a_service_and_staff_write_for_anyone(startup_id: str) -> None:
    assert post(row(startup_id, user_id="u2"), service_header()).status_code == 201
    client = Client()
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert post(row(startup_id, user_id="u3"), client=client).status_code == 201


def test_the_same_event_again_is_told_as_a_duplicate(startup_id: str) -> None:
    one = row(startup_id, event_id=str(uuid.uuid4()))
    assert post(one, bearer("u1")).status_code == 201
    again = post(one, bearer("u1"))
    assert (again.status_code, again.json()["duplicates"]) == (200, 1)
    assert UserInteraction.objects.count() == 1


def test_a_list_tells_what_became_of_each_row(startup_id: str) -> None:
    body = [row(startup_id), row("nothing"), row(startup_id, event="view"), row(startup_id, user_id="u2")]
    answer = post(body, bearer("u1"))
    assert answer.status_code == 200
    assert [result["status"] for result in answer.json()["results"]] == ["accepted", "rejected", "accepted", "rejected"]
    assert answer.json()["results"][1]["errors"] == [{"pointer": "/item_id", "detail": "is not an item of startups"}]


def test_one_bad_row_of_a_thousand_is_named(startup_id: str) -> None:
    body = [row(startup_id, user_id="u1", time=1_740_000_000 + place) for place in range(999)]
    answer = post([*body, row(startup_id, user_id="u1", event="explode")], service_header())
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (999, 1)
    assert answer.json()["results"][999]["errors"][0]["pointer"] == "/event"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 422),
        ([1], 422),
        ("text", 422),
        (None, 422),
        ({}, 422),
        ([{}] * 1001, 422),
        (b"{", 400),
        (b'{"value": NaN}', 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 100_000, 400),
    ],
)
def test_a_body_that_says_nothing_is_a_problem_and_never_an_error(body: Any, status: int) -> None:
    answer = post(body, bearer("u1"))
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "word",
    ["", " ", "a" * 65, "\u0000", "\ud800", "\u202e", "'; DROP TABLE", "../x", "{{7*7}}", "=cmd()", "😀", "-1", "1" * 31],
)
@pytest.mark.parametrize("field", ["user_id", "item_id", "event", "catalogue", "use_case", "event_id", "request_id", "time"])
def test_hostile_words_are_refused_in_every_field(startup_id: str, field: str, word: str) -> None:
    body = {**row(startup_id), "user_id": "u1", field: word}
    answer = post(body, service_header())
    accepted_as_name = field == "user_id" and word.isprintable() and bool(word.strip())
    assert answer.status_code == (201 if accepted_as_name else 422)


def test_a_verdict_replaces_the_one_before(startup_id: str) -> None:
    said = {"catalogue": "startups", "item_id": startup_id, "verdict": "hide"}
    assert post(said, bearer("u1"), path=FEEDBACK).status_code == 201
    answer = post({**said, "verdict": "helpful", "comment": "after all"}, bearer("u1"), path=FEEDBACK)
    assert answer.status_code == 200
    assert answer.json() == {"user_id": "u1", "catalogue": "startups", "item_id": startup_id, "verdict": "helpful"}
    assert (Feedback.objects.get().verdict, Feedback.objects.get().comment) == ("helpful", "after all")


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": "superb"},
        {"item_id": str(uuid.uuid4())},
        {"catalogue": "nowhere"},
        {"user_id": "u2"},
        {"colour": "red"},
        {"comment": "x" * 2001},
        {"comment": "a\u0000b"},
    ],
)
def test_a_wrong_verdict_is_refused(startup_id: str, changes: dict[str, Any]) -> None:
    said = {"catalogue": "startups", "item_id": startup_id, "verdict": "hide", **changes}
    assert post(said, bearer("u1"), path=FEEDBACK).status_code == 422
    assert not Feedback.objects.exists()
