"""One click, and the next list by `next_item` is another one: no export and no training in between, on every seeded site."""

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from werkzeug.serving import make_server

from recommendation_service.app import create_app
from recommendation_service.cli import script
from recommendation_service.tests.support import service
from tandem.exports.datasets import export_catalogue
from tandem.models import UserInteraction
from tandem.sources import source_of
from tests.support import board

train_ease = script("train", "ease")
train_next_item = script("train", "next_item")

pytestmark = pytest.mark.django_db(transaction=True)
SITES = {
    "startups": ("for-developer", "apply"),
    "shop": ("homepage", "cart_add"),
    "posts": ("hybrid-recommendations", "like"),
    "courses": ("home", "enroll"),
}


@pytest.fixture(params=SITES)
def site(request: pytest.FixtureRequest, tmp_path: Path, service_at: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A small seeded site whose two models of items after items were just trained, behind the real app."""
    name = str(request.param)
    call_command(f"generate_{name}_data", users=60, items=120, events=1500, reset=True, verbosity=0)
    source = source_of(name)
    assert source is not None
    export_catalogue(source=source, data_dir=tmp_path / "data", fresh=(name,), say=lambda *_: None)
    folders = ["--data-dir", str(tmp_path / "data"), "--models-dir", str(tmp_path / "models")]
    for train in (train_ease, train_next_item):
        assert train(["--use-case", name, *folders]) == 0
    monkeypatch.setattr("recommendation_service.core.threads.check", lambda: None)  # the test process loaded numpy long before
    keys = settings.TANDEM["SIGNING_KEYS"]
    app = create_app(service.settings_under(tmp_path, RS_SIGNING_KEYS=keys, RS_USE_CASES=name))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    service_at(f"http://127.0.0.1:{server.port}")._deadline_s = 5.0  # a loaded machine must not look like a late service
    yield name
    server.shutdown()
    thread.join(5)
    server.server_close()


def asked(site: str, user_id: str, strategy: str) -> dict[str, Any]:
    surface, _event = SITES[site]
    path = f"/api/recommendations/{site}/{surface}/{user_id}?limit=10&strategy={strategy}"
    answer = Client().get(path, headers=board.service_header())
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    assert (found["method_used"], found["degradation"]) == (strategy, [])
    return found


def click(site: str, user_id: str, item_id: str) -> None:
    row = {"user_id": user_id, "item_id": item_id, "event": SITES[site][1], "catalogue": site}
    sent = Client().post("/api/v1/interactions", [row], content_type="application/json", headers=board.service_header())
    assert sent.status_code == 201, sent.content


def order(answer: dict[str, Any]) -> list[str]:
    return [one["item_id"] for one in answer["recommendations"]]


@pytest.mark.parametrize("strategy", ["next_item", "ease"])
def test_a_click_changes_the_next_list_without_training(site: str, strategy: str) -> None:
    people = Counter(UserInteraction.objects.values_list("user__user_id", flat=True)).most_common()
    person = people[len(people) // 2][0]  # who has seen almost everything gets what is left, in any order
    before = asked(site, person, strategy)
    assert order(asked(site, person, strategy)) == order(before)  # nothing happened, so nothing changes
    clicked = order(before)[5]
    click(site, person, clicked)
    after = asked(site, person, strategy)
    assert after["model_version"] == before["model_version"]
    rest = [item for item in order(before) if item != clicked]
    assert clicked not in order(after)
    assert order(after)[: len(rest)] != rest  # not only the clicked one is gone: the others are weighed anew
