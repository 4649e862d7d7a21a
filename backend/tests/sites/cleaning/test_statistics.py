"""What came of the recommendations: counted from rows whose figures are known without running the code."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.tests.support.cleaning import publish_neural
from sites.cleaning import statistics
from sites.cleaning.models import BidSuggestion, RecommendationFeedback
from tandem.selectors.statistics import Window
from tests.sites.cleaning import agreed, marketplace

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def shown() -> None:
    """Six cleaners by two modes over two days: the ensemble's were viewed 3, contacted 2, hired 1; one job each way."""
    job, now = agreed.job_today(marketplace.make_client()), timezone.now()
    steps = ("viewed_at", "contacted_at", "hired_at")
    for place in range(4):
        came = dict.fromkeys(steps[:place], now)
        agreed.shown_cleaner(job, marketplace.make_cleaner(), mode="ensemble", **came)
    yesterday = {"mode": "rule_based", "created_at": now - timedelta(days=1)}
    for _ in range(2):
        last = agreed.shown_cleaner(job, marketplace.make_cleaner(), **yesterday)
    offered = agreed.shown_job(job, marketplace.make_cleaner(), bid_placed_at=now)
    RecommendationFeedback.objects.create(job_recommendation=offered, feedback_type="too_far")
    RecommendationFeedback.objects.create(cleaner_recommendation=last, feedback_type="too_far")


@pytest.mark.usefixtures("shown")
def test_modes_and_days_are_counted_with_their_rates() -> None:
    side = statistics.side_of("cleaners", since=LONG_AGO)
    assert side.steps == ("viewed", "contacted", "hired")
    assert (side.total.shown, side.total.counts) == (6, (3, 2, 1))
    assert [(row.name, row.shown, row.counts) for row in side.modes] == [
        ("Rules and network", 4, (3, 2, 1)), ("Rules", 2, (0, 0, 0)),
    ]  # fmt: skip
    assert side.modes[0].cells == ((3, 75.0), (2, 50.0), (1, 25.0))
    assert [row.shown for row in side.days] == [4, 2]
    jobs = statistics.side_of("jobs", since=LONG_AGO)
    assert (jobs.steps, jobs.total.counts) == (("viewed", "bid", "accepted"), (0, 1, 0))


@pytest.mark.usefixtures("shown")
def test_what_is_older_does_not_count() -> None:
    since = Window.last(1, until=timezone.now()).since
    assert statistics.side_of("cleaners", since=since).total.shown == 4
    assert statistics.side_of("cleaners", since=timezone.now() + timedelta(days=1)).total.shown == 0


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_a_list_counts_on_its_day_of_utc_in_every_time_zone_of_the_site(zone: str) -> None:
    job = agreed.job_today(marketplace.make_client())
    agreed.shown_cleaner(job, marketplace.make_cleaner(), created_at=datetime(2026, 11, 20, 0, 5, tzinfo=UTC))
    agreed.shown_cleaner(job, marketplace.make_cleaner(), created_at=datetime(2026, 11, 20, 23, 55, tzinfo=UTC))
    with timezone.override(zone):
        side = statistics.side_of("cleaners", since=LONG_AGO)
    assert [(row.name, row.shown) for row in side.days] == [("20 November 2026", 2)]


@pytest.mark.usefixtures("shown")
def test_every_verdict_is_listed_with_its_counts() -> None:
    told = {word: (jobs, cleaners) for word, jobs, cleaners in statistics.feedback_counts(since=LONG_AGO)}
    assert told.pop("Too Far") == (1, 1)
    assert set(told.values()) == {(0, 0)}
    assert len(told) == 5


def test_the_page_tells_what_became_of_the_bids_advised(admin_client: Browser) -> None:
    job = agreed.job_today(marketplace.make_client())
    for used, won in ((True, True), (True, False), (False, False), (None, None)):
        BidSuggestion.objects.create(
            job=job, cleaner=marketplace.make_cleaner(), minimum=40, optimal=50, maximum=60, method="neural", client_budget=80,
            actual_bid=None if used is None else 50, was_used=used, did_win=won,
        )  # fmt: skip
    page = admin_client.get("/cleaning/analytics/").content.decode()
    cells = "".join(f"<td>{count}</td>" for count in (4, 3, 2, 1, 1, 0, 1))
    assert f'<th scope="row">Network</th>{cells}' in page


def test_nothing_shown_is_no_figure(admin_client: Browser) -> None:
    side = statistics.side_of("jobs", since=LONG_AGO)
    assert (side.total.shown, side.modes, side.days) == (0, (), ())
    assert statistics.Row("x", 0, (0,)).cells == ((0, 0.0),)
    assert b"No list was shown in this period" in admin_client.get("/cleaning/analytics/").content


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize(("days", "current"), [("7", "7"), ("", "30"), ("x", "30"), ("9999", "30"), ("\uff17", "30")])
def test_the_page_shows_a_span_of_those_there_are(days: str, current: str, admin_client: Browser) -> None:
    html = admin_client.get("/cleaning/analytics/", {"days": days}).content.decode()
    assert f'href="?days={current}" aria-current="page"' in html
    assert "Rules and network" in html


@pytest.mark.usefixtures("shown")
def test_the_page_takes_as_many_queries_whatever_was_shown(admin_client: Browser, django_assert_max_num_queries: Any) -> None:
    counts = []
    for _ in range(3):
        with django_assert_max_num_queries(20) as made:
            admin_client.get("/cleaning/analytics/")
        counts.append(len(made))
        agreed.shown_cleaner(agreed.job_today(marketplace.make_client()), marketplace.make_cleaner())
    assert len(set(counts)) == 1


def test_without_published_models_nothing_is_claimed(tmp_path: Path, settings: Any, admin_client: Browser) -> None:
    settings.RECOMMENDATION_MODELS_DIR = tmp_path
    assert statistics.accuracy() == ()
    assert b"the rules score alone" in admin_client.get("/cleaning/analytics/").content


def test_a_models_own_figures_are_shown_and_a_damaged_one_is_left_out(tmp_path: Path, settings: Any) -> None:
    settings.RECOMMENDATION_MODELS_DIR = tmp_path / "models"
    model = publish_neural(tmp_path)
    told = {"top_3": 0.75, "alpha": 0.25, "secret": "words", "jobs": 120, "baseline": {"mse": 0.1}}
    store = ArtifactStore(tmp_path / "models" / "cleaners")
    store.publish("neural", model.arrays, catalogue="cleaners", parameters=model.manifest.parameters, dataset={}, metrics=told)
    (shown,) = statistics.accuracy()
    assert dict(shown.figures) == {
        "the hired cleaner is among the first three": 0.75,
        "weight of the collaborative half (alpha)": 0.25,
        "jobs in the training data": 120.0,
    }
    next((tmp_path / "models" / "cleaners" / shown.version).glob("manifest.json")).write_text("{}")
    assert statistics.accuracy() == ()
