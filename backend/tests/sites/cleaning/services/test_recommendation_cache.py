"""A kept list saves the calculation and never keeps an old truth."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import orjson
import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from sites.cleaning.models import Cleaner, CleanerScore, CleaningJob, Property
from tandem import cache as lists
from tandem.service_client import model_state
from tandem.service_client.client import RecommendationClient
from tests.sites.cleaning import marketplace
from tests.sites.cleaning.engine_world import cleaner_at, cleaners_for, jobs_for, open_job, stands, who
from tests.support.caching import cache
from tests.support.faults import FaultServer
from tests.support.network import always, questions

pytestmark = pytest.mark.django_db
Point = Callable[[str], RecommendationClient]


@pytest.fixture
def server(service_at: Point) -> Iterator[FaultServer]:
    """A service whose network says 50 of every pair, and counts."""
    with FaultServer(always(50)) as running:
        service_at(running.url)
        yield running


def asked(server: FaultServer) -> int:
    return len(questions(server))


def test_the_second_time_nothing_is_calculated_and_the_list_is_the_same(server: FaultServer) -> None:
    job = open_job()
    stands(cleaner_at(1), 70)
    cleaner_at(5)
    first, second = cleaners_for(job, "ensemble"), cleaners_for(job, "ensemble")
    assert asked(server) == 1
    assert [{**row, "recommendation_id": 0} for row in first] == [{**row, "recommendation_id": 0} for row in second]
    assert (second.mode, second.degraded, second.model_version) == ("ensemble", False, "neural_v7")
    assert first.request_id != second.request_id


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, int]]:
    """The lists that were put into the cache, and for how many seconds."""
    stored: list[tuple[Any, int]] = []
    monkeypatch.setattr(lists, "save", lambda key, user_id, answer, *, seconds, **_: stored.append((answer, seconds)))
    return stored


def test_a_cached_list_is_plain_json(server: FaultServer, put: list[tuple[Any, int]]) -> None:
    cleaner_at(1)
    cleaners_for(open_job(), "ensemble")
    ((value, seconds),) = put
    assert orjson.loads(orjson.dumps(value)) == value
    assert seconds == 3600


def hire_somebody_else(cleaner: Cleaner, job: CleaningJob) -> None:
    other = open_job()
    marketplace.hire(other, marketplace.bid(other, cleaner))


CHANGES: dict[str, Callable[[Cleaner, CleaningJob], Any]] = {
    "asks more": lambda cleaner, job: Cleaner.objects.filter(pk=cleaner.pk).update(hourly_rate=19),
    "moved": lambda cleaner, job: Cleaner.objects.filter(pk=cleaner.pk).update(latitude=38.1),
    "takes fewer jobs": lambda cleaner, job: Cleaner.objects.filter(pk=cleaner.pk).update(jobs_a_week=1),
    "travels less": lambda cleaner, job: Cleaner.objects.filter(pk=cleaner.pk).update(reach_km=1),
    "works eco-friendly now": lambda cleaner, job: Cleaner.objects.filter(pk=cleaner.pk).update(eco_friendly=True),
    "stands better": lambda cleaner, job: stands(cleaner, 95),
    "stands better, told by SQL": lambda cleaner, job: CleanerScore.objects.update(overall_score=F("overall_score") + 1),
    "is hired elsewhere": hire_somebody_else,
    "the job pays more": lambda cleaner, job: CleaningJob.objects.filter(pk=job.pk).update(budget=120),
    "the job takes longer": lambda cleaner, job: CleaningJob.objects.filter(pk=job.pk).update(hours=5),
    "the property was measured again": lambda cleaner, job: Property.objects.filter(pk=job.place_id).update(size_m2=200),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_a_score_is_made_of_is_calculated_anew_when_it_changes(server: FaultServer, change: str) -> None:
    job, cleaner = open_job(), cleaner_at(3)
    stands(cleaner, 60)
    stands(cleaner_at(4), 60)
    cleaners_for(job, "ensemble")
    cleaners_for(job, "ensemble")
    assert asked(server) == 1
    CHANGES[change](cleaner, job)
    fresh = cleaners_for(job, "ensemble")
    assert asked(server) == 2
    cache.clear()
    assert [row["score"] for row in cleaners_for(job, "ensemble")] == [row["score"] for row in fresh]


def test_changes_that_cancel_each_other_out_in_a_sum_are_seen(server: FaultServer) -> None:
    job, first, second = open_job(), cleaner_at(3), cleaner_at(4)
    cleaners_for(job, "ensemble")
    Cleaner.objects.filter(pk=first.pk).update(hourly_rate=F("hourly_rate") + second.pk / 100)
    Cleaner.objects.filter(pk=second.pk).update(hourly_rate=F("hourly_rate") - first.pk / 100)
    cleaners_for(job, "ensemble")
    assert asked(server) == 2


def test_who_takes_no_jobs_any_more_is_never_shown_from_the_cache(server: FaultServer) -> None:
    job, gone, stays = open_job(), cleaner_at(1), cleaner_at(2)
    assert who(cleaners_for(job, "ensemble")) == [gone.pk, stays.pk]
    Cleaner.objects.filter(pk=gone.pk).update(is_available=False)
    assert who(cleaners_for(job, "ensemble")) == [stays.pk]
    gone.delete()
    assert who(cleaners_for(job, "ensemble")) == [stays.pk]


def test_who_joined_a_minute_ago_is_in_the_next_list(server: FaultServer) -> None:
    job, first = open_job(), cleaner_at(2)
    cleaners_for(job, "ensemble")
    second = cleaner_at(1)
    assert set(who(cleaners_for(job, "ensemble"))) == {first.pk, second.pk}


def test_a_job_that_was_given_away_meanwhile_has_no_list_and_is_in_none(server: FaultServer) -> None:
    job, cleaner = open_job(), cleaner_at(1)
    stale = CleaningJob.objects.get(pk=job.pk)
    cleaners_for(job, "ensemble")
    assert who(jobs_for(cleaner, "ensemble"), "job") == [job.pk]
    marketplace.hire(job, marketplace.bid(job, cleaner))
    assert cleaners_for(stale, "ensemble") == []
    assert jobs_for(cleaner, "ensemble") == []


def test_a_job_that_was_bid_for_leaves_the_cleaners_list_at_once(server: FaultServer) -> None:
    cleaner, first, second = cleaner_at(1), open_job(), open_job()
    assert set(who(jobs_for(cleaner, "ensemble"), "job")) == {first.pk, second.pk}
    marketplace.bid(first, cleaner)
    assert who(jobs_for(cleaner, "ensemble"), "job") == [second.pk]


def test_the_cleaners_list_is_kept_too_and_made_anew_when_a_job_changes(server: FaultServer) -> None:
    cleaner, job = cleaner_at(1), open_job()
    jobs_for(cleaner, "ensemble")
    jobs_for(cleaner, "ensemble")
    assert asked(server) == 1
    CleaningJob.objects.filter(pk=job.pk).update(budget=Decimal(70))
    jobs_for(cleaner, "ensemble")
    open_job()
    jobs_for(cleaner, "ensemble")
    assert asked(server) == 3


def test_nobody_gets_the_list_of_another(server: FaultServer) -> None:
    near, far = cleaner_at(1), cleaner_at(9)
    first, second = open_job(), open_job()
    found = [cleaners_for(job, "ensemble") for job in (first, second)]
    assert asked(server) == 2
    assert [one["score"] for one in found[0]] == [one["score"] for one in found[1]]
    scores = [jobs_for(cleaner, "ensemble")[0]["score"] for cleaner in (near, far)]
    assert scores[0] > scores[1]


def test_another_question_is_another_list(server: FaultServer, settings: Any) -> None:
    job = open_job()
    cleaner_at(1)
    cleaner_at(8)
    cleaners_for(job, "ensemble")
    assert len(cleaners_for(job, "ensemble", limit=1)) == 1
    assert len(cleaners_for(job, "ensemble", filters={"max_distance": 5})) == 1
    assert cleaners_for(job, "neural")[0]["score"] == 50.0
    before = cleaners_for(job, "ensemble")[0]["score"]
    settings.RECOMMENDATION_ENSEMBLE_WEIGHTS = {"rule_based": 0.1, "neural": 0.9}
    after = cleaners_for(job, "ensemble")[0]["score"]
    assert after < before
    assert asked(server) == 5


def test_a_new_model_makes_new_lists(server: FaultServer) -> None:
    job = open_job()
    cleaner_at(1)
    assert cleaners_for(job, "ensemble").model_version == "neural_v7"
    server.behave = always(70, state="state-2", model_version="neural_v8")
    model_state.forget_state()
    found = cleaners_for(job, "ensemble")
    assert (found.model_version, found[0]["neural_score"]) == ("neural_v8", 70.0)


def test_a_kept_list_outlives_the_service(server: FaultServer, service_at: Point) -> None:
    job = open_job()
    cleaner_at(1)
    cleaners_for(job, "ensemble")
    service_at("http://127.0.0.1:9")
    assert cleaners_for(job, "ensemble").mode == "ensemble"


def test_a_degraded_list_is_cached_for_a_moment_only(put: list[tuple[Any, int]]) -> None:
    cleaner_at(1)
    assert cleaners_for(open_job(), "ensemble").degraded
    assert [seconds for _, seconds in put] == [3]


def test_zero_seconds_keep_nothing(server: FaultServer, settings: Any) -> None:
    settings.RECOMMENDATION_CACHE_TTL = 0
    job = open_job()
    cleaner_at(1)
    cleaners_for(job, "ensemble")
    cleaners_for(job, "ensemble")
    assert asked(server) == 2


@pytest.mark.parametrize("spoil", [None, "text", 7, [], {}, {"answer": {}, "mark": "", "state": ""}])
def test_anything_else_found_in_the_cache_is_a_miss(server: FaultServer, monkeypatch: pytest.MonkeyPatch, spoil: Any) -> None:
    job = open_job()
    cleaner_at(1)
    cleaners_for(job, "ensemble")
    monkeypatch.setattr("tests.support.caching.cache.get_many", lambda names: dict.fromkeys(names, spoil))
    assert len(cleaners_for(job, "ensemble")) == 1
    assert asked(server) == 2


def test_a_list_of_another_client_under_this_key_is_a_miss(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    stored: list[dict[str, Any]] = []
    monkeypatch.setattr(lists, "save", lambda key, user_id, answer, **rest: stored.append({"answer": answer, **rest}))
    job = open_job()
    cleaner_at(1)
    cleaners_for(job, "ensemble")

    def found(names: list[str]) -> dict[str, Any]:
        return {name: stored[0] if ":kept:" in name else "" for name in names}

    monkeypatch.setattr("tests.support.caching.cache.get_many", found)
    assert len(cleaners_for(job, "ensemble")) == 1
    assert asked(server) == 1, "the client's own list is taken"
    stored[0]["answer"]["user_id"] = "client-999"
    assert len(cleaners_for(job, "ensemble")) == 1
    assert asked(server) == 2


def standings_read(job: CleaningJob) -> int:
    with CaptureQueriesContext(connection) as queries:
        cleaners_for(job)
    return sum('"cleaning_cleanerscore"."usual_rate"' in query["sql"] for query in queries)


def test_what_is_known_of_cleaners_is_read_again_only_after_a_change() -> None:
    cleaner = cleaner_at(1)
    stands(cleaner, 60)
    first = standings_read(open_job())
    assert standings_read(open_job()) == first - 1  # those of the shown ones are
    stands(cleaner, 70)
    assert standings_read(open_job()) == first


def test_remembered_cleaners_are_those_of_the_filters() -> None:
    plain, green = cleaner_at(1), cleaner_at(2, eco_friendly=True)
    for _ in range(2):
        assert who(cleaners_for(open_job())) == [plain.pk, green.pk]
        assert who(cleaners_for(open_job(), filters={"eco": True})) == [green.pk]


def test_a_dead_cache_is_a_miss_and_nothing_worse(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionError("no cache")

    monkeypatch.setattr(cache, "get", refuse)
    monkeypatch.setattr(cache, "set", refuse)
    job = open_job()
    cleaner_at(1)
    assert len(cleaners_for(job, "ensemble")) == len(cleaners_for(job, "ensemble")) == 1
    assert asked(server) == 2
