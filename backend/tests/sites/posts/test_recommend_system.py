"""The whole way of the blog: members act, the site exports and trains, the real service answers, Django shows and records."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.test import Client
from werkzeug.serving import make_server

from recommend.ml import torch_recommender_hybrid
from recommendation_service.app import create_app
from recommendation_service.datasets.reader import Dataset
from recommendation_service.tests.support.service import settings_under
from sites.posts import training
from sites.posts.models import Like, Member, Post
from tandem.models import Impression, ImpressionItem, UserInteraction
from tandem.service_client.client import RecommendationClient
from tests.support import blog

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]
Point = Callable[[str], RecommendationClient]
PATH = "/recommend/hybrid-recommendations/"
SIZES = {"users": 60, "items": 240, "events": 1500}


@pytest.fixture
def place(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Exports and models of this test alone."""
    settings.TANDEM = {**django_settings.TANDEM, "DATA_DIR": tmp_path / "data"}
    monkeypatch.setenv("RS_LOG_LEVEL", "ERROR")
    return tmp_path


def train(place: Path, **words: Any) -> list[str]:
    out = StringIO()
    call_command("train_torch_recs", emb_dim=16, epochs=4, topn=5, models_dir=place / "models", stdout=out, **words)
    return out.getvalue().splitlines()


