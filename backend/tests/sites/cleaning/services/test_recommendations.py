"""The whole flow: candidates, rules, network, reasons; and what is left of it when something is missing."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommendation_service.errors import InvalidInput, NotFound
from sites.cleaning.models import Cleaner, CleanerRecommendation, CleaningJob
from sites.cleaning.services.recommendations import RecommendationEngine
from tandem.service_client.client import RecommendationClient
from tests.sites.cleaning import marketplace
from tests.sites.cleaning.engine_world import cleaner_at, cleaners_for, jobs_for, open_job, stands, who
from tests.support.faults import Behaviour, FaultServer, http, says, waits
from tests.support.network import always, network, questions

pytestmark = pytest.mark.django_db
Point = Callable[[str], RecommendationClient]
Serve = Callable[[Behaviour], FaultServer]
KEYS = {
    "cleaner", "score", "rule_based_score", "neural_score", "breakdown", "reasoning", "rank", "recommendation_id",
}  # fmt: skip
PARTS = {"quality", "location", "specialization", "pricing", "availability"}


@pytest.fixture
def serve(service_at: Point) -> Iterator[Serve]:
    """A service that behaves so, for the rest of the test."""
    running: list[FaultServer] = []

    def start(behave: Behaviour) -> FaultServer:
        running.append(FaultServer(behave).__enter__())
        service_at(running[-1].url)
        return running[-1]

    yield start
    for server in running:
        server.__exit__(None, None, None)


def nearer_is_worse(item_id: str) -> float:
    """An opinion that turns every list by distance round, keys being given out from the nearest on."""
    return 10.0 + 5 * (int(item_id) % 10)


def test_a_list_has_every_stated_key() -> None:
    job = open_job()
    cleaner = cleaner_at(1)
    stands(cleaner, 90, primary_property_type="apartment")
    (row,) = RecommendationEngine(mode="rule_based").recommend_cleaners_for_job(job=job, limit=10, filters={"max_distance": 20})
    assert set(row) == KEYS
    assert set(row["breakdown"]) == PARTS
    assert row["cleaner"] == cleaner
    assert row["breakdown"]["quality"] == 90.0
    assert row["reasoning"][0] == "High quality score (90/100)"
    assert "Nearby location (1.0 km away)" in row["reasoning"]
    assert "Specializes in this property type" in row["reasoning"]
    assert (row["rank"], row["neural_score"]) == (1, None)


def test_the_reverse_direction_has_them_too() -> None:
    cleaner, job = cleaner_at(1), open_job()
    (row,) = RecommendationEngine(mode="rule_based").recommend_jobs_for_cleaner(cleaner=cleaner, limit=10)
    assert set(row) == KEYS - {"cleaner"} | {"job"}
    assert row["job"] == job
    assert "Near you (1.0 km away)" in row["reasoning"]


def test_the_stated_formula_through_the_whole_flow(serve: Serve) -> None:
    serve(always(92))
    job, cleaner = open_job(), cleaner_at(3)
    (row,) = cleaners_for(job, "ensemble")
    assert row["neural_score"] == 92.0
    assert row["rule_based_score"] is not None
    assert row["score"] == pytest.approx(0.6 * row["rule_based_score"] + 0.4 * 92, abs=0.011)
    (alone,) = cleaners_for(job, "rule_based")
    assert alone["score"] == row["rule_based_score"] == alone["rule_based_score"]
    assert who([row]) == [cleaner.pk]


def test_the_mode_is_the_settings_and_weights_shift_the_order(serve: Serve, settings: Any) -> None:
    serve(network(nearer_is_worse))
    job, cleaners = open_job(), [cleaner_at(km) for km in (1, 8, 15)]
    opposed = sorted((one.pk for one in cleaners), key=lambda pk: -nearer_is_worse(str(pk)))
    settings.RECOMMENDATION_MODE = "rule_based"
    assert who(cleaners_for(job, None)) == [one.pk for one in cleaners]
    settings.RECOMMENDATION_MODE = "ensemble"
    for weight, same_as in ((0.0, [one.pk for one in cleaners]), (1.0, opposed)):
        settings.RECOMMENDATION_ENSEMBLE_WEIGHTS = {"rule_based": 1 - weight, "neural": weight}
        assert who(cleaners_for(job, None)) == same_as
    assert who(cleaners_for(job, "neural")) == opposed


def test_a_network_without_a_say_is_not_asked(serve: Serve, settings: Any) -> None:
    server = serve(always(50))
    settings.RECOMMENDATION_ENSEMBLE_WEIGHTS = {"rule_based": 1, "neural": 0}
    cleaner_at(1)
    found = cleaners_for(open_job(), "ensemble")
    cleaners_for(open_job(), "rule_based")
    assert (found.asked_mode, found.mode, found.degraded) == ("ensemble", "rule_based", False)
    assert server.asked == []


def test_in_neural_mode_the_breakdown_is_still_given(serve: Serve) -> None:
    serve(always(42))
    cleaner_at(1)
    found = cleaners_for(open_job(), "neural")
    assert (found[0]["score"], found.mode, found.model_version) == (42.0, "neural", "neural_v7")
    assert found[0]["breakdown"]["location"] == 100.0


def test_a_job_and_a_cleaner_of_a_minute_ago_are_scored_with_reasons(serve: Serve) -> None:
    server = serve(always(85))
    job, cleaner = open_job(), cleaner_at(2, joined_days_ago=0)
    (row,) = cleaners_for(job, "ensemble")
    assert who([row]) == [cleaner.pk]
    assert (row["rule_based_score"], row["neural_score"]) != (None, None)
    assert "New here: no jobs or reviews yet" in row["reasoning"]
    assert "Nearby location (2.0 km away)" in row["reasoning"]
    assert "High quality score" not in " ".join(row["reasoning"])
    assert jobs_for(cleaner, "ensemble")[0]["reasoning"]
    assert len(questions(server)) == 2


def test_only_the_best_hundred_by_rules_are_put_to_the_network(serve: Serve) -> None:
    server = serve(always(50))
    Cleaner.objects.bulk_create(
        Cleaner(name=f"C{n}", latitude=37.9838 + n * 0.001, longitude=23.7275, hourly_rate=15, joined=timezone.localdate())
        for n in range(130)
    )
    found = cleaners_for(open_job(), "ensemble", limit=100)
    assert len(found) == len(questions(server)[0]["offers"]) == 100
    nearest = set(Cleaner.objects.order_by("latitude").values_list("pk", flat=True)[:100])
    assert set(who(found)) == nearest


def refuses(server: FaultServer, accepted: socket.socket, request: dict[str, Any]) -> bool:
    return False


STRANGER = {"item_id": "999999", "title": "", "score": 99.0, "position": 1, "reasons": [], "parts": {}}
WRONG: dict[str, tuple[Behaviour, str]] = {
    "hangs up": (refuses, "unreachable"),
    "late": (waits(10), "timeout"),
    "garbage": (says(http(b"<html>oops</html>", kind="text/html")), "bad_answer"),
    "broken": (says(http(b"{}", status="500 Internal Server Error")), "bad_answer"),
    "not a number": (always(float("nan")), "bad_answer"),
    "beyond the scale": (always(1000.0), "bad_answer"),
    "somebody who was not offered": (always(50, recommendations=[STRANGER]), "bad_answer"),
    "another surface": (always(50, surface="elsewhere"), "bad_answer"),
    "without a network": (
        always(50, method_used="rule_based", degradation=[{"engine": "neural", "code": "not_trained", "detail": "no model"}]),
        "not_trained",
    ),
}


@pytest.mark.parametrize("mode", ["ensemble", "neural"])
@pytest.mark.parametrize("fault", WRONG)
def test_whatever_is_wrong_with_the_service_the_rules_answer_and_say_so(serve: Serve, fault: str, mode: str) -> None:
    behave, code = WRONG[fault]
    serve(behave)
    job, cleaners = open_job(), [cleaner_at(km) for km in (1, 5)]
    found = cleaners_for(job, mode)
    assert who(found) == [one.pk for one in cleaners]
    assert (found.asked_mode, found.mode, found.degraded, found.model_version) == (mode, "rule_based", True, "")
    (missing,) = found.degradation
    assert (missing["engine"], missing["code"]) == ("neural", code)
    assert missing["detail"]
    alone = cleaners_for(job, "rule_based")
    assert [row["score"] for row in found] == [row["score"] for row in alone]
    assert [row["neural_score"] for row in found] == [None, None]


def test_nobody_listening_is_no_reason_for_an_empty_page_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    cleaner_at(1)
    found = cleaners_for(open_job(), "ensemble")
    assert "rules answer alone on cleaners-for-job: unreachable" in caplog.text
    assert (len(found), found.mode, found.degradation[0]["code"]) == (1, "rule_based", "unreachable")


def test_one_that_the_network_cannot_judge_keeps_its_rule_score_and_the_list_is_not_degraded(serve: Serve) -> None:
    cleaners = [cleaner_at(km) for km in (1, 5)]
    serve(network(lambda item_id: None if item_id == str(cleaners[0].pk) else 50.0))
    found = cleaners_for(open_job(), "ensemble")
    rows = {row["cleaner"].pk: row for row in found}
    assert rows[cleaners[0].pk]["score"] == rows[cleaners[0].pk]["rule_based_score"]
    assert rows[cleaners[1].pk]["score"] < rows[cleaners[1].pk]["rule_based_score"]
    assert (found.mode, found.degraded, found.degradation[0]["code"]) == ("ensemble", False, "partial")
    modes = dict(CleanerRecommendation.objects.values_list("cleaner_id", "mode"))
    assert modes == {cleaners[0].pk: "rule_based", cleaners[1].pk: "ensemble"}


def test_many_jobs_at_once_give_what_one_by_one_gives(serve: Serve) -> None:
    serve(network(nearer_is_worse))
    cleaners = [cleaner_at(km, rate=10 + km, eco_friendly=km < 7) for km in range(1, 9)]
    stands(cleaners[3], 90, primary_property_type="villa")
    jobs = [open_job(kind=kind, eco_friendly=kind == "villa") for kind in ("villa", "apartment", "office")]
    jobs.append(open_job(status="cancelled"))
    for mode in ("rule_based", "ensemble"):
        many = RecommendationEngine(mode).recommend_cleaners_for_jobs(jobs, limit=5)
        single = [cleaners_for(job, mode, limit=5) for job in jobs]
        plain = [[{**row, "recommendation_id": None} for row in found] for found in many]
        assert plain == [[{**row, "recommendation_id": None} for row in found] for found in single]
        assert [one.degradation for one in many] == [one.degradation for one in single]
    assert len(many[0]) == 5


def test_lists_for_many_jobs_take_as_many_queries_as_for_one() -> None:
    for km in (1, 2, 3):
        cleaner_at(km)
    jobs = [open_job() for _ in range(8)]
    engine = RecommendationEngine("rule_based")

    def queries_for(count: int) -> int:
        engine.recommend_cleaners_for_jobs(jobs[:count], limit=2)  # the first list of a client writes their id
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            lists = engine.recommend_cleaners_for_jobs(jobs[:count], limit=2)
        assert [len(listed) for listed in lists] == [2] * count
        return len(queries)

    assert queries_for(8) == queries_for(1)
    assert CleanerRecommendation.objects.filter(job=jobs[7]).count() == 4


def test_lists_for_no_job_and_for_a_deleted_one() -> None:
    engine, job, deleted = RecommendationEngine("rule_based"), open_job(), open_job()
    CleaningJob.objects.filter(pk=deleted.pk).delete()
    assert engine.recommend_cleaners_for_jobs([]) == []
    with pytest.raises(NotFound, match=f"no cleaning job {deleted.pk}"):
        engine.recommend_cleaners_for_jobs([job, deleted])


def test_no_more_queries_for_many_cleaners_than_for_few() -> None:
    job = open_job()

    def asked(mode: str, limit: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            cleaners_for(job, mode, limit=limit)
        return len(queries)

    for _ in range(3):
        cleaner_at(1)
    cleaners_for(job)
    few = asked("rule_based", 9)
    for _ in range(40):
        stands(cleaner_at(1), 50)
    cleaners_for(job, limit=100)  # everybody is known by a key now
    assert asked("rule_based", 90) == few


def test_no_more_queries_for_many_jobs_than_for_few() -> None:
    cleaner = cleaner_at(1)

    def asked(limit: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            jobs_for(cleaner, limit=limit)
        return len(queries)

    open_job()
    jobs_for(cleaner)
    few = asked(9)
    for _ in range(30):
        open_job()
    jobs_for(cleaner, limit=100)
    assert asked(90) == few


@pytest.mark.parametrize("limit", [0, -1, 101, 2.5, True, "10"])
def test_a_limit_that_cannot_be_is_refused(limit: Any) -> None:
    with pytest.raises(InvalidInput, match="from 1 to 100"):
        cleaners_for(open_job(), limit=limit)


def test_what_is_gone_from_the_table_is_not_found() -> None:
    job, cleaner = open_job(), cleaner_at(1)
    CleaningJob.objects.all().delete()
    Cleaner.objects.all().delete()
    with pytest.raises(NotFound, match="cleaning job"):
        cleaners_for(job)
    with pytest.raises(NotFound, match="cleaner"):
        jobs_for(cleaner)


def test_a_wrong_setting_or_word_stops_the_engine_before_it_begins(settings: Any) -> None:
    with pytest.raises(InvalidInput, match="rule_based, neural, ensemble"):
        RecommendationEngine("hybrid")
    settings.RECOMMENDATION_ENSEMBLE_WEIGHTS = {"rule_based": -1, "neural": 1}
    with pytest.raises(ImproperlyConfigured):
        RecommendationEngine("ensemble")


def test_an_empty_market_has_an_empty_list_with_its_reason() -> None:
    found = cleaners_for(open_job())
    assert (found, found.degraded, found.degradation[0]["code"]) == ([], True, "nothing_left")
    assert jobs_for(marketplace.make_cleaner()) != []
