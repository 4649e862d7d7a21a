"""Simulated clicks end to end: lists drawn by the bandit, clicks through Django's door, and the favoured arm leads."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import StaticPool
from werkzeug.serving import make_server

from recommendation_service import update_bandit
from recommendation_service.app import create_app
from recommendation_service.cli import script
from recommendation_service.tests.support import service
from recommendation_service.use_cases.loader import PACKAGED
from sites.courses.models import Course
from sites.courses.recommendation_sources import Courses
from tandem.exports.datasets import export_catalogue
from tandem.models import Impression
from tandem.service_client.client import RecommendationClient
from tandem.service_client.client import client as hop
from tests.support import board, campus
from tests.support.caching import cache

train_content = script("train", "content")

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE, ROUNDS = 40, 6
FAVOURED = "content"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Use-case files in which the bandit tries a lot, so that a short test sees every arm often enough."""
    own = tmp_path / "use_cases"
    own.mkdir()
    told = (PACKAGED / "courses.toml").read_text()
    assert "epsilon = 0.1" in told
    (own / "courses.toml").write_text(told.replace("epsilon = 0.1", "epsilon = 0.7"))
    return own


@pytest.fixture
def courses() -> list[Course]:
    made = campus.make_courses(editions=6)
    for number in range(PEOPLE):
        campus.make_learner(f"user{number}")
    board_rows = [
        {"user_id": f"fan{fan}", "item_id": course.pk, "event": "enroll", "catalogue": "courses"}
        for fan in range(6)
        for course in made[fan : fan + 4]
    ]
    header = board.service_header()
    assert Client().post("/api/v1/interactions", board_rows, content_type="application/json", headers=header).status_code == 201
    return made


@pytest.fixture
def running(
    tmp_path: Path,
    folder: Path,
    courses: list[Course],
    service_at: Callable[[str], RecommendationClient],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Any]:
    """The real app over an export of this database; popularity and content can answer, and with them hybrid."""
    export_catalogue(source=Courses, data_dir=tmp_path / "data", fresh=["courses"], say=lambda *_: None)
    assert train_content(["--use-case", "courses", *_folders(tmp_path)]) == 0
    monkeypatch.setattr("recommendation_service.core.threads.check", lambda: None)  # the test process loaded numpy long before
    keys = settings.TANDEM["SIGNING_KEYS"]
    more = {"RS_SIGNING_KEYS": keys, "RS_USE_CASES": "courses", "RS_USE_CASES_DIR": str(folder)}
    app = create_app(service.settings_under(tmp_path, **more))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    service_at(f"http://127.0.0.1:{server.port}")._deadline_s = 5.0  # a loaded machine must not look like a late service
    yield app
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """update_bandit reads the test's own database."""
    told, engine = connection.settings_dict, None
    url = "sqlite://"
    if connection.vendor == "sqlite":  # in memory, shared by name within this process
        engine = _shared(str(told["NAME"]))
        monkeypatch.setattr("recommendation_service.commands.update_bandit.open_database", lambda *_args, **_options: engine)
    else:
        url = f"postgresql://{told['USER']}:{told['PASSWORD']}@{told['HOST']}:{told['PORT'] or 5432}/{told['NAME']}"
    monkeypatch.setenv("RS_DATABASE_URL", url)
    yield
    if engine is not None:
        engine.dispose()


def _shared(name: str) -> Engine:
    return create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(name, uri=True, check_same_thread=False), poolclass=StaticPool
    )


def _folders(root: Path) -> list[str]:
    return ["--data-dir", str(root / "data"), "--models-dir", str(root / "models")]


def _ask(client: Client, number: int) -> dict[str, Any]:
    response = client.get(f"{campus.HOME}?user_id=user{number}&limit=4", headers=board.service_header())
    assert response.status_code == 200
    answer: dict[str, Any] = response.json()
    assert sum(answer["probabilities"].values()) == pytest.approx(1.0)
    return answer


def _played(client: Client, rounds: int) -> Counter[str]:
    """Everybody asks some times; whoever sees a list of the favoured arm clicks on its first course."""
    arms: Counter[str] = Counter()
    for _ in range(rounds):
        cache.clear()
        for number in range(PEOPLE):
            answer = _ask(client, number)
            stood_in = any(skip["code"] == "not_trained" for skip in answer["degradation"])  # for an arm without a model
            arms[answer["method_used"]] += not stood_in
            if answer["method_used"] == FAVOURED and not stood_in:
                row = {
                    "user_id": f"user{number}",
                    "catalogue": "courses",
                    "item_id": answer["recommendations"][0]["course_id"],
                    "event": "click",
                    "request_id": answer["request_id"],
                }
                done = client.post("/api/v1/interactions", row, content_type="application/json", headers=board.service_header())
                assert (done.status_code, done.json()["results"][0]["notes"]) == (201, [])
    return arms


@pytest.mark.usefixtures("opened")
def test_clicks_on_one_arms_lists_make_it_lead(running: Any, tmp_path: Path, client: Client) -> None:
    before = _played(client, ROUNDS)
    assert before["hybrid"] > before[FAVOURED] >= 20
    assert all(sum(one.probabilities.values()) == pytest.approx(1.0) for one in Impression.objects.all())
    assert update_bandit.main(["--use-case", "courses", "--models-dir", str(tmp_path / "models")]) == 0
    assert running.extensions["tandem"].live.refresh() == ["courses/bandit"]
    answer = _ask_fresh(client)
    chances = answer["probabilities"]
    assert max(chances, key=lambda arm: chances[arm]) == FAVOURED
    told = {arm["arm"]: arm for row in hop().models() for arm in row["arms"]}
    assert told[FAVOURED]["plays"] == before[FAVOURED]
    assert told[FAVOURED]["mean_reward"] == pytest.approx(0.3)
    assert told["hybrid"]["mean_reward"] == 0.0
    figures = client.get(campus.GLOBAL_STATS, headers=board.service_header()).json()
    shares = {one["strategy"]: one for one in figures["strategy_distribution"]}
    assert shares[FAVOURED]["num_clicks"] == figures["num_clicks"] == before[FAVOURED]
    after = _played(client, ROUNDS // 2)
    assert after[FAVOURED] > after["hybrid"]


def _ask_fresh(client: Client) -> dict[str, Any]:
    cache.clear()
    return _ask(client, 0)