@pytest.fixture(scope="module")
def first_training(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Filled by the first test that trains; the seeded blog is the same every time, so its models may be copied."""
    return {"folder": tmp_path_factory.mktemp("first") / "kept"}


@pytest.fixture
def trained(place: Path, first_training: dict[str, Any]) -> list[str]:
    """The seeded blog, small, with a published hybrid; the lines of its training."""
    call_command("generate_posts_data", **SIZES, until=datetime(2026, 11, 1, tzinfo=UTC), stdout=StringIO())
    if "lines" not in first_training:
        first_training["lines"] = train(place)
        shutil.copytree(place, first_training["folder"])
    elif not (place / "models").exists():
        shutil.copytree(first_training["folder"], place, dirs_exist_ok=True)
    lines: list[str] = first_training["lines"]
    return lines


@pytest.fixture
def service(place: Path, trained: list[str], service_at: Point, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The real Flask app over what was trained."""
    monkeypatch.setattr("recommendation_service.core.threads.check", lambda: None)  # the test process loaded numpy long before
    keys = django_settings.TANDEM["SIGNING_KEYS"]
    server = make_server(
        "127.0.0.1", 0, create_app(settings_under(place, RS_SIGNING_KEYS=keys, RS_USE_CASES="posts")), threaded=True
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    service_at(f"http://127.0.0.1:{server.port}")._deadline_s = 5.0  # a loaded machine must not look like a late service
    yield
    server.shutdown()
    thread.join(5)
    server.server_close()


def busiest() -> Member:
    liked = Like.objects.values_list("member_id", flat=True)
    return Member.objects.get(pk=max(set(liked), key=list(liked).count))


def test_interactions_become_an_export_a_model_and_a_loss_line_an_epoch(place: Path, trained: list[str]) -> None:
    recorded = UserInteraction.objects.filter(catalogue__name="posts").count()
    exported = Dataset.open(place / "data", "posts")
    assert exported.summary["counts"]["interactions"] == recorded > 114
    assert [line.split()[2] for line in trained if "avg_loss" in line][:4] == ["1/4", "2/4", "3/4", "4/4"]
    assert any("-> margin_v1" in line for line in trained)
    assert any("-> content_v1" in line for line in trained)
    assert any("5 items by hybrid" in line for line in trained)
    assert trained[-1] == "next: tandem evaluate models --use-case posts"


def test_every_member_gets_a_full_list_of_several_types_and_categories(service: None) -> None:
    methods, seen_types, seen_categories = set(), set(), set()
    for member in Member.objects.all():
        answer = training.recommend_for_user_hybrid(str(member.pk), topn=12)
        shown = [one["item_id"] for one in answer["recommendations"]]
        assert len(set(shown)) == 12
        methods.add(answer["method_used"])
        posts = Post.objects.in_bulk([int(one) for one in shown])
        seen_types |= {post.type for post in posts.values()}
        seen_categories |= {post.category for post in posts.values()}
    assert "hybrid" in methods
    assert methods <= {"hybrid", "content_based", "popular"}
    assert len(seen_types) == 5
    assert len(seen_categories) >= 0.9 * Post.objects.values("category").distinct().count()


def test_twenty_items_with_scores_that_fall_and_an_impression_with_each(service: None) -> None:
    answer = training.recommend_for_user_hybrid(str(busiest().pk), topn=20)
    scores = [one["score"] for one in answer["recommendations"]]
    assert (answer["method_used"], answer["degraded"], len(scores)) == ("hybrid", False, 20)
    assert scores == sorted(scores, reverse=True)
    shown = ImpressionItem.objects.filter(impression__request_id=answer["request_id"])
    assert shown.count() == 20


def test_a_click_on_a_shown_post_is_engagement_and_changes_the_next_list(service: None, client: Client) -> None:
    member = blog.make_member("Reader", account=True)
    client.force_login(member.account)
    first = client.get(PATH, {"topn": 12}).json()
    assert len(first["results"]) == 12
    assert first["interaction_count"] == 0
    wanted = Post.objects.get(pk=first["results"][3]["id"])
    body = {
        "catalogue": "posts", "event": "like", "item_id": str(wanted.pk), "request_id": first["request_id"],
    }  # fmt: skip
    told = client.post("/api/v1/interactions", body, content_type="application/json")
    assert told.status_code in (200, 201, 202), told.content
    second = client.get(PATH, {"topn": 12}).json()
    assert second["method"] == "hybrid"
    assert wanted.pk not in [one["id"] for one in second["results"]]
    assert second["interaction_count"] == 1
    clicked = UserInteraction.objects.filter(request_id=first["request_id"])
    assert clicked.count() == 1
    assert Impression.objects.filter(request_id=first["request_id"]).exists()


def test_training_again_publishes_a_second_version_with_the_size_asked_for(place: Path, trained: list[str]) -> None:
    again = train(place)
    assert any("-> margin_v2" in line for line in again)


def test_a_blog_without_posts_or_with_wrong_words_is_told_the_fix(place: Path) -> None:
    with pytest.raises(CommandError, match="posts: no items; add some"):
        train(place)
    for words in ({"epochs": 0}, {"topn": 101}):
        with pytest.raises(CommandError, match="must be 1 or more"):
            call_command("train_torch_recs", **words)


def test_whoever_stops_listening_leaves_no_training_behind(place: Path, trained: list[str]) -> None:
    def stop(line: str) -> None:
        if "avg_loss" in line:
            raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        training.train_and_save_hybrid(emb_dim=8, epochs=30, topn=0, models_dir=place / "models", say=stop)
    assert threading.active_count() == before
    assert not (place / "models" / "posts" / "margin_v2").exists()


def test_the_script_is_the_command_under_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Path(torch_recommender_hybrid.__file__)
    called: list[bool] = []
    monkeypatch.setattr(training, "train_and_save_hybrid", lambda **_words: called.append(True))
    exec(compile(script.read_text(), "<stdin>", "exec"), {"__name__": "django.core.management.commands.shell"})  # noqa: S102 - as `manage.py shell` does with what it is fed
    assert called == [True]
    assert torch_recommender_hybrid.recommend_for_user_hybrid is training.recommend_for_user_hybrid


def test_django_never_imports_torch_for_it() -> None:
    program = "import django; django.setup(); import sites.posts.training, sys; print('torch' in sys.modules)"
    root = Path(__file__).parents[4]
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={"DJANGO_SETTINGS_MODULE": "config.settings.test", "PYTHONPATH": f"{root}:{root / 'backend'}", "PATH": "/usr/bin"},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert ran.stdout.strip() == "False"
