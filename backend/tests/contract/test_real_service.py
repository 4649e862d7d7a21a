"""client.py and recommend() against the real Flask app: the two halves mean the same by every word."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from werkzeug.serving import make_server

from recommendation_service.app import create_app
from recommendation_service.domain.request import RecommendationRequest
from recommendation_service.tests.support.service import als_arrays, content_arrays, publish, settings_under
from sites.startups.models import Developer, Startup
from tandem.exports.datasets import export_catalogue
from tandem.selectors.history import count_of, history_of
from tandem.service_client import tokens
from tandem.service_client.client import RecommendationClient, ServiceFailed
from tandem.services.recommend import recommend
from tandem.sources import source_of
from tandem.surfaces import bound_surface
from tests.support import board

pytestmark = pytest.mark.django_db(transaction=True)
Point = Callable[[str], RecommendationClient]
COUNT = 24


@pytest.fixture
def startups() -> list[Startup]:
    made = board.make_startups(COUNT)
    for place in range(8):
        board.did_often(f"fan-{place}", [one.pk for one in made[place : place + 6]], days_ago=place + 1)
    return made


@pytest.fixture
def ada(startups: list[Startup]) -> Developer:
    made = board.make_developer("Ada")
    made.skills = ["t0"]  # the one term that the made-up content model knows
    made.save()
    return made


@pytest.fixture
def service(
    tmp_path: Path, startups: list[Startup], ada: Developer, service_at: Point, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RecommendationClient]:
    """The real app over an export of this database, with ALS and content models of made-up numbers."""
    source = source_of("startups")
    assert source is not None
    export_catalogue(source=source, data_dir=tmp_path / "data", fresh=["startups"], say=lambda *_: None)
    items = sorted(str(one.pk) for one in startups)
    publish(tmp_path, "als", als_arrays(items=items))
    publish(tmp_path, "content", content_arrays(items=items))
    monkeypatch.setattr("recommendation_service.core.threads.check", lambda: None)  # the test process loaded numpy long before
    app = create_app(settings_under(tmp_path, RS_SIGNING_KEYS=settings.TANDEM["SIGNING_KEYS"], RS_USE_CASES="startups"))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield service_at(f"http://127.0.0.1:{server.port}")
    server.shutdown()
    thread.join(5)
    server.server_close()


def ask(ada: Developer, **changes: object) -> dict[str, object]:
    asked = {"use_case": "startups", "surface": "for-developer", "user_id": str(ada.pk), "limit": 5, **changes}
    return recommend(**asked)  # type: ignore[arg-type]  # the tests change one word at a time


def like(ada: Developer, startups: list[Startup], count: int) -> None:
    board.did_often(str(ada.pk), [one.pk for one in startups[:count]], days_ago=0.01)


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize(("likes", "method"), [(0, "content_based"), (4, "content_based"), (5, "als"), (19, "als")])
def test_the_count_of_today_decides_who_answers(likes: int, method: str, ada: Developer, startups: list[Startup]) -> None:
    like(ada, startups, likes)
    answer = ask(ada)
    assert (answer["method_used"], answer["degraded"]) == (method, False)
    assert answer["interaction_count"] == likes


@pytest.mark.usefixtures("service")
def test_at_twenty_the_ensemble_is_due_and_its_absence_is_said(ada: Developer, startups: list[Startup]) -> None:
    like(ada, startups, 20)
    answer = ask(ada, limit=3)
    assert (answer["method_used"], answer["degraded"]) == ("als", True)
    assert answer["degradation"][0]["code"] == "not_trained"  # type: ignore[index]


@pytest.mark.usefixtures("service")
def test_both_halves_count_the_same(ada: Developer, startups: list[Startup]) -> None:
    user_id = str(ada.pk)
    like(ada, startups, 3)
    for event in ("view", "dismiss", "apply", "apply"):
        board.did(user_id, startups[4].pk, event, days_ago=0.01)
    events, count = history_of(user_id=user_id, catalogue="startups")
    assert count is None
    assert ask(ada)["interaction_count"] == count_of(events, bound_surface("startups", "for-developer").use_case) == 5


@pytest.mark.usefixtures("service")
def test_seen_hidden_and_filtered_items_are_left_out(ada: Developer, startups: list[Startup]) -> None:
    like(ada, startups, 6)
    board.hides(str(ada.pk), startups[6].pk)
    answer = ask(ada, limit=100, filters={"sector": ("fintech",)})
    found = {item["item_id"] for item in answer["recommendations"]}  # type: ignore[attr-defined]
    assert found == {str(one.pk) for place, one in enumerate(startups) if place > 6 and place % 2 == 0}


@pytest.mark.usefixtures("service")
def test_whoever_has_seen_everything_gets_popular_items_again_and_is_told(ada: Developer, startups: list[Startup]) -> None:
    like(ada, startups, COUNT)
    for _ in range(2):
        board.did(str(ada.pk), startups[7].pk, "dismiss", days_ago=0.01)
    board.did(str(ada.pk), startups[7].pk, "dismiss", days_ago=3)
    board.hides(str(ada.pk), startups[8].pk)
    answer = ask(ada, limit=100)
    found = {item["item_id"] for item in answer["recommendations"]}  # type: ignore[attr-defined]
    assert found == {str(one.pk) for place, one in enumerate(startups) if place not in (7, 8)}
    assert (answer["method_used"], answer["model_version"]) == ("popular", "catalogue")
    assert [skip["code"] for skip in answer["degradation"]] == ["seen_everything"]  # type: ignore[attr-defined]
    reasons = [item["reasons"][0] for item in answer["recommendations"]]  # type: ignore[attr-defined]
    assert set(reasons) == {"You have seen everything here; popular again"}


@pytest.mark.usefixtures("service")
def test_explain_gives_the_engines_parts(ada: Developer, startups: list[Startup]) -> None:
    like(ada, startups, 7)
    first = ask(ada, explain=True)["recommendations"][0]  # type: ignore[index]
    assert "als" in first["parts"]
    assert ask(ada)["recommendations"][0]["parts"] == {}  # type: ignore[index]


@pytest.mark.usefixtures("service")
def test_an_item_added_or_removed_since_the_export_breaks_nothing(ada: Developer, startups: list[Startup]) -> None:
    like(ada, startups, 7)
    before = [item["item_id"] for item in ask(ada)["recommendations"]]  # type: ignore[attr-defined]
    Startup.objects.filter(pk=before[0]).delete()
    board.did(str(ada.pk), startups[8].pk, "view", days_ago=0)
    after = [item["item_id"] for item in ask(ada)["recommendations"]]  # type: ignore[attr-defined]
    assert len(after) == 5
    assert before[0] not in after


def test_the_token_of_one_user_never_opens_anothers_list(
    service: RecommendationClient, ada: Developer, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = {"Authorization": f"Bearer {tokens.issue(subject='fan-1', scopes=(tokens.SELF,))}"}
    monkeypatch.setattr("tandem.service_client.client._token_header", lambda _user_id, _scope: header)
    with pytest.raises(ServiceFailed) as caught:
        service.recommend(RecommendationRequest(user_id=str(ada.pk)), use_case="startups", surface="for-developer")
    assert caught.value.code == "bad_answer"
    assert "404" in caught.value.detail


@pytest.mark.usefixtures("service")
def test_a_page_of_the_whole_chain_over_http(ada: Developer, startups: list[Startup], client: Client) -> None:
    like(ada, startups, 7)
    answer = client.get(board.PATH.format(ada.pk), {"limit": 3}, headers=board.service_header()).json()
    assert answer["method_used"] == "als"
    assert answer["model_version"]
    assert [item["position"] for item in answer["recommendations"]] == [1, 2, 3]
    titles = dict(Startup.objects.values_list("pk", "name"))
    assert all(item["title"] in titles.values() for item in answer["recommendations"])
    assert all(item["reasons"] for item in answer["recommendations"])
