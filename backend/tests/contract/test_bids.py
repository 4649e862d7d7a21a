"""Bid suggestions from the tables to the real Flask app and back."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from werkzeug.serving import make_server

from recommendation_service.app import create_app
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.tests.support.bidding import auctions, pair_config
from recommendation_service.tests.support.service import settings_under
from recommendation_service.training.pairs.bid import train_bid
from recommendation_service.training.parameters import bid_parameters
from recommendation_service.use_cases.loader import load
from sites.cleaning.models import JobBid
from sites.cleaning.services.bid_suggestions import note_bid, note_decision, suggest_bid
from tandem.exports.datasets import export_catalogue
from tandem.service_client.client import RecommendationClient
from tandem.sources import source_of
from tests.sites.cleaning import marketplace
from tests.sites.cleaning.engine_world import cleaner_at, open_job

pytestmark = pytest.mark.django_db(transaction=True)
Point = Callable[[str], RecommendationClient]


@pytest.fixture
def service(tmp_path: Path, service_at: Point, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecommendationClient]:
    """The real app over an export of this database, with a bid model of a made-up marketplace."""
    for km in (1, 2):
        marketplace.done(cleaner_at(km), posted=20)
    source = source_of("cleaners")
    assert source is not None
    export_catalogue(source=source, data_dir=tmp_path / "data", fresh=["cleaners"], say=lambda *_: None)
    parameters = replace(bid_parameters(load("cleaning")), epochs=5)
    trained = train_bid(auctions(300), pair_config(), parameters)
    ArtifactStore(tmp_path / "models" / "cleaners").publish(
        "bid", trained.arrays, catalogue="cleaners", parameters=trained.parameters, dataset={}, metrics=trained.metrics
    )
    monkeypatch.setattr("recommendation_service.core.threads.check", lambda: None)  # the test process loaded numpy long before
    keys = settings.TANDEM["SIGNING_KEYS"]
    app = create_app(settings_under(tmp_path, RS_SIGNING_KEYS=keys, RS_USE_CASES="cleaning"))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    client = service_at(f"http://127.0.0.1:{server.port}")
    client._deadline_s = 5.0  # a loaded machine must not look like a late service
    yield client
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.mark.usefixtures("service")
def test_a_cleaner_who_joined_a_minute_ago_is_advised_on_a_job_posted_a_minute_ago() -> None:
    found = suggest_bid(open_job(), cleaner_at(3, rate=18))
    assert (found.method, found.model_version) == ("neural", "bid_v1")
    assert 0 < found.minimum < found.optimal < found.maximum


@pytest.mark.usefixtures("service")
def test_who_usually_asks_more_is_advised_to_ask_more() -> None:
    job = open_job()
    cheap, dear = (suggest_bid(job, cleaner_at(3, rate=rate)) for rate in (10, 30))
    assert cheap.optimal < dear.optimal


@pytest.mark.usefixtures("service")
def test_a_suggestion_is_followed_from_the_advice_to_the_hire() -> None:
    job, cleaner = open_job(), cleaner_at(3)
    suggestion = suggest_bid(job, cleaner)
    bid = JobBid.objects.create(job=job, cleaner=cleaner, amount=suggestion.optimal)
    note_bid(bid)
    marketplace.hire(job, bid)
    note_decision(job)
    suggestion.refresh_from_db()
    assert (suggestion.actual_bid, suggestion.was_used, suggestion.did_win) == (suggestion.optimal, True, True)


def test_with_the_service_stopped_the_rules_advise(service: RecommendationClient, service_at: Point) -> None:
    job, cleaner = open_job(), cleaner_at(3)
    assert suggest_bid(job, cleaner).method == "neural"
    service_at("http://127.0.0.1:9")
    assert suggest_bid(job, cleaner).method == "rule_based"
