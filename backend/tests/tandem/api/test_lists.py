"""The base of every site's own list path: whose list, strict parameters, and the path's own words."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpResponse
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate

from tandem.api.authentication import TokenUser
from tandem.api.views.lists import ListView
from tandem.service_client import tokens
from tandem.service_client.client import RecommendationClient
from tandem.surfaces import BoundSurface
from tests.support import board
from tests.support.faults import FaultServer, good

pytestmark = pytest.mark.django_db
Point = Callable[[str], RecommendationClient]
SERVICE = TokenUser("service", frozenset({tokens.ANY}))


class Jobs(ListView):
    """Startups for a developer, in other words."""

    use_case, surface, limit_name, default_limit = "startups", "for-developer", "topn", 3
    extra = ("mood",)

    def shaped(self, answer: dict[str, Any], items: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "for": answer["user_id"],
            "names": [items[item["item_id"]].name for item in answer["recommendations"]],
        }


class Alike(Jobs):
    """Startups like the one in the path."""

    surface = "similar"

    def item_ids(self, request: Any, bound: BoundSurface, user_id: str | None, **words: str) -> tuple[str, ...]:
        return (words["startup"],)


@pytest.fixture(autouse=True)
def no_service(service_at: Point) -> None:
    service_at("http://127.0.0.1:9")


def ask(view: type[ListView], user: Any, query: str = "", **words: str) -> HttpResponse:
    request = APIRequestFactory().get(f"/jobs{query}")
    force_authenticate(request, user)
    response = view.as_view()(request, **words)
    return response.render() if isinstance(response, Response) else response


def body(response: HttpResponse) -> Any:
    return orjson.loads(response.content)


def test_the_askers_own_list_comes_without_naming_anybody() -> None:
    board.make_startups(5)
    account = User.objects.create_user("ada")
    ada = board.make_developer("Ada", account)
    response = ask(Jobs, account)
    assert body(response)["for"] == str(ada.pk)
    assert len(body(response)["names"]) == 3
    assert response["Cache-Control"] == "private, no-store"


def test_somebody_elses_list_needs_staff_or_a_service_and_else_is_not_there() -> None:
    board.make_startups(3)
    eve, staff = User.objects.create_user("eve"), User.objects.create_user("staff", is_staff=True)
    board.make_developer("Eve", eve)
    ada = board.make_developer("Ada")
    asked = f"?user_id={ada.pk}"
    statuses = {name: ask(Jobs, user, asked).status_code for name, user in {"eve": eve, "staff": staff, "s": SERVICE}.items()}
    assert statuses == {"eve": 404, "staff": 200, "s": 200}
    assert ask(Jobs, TokenUser("stranger", frozenset({tokens.SELF})), asked).status_code == 404


def test_a_service_or_staff_without_a_person_gets_the_list_of_nobody_in_particular() -> None:
    board.make_startups(3)
    board.make_developer("Ada")
    staff = User.objects.create_user("staff", is_staff=True)
    assert body(ask(Jobs, SERVICE))["for"] is None
    assert body(ask(Jobs, staff))["for"] is None


def test_an_account_that_is_nobody_here_has_no_list_but_may_look_around_an_item() -> None:
    (startup, *_) = board.make_startups(3)
    board.make_developer("Ada")
    nobody = User.objects.create_user("nobody")
    assert ask(Jobs, nobody).status_code == 404
    assert body(ask(Alike, nobody, startup=str(startup.pk)))["for"] is None


def test_a_token_that_may_not_read_lists_gets_none_of_its_own() -> None:
    board.make_startups(3)
    ada = board.make_developer("Ada")
    assert ask(Jobs, TokenUser(str(ada.pk), frozenset())).status_code == 404


def test_nobody_at_all_is_turned_away() -> None:
    assert ask(Jobs, AnonymousUser()).status_code in {401, 403}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("?topn=0", "/topn"),
        ("?topn=101", "/topn"),
        ("?topn=ten", "/topn"),
        ("?topn=3&topn=4", "/topn"),
        ("?limit=3", "/limit"),
        ("?user_id=a&user_id=b", "/user_id"),
        ("?user_id=" + "x" * 256, "/user_id"),
        ("?user_id=a%00b", "/user_id"),
        ("?explain=perhaps", "/explain"),
        ("?strategy=svd", "/strategy"),
    ],
)
def test_a_wrong_parameter_is_named(query: str, pointer: str) -> None:
    response = ask(Jobs, SERVICE, query)
    assert response.status_code == 422
    assert response["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in body(response)["errors"]] == [pointer]


def test_the_paths_own_words_and_the_catalogues_filters_are_taken(service_at: Point) -> None:
    startups = board.make_startups(12)
    with FaultServer(good([str(one.pk) for one in startups])) as server:
        service_at(server.url)
        answer = body(ask(Jobs, SERVICE, "?topn=2&mood=good&sector=fintech"))
    assert len(answer["names"]) == 2
    assert server.asked[0]["filters"] == {"sector": ["fintech"]}


def test_an_item_that_is_not_there_is_told_apart_from_one_that_was_taken_away() -> None:
    (startup, *_) = board.make_startups(3)
    board.did("someone", startup.pk, "like")
    taken = str(startup.pk)
    startup.delete()
    assert ask(Alike, SERVICE, startup=taken).status_code == 410
    assert ask(Alike, SERVICE, startup="nothing").status_code == 404
