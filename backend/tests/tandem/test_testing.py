"""The fake service: a site's tests get the same lists every time, and everything in the site's process stays real."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings

from sites.startups.models import Developer, Startup
from tandem.models import Impression
from tandem.service_client.client import client
from tandem.services.recommend import recommend
from tandem.slates import slate
from tandem.testing import Fake, fake_service
from tests.support import board

pytestmark = pytest.mark.django_db


@pytest.fixture
def startups() -> list[Startup]:
    return board.make_startups(12)


@pytest.fixture
def ada(startups: list[Startup]) -> Developer:
    return board.make_developer("Ada")


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["item_id"] for item in answer["recommendations"]]


def ask(user: Developer | None = None, **options: Any) -> dict[str, Any]:
    user_id = None if user is None else str(user.pk)
    return recommend(use_case="startups", surface="for-developer", user_id=user_id, limit=4, **options)


def test_the_setting_replaces_the_service(startups: list[Startup], settings: Any) -> None:
    settings.TANDEM = {**settings.TANDEM, "BACKEND": "tandem.testing.Fake"}
    assert isinstance(client(), Fake)
    first, second = ask(), ask()
    assert ids(first) == ids(second) == [str(one.pk) for one in sorted(startups, key=lambda one: one.pk)[:4]]
    assert (first["method_used"], first["degraded"]) == ("fake", False)


def test_a_test_names_the_list(startups: list[Startup]) -> None:
    with fake_service() as service:
        service.answer_with("for-developer", [startups[5].pk, startups[2].pk])
        shown = [entry.object for entry in slate("for-developer", user=AnonymousUser(), limit=2)]
    assert shown == [startups[5], startups[2]]


def test_what_a_user_did_is_left_out_and_the_list_is_recorded(ada: Developer, startups: list[Startup]) -> None:
    with fake_service() as service:
        service.answer_with("for-developer", [one.pk for one in startups[:6]])
        board.did(str(ada.pk), startups[1].pk)
        answer = ask(ada)
        (request,) = service.requests
    assert ids(answer) == [str(startups[number].pk) for number in (0, 2, 3, 4)]
    assert [event.item_id for event in request.history or ()] == [str(startups[1].pk)]
    assert Impression.objects.filter(pk=answer["request_id"]).exists()


def test_a_failing_service_gives_the_fallback(ada: Developer) -> None:
    with fake_service() as service:
        service.fail("timeout")
        answer = ask(ada)
    assert len(ids(answer)) == 4
    assert [skip["code"] for skip in answer["degradation"]] == ["timeout"]


def test_after_the_block_the_settings_decide_again(startups: list[Startup]) -> None:
    with fake_service() as service:
        assert client() is service
    assert not isinstance(client(), Fake)


@pytest.mark.parametrize("path", ["tandem.testing.Fakes", "os.path.join", "nowhere"])
def test_a_wrong_backend_is_a_check_error(path: str, settings: Any) -> None:
    with override_settings(TANDEM={**settings.TANDEM, "BACKEND": path}), pytest.raises(SystemCheckError, match=r"tandem\.E023"):
        call_command("check")
