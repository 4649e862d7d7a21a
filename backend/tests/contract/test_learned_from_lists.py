"""The learned ranker's circle through both halves: shown, recorded, clicked, exported, learned, and served again."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.core.management import call_command
from werkzeug.serving import make_server

from recommendation_service.app import create_app
from recommendation_service.cli import script
from recommendation_service.datasets.reader import Dataset
from recommendation_service.tests.support import service
from recommendation_service.training.data import read_training_data
from recommendation_service.training.ranking import trainer
from recommendation_service.training.ranking.training_data import ShownLists, answered_lists, read_lists
from recommendation_service.use_cases.loader import load
from sites.shop.models import Customer
from sites.shop.recommendation_sources import Shop
from tandem.exports.datasets import export_catalogue
from tandem.models import ImpressionItem
from tandem.service_client.client import RecommendationClient
from tandem.services.recommend import recommend
from tandem.services.record_interactions import record_interactions

train_ranker = script("train", "ranker")

pytestmark = pytest.mark.django_db(transaction=True)


def export(root: Path) -> Dataset:
    export_catalogue(source=Shop, data_dir=root / "data", fresh=("catalogue", "als", "two_tower"), say=lambda *_: None)
    return Dataset.open(root / "data", "shop")


@pytest.fixture
def running(
    tmp_path: Path, service_at: Callable[[str], RecommendationClient], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """A small seeded shop whose ranker learned from its past lists, forced since they are few, behind the real app."""
    call_command("generate_shop_data", users=60, items=120, reset=True, verbosity=0)
    export(tmp_path)
    monkeypatch.setattr(trainer, "LEAST_LISTS", 5)
    monkeypatch.setattr(trainer, "LEAST_PEOPLE", 2)
    folders = ["--data-dir", str(tmp_path / "data"), "--models-dir", str(tmp_path / "models")]
    assert train_ranker(["--use-case", "shop", "--force", *folders]) == 0
    monkeypatch.setattr("recommendation_service.core.threads.check", lambda: None)  # the test process loaded numpy long before
    keys = settings.TANDEM["SIGNING_KEYS"]
    app = create_app(service.settings_under(tmp_path, RS_SIGNING_KEYS=keys, RS_USE_CASES="shop"))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    service_at(f"http://127.0.0.1:{server.port}")._deadline_s = 5.0  # a loaded machine must not look like a late service
    yield tmp_path
    server.shutdown()
    thread.join(5)
    server.server_close()


def ask(customer: Customer) -> dict[str, Any]:
    return recommend(use_case="shop", surface="homepage", user_id=str(customer.pk), limit=6, explain=True)


def click(customer: Customer, answer: dict[str, Any]) -> None:
    """On the second item of the list."""
    row = {
        "user_id": str(customer.pk),
        "item_id": answer["recommendations"][1]["item_id"],
        "event": "recommendation_click",
        "catalogue": "shop",
        "request_id": answer["request_id"],
    }
    (result,) = record_interactions([row], source="test")
    assert result.status == "accepted", result


def learned_from(dataset: Dataset) -> ShownLists:
    """The newest answered list as training reads it."""
    shown, events, use_case = dataset.shown(), dataset.events(), load("shop")
    assert shown is not None
    newest = answered_lists(shown, frozenset({"homepage"}))[-1:]
    material = read_training_data(dataset, events, use_case.weighting, float(events.times.max()))
    return read_lists(shown, newest, material, events, use_case)


def test_a_served_list_comes_back_as_what_is_learned_from(running: Path) -> None:
    customer = Customer.objects.order_by("pk")[0]
    answer = ask(customer)
    assert [stage["detail"] for stage in answer["stages"] if stage["name"] == "rescore"] == ["by learned"]
    recorded = ImpressionItem.objects.filter(impression_id=answer["request_id"]).order_by("position")
    told = [one.parts for one in recorded]
    assert all({"score", "standing", "learned"} <= set(parts) for parts in told)
    click(customer, answer)
    lists = learned_from(export(running))
    assert lists.weights.tolist() == [0, 1.5, 0, 0, 0, 0]
    assert lists.positions.tolist() == [1, 2, 3, 4, 5, 6]
    standing = lists.features[:, lists.names.index("standing")]
    np.testing.assert_allclose(standing, [parts["standing"] for parts in told], rtol=1e-6)
    assert not np.isnan(lists.features[:, lists.names.index("popularity")]).any()
