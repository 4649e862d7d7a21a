"""What the network is asked, and what is believed of its answers."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sites.cleaning.models import Cleaner, CleaningJob
from sites.cleaning.recommender.blending import shortlist
from sites.cleaning.recommender.candidates import Filters
from sites.cleaning.recommender.neural_scores import Opinion, network_opinion
from sites.cleaning.recommender.pair_scoring import CLEANERS_FOR_JOB, JOBS_FOR_CLEANER, Met, met, pair_config
from sites.cleaning.scoring.pair_features import cleaner_side, job_side
from tandem.client import RecommendationClient
from tests.sites.cleaning import marketplace
from tests.sites.cleaning.engine_world import cleaner_at, open_job, stands
from tests.support.faults import Behaviour, FaultServer
from tests.support.network import always, network, questions

pytestmark = pytest.mark.django_db
Point = Callable[[str], RecommendationClient]


def of_job(job: CleaningJob, cleaners: list[Cleaner]) -> Met:
    return met(CLEANERS_FOR_JOB, job, job_side([job]), cleaner_side(cleaners), Filters())


@pytest.fixture
def heard(service_at: Point) -> Callable[..., Opinion]:
    """The opinion of a service that behaves so, of one job and three cleaners, the nearest first."""

    def ask(behave: Behaviour) -> Opinion:
        found = of_job(open_job(), [cleaner_at(km) for km in (1, 5, 9)])
        with FaultServer(behave) as server:
            service_at(server.url)
            return network_opinion(found, shortlist(found))

    return ask


def test_the_network_is_asked_exactly_what_it_reads_and_nobodys_name(service_at: Point) -> None:
    job, maria = open_job(), marketplace.make_cleaner("Maria", hourly_rate=15)
    stands(maria, 80, primary_property_type="apartment", average_rating=8.5)
    found = of_job(job, [maria])
    with FaultServer(always(50)) as server:
        service_at(server.url)
        network_opinion(found, shortlist(found))
    (asked,) = questions(server)
    context, (offer,) = asked["context"], asked["offers"]
    assert (asked["strategy"], asked["explain"], asked["limit"]) == ("neural", True, 1)
    assert context["id"] == str(job.pk)
    assert context["words"] == {"property_type": "apartment", "client_id": str(job.client_id)}
    assert (context["numbers"]["size_m2"], context["numbers"]["hours"]) == (80.0, 4.0)
    assert offer["item_id"] == str(maria.pk)
    assert (offer["numbers"]["bid"], offer["numbers"]["distance_km"]) == (60.0, 0.0)  # €15 for four hours, next door
    assert (offer["numbers"]["overall_score"], offer["numbers"]["average_rating"]) == (80.0, 8.5)
    read = {feature.name for feature in pair_config().features}
    assert set(context["numbers"]) | set(offer["numbers"]) <= read
    assert "Maria" not in json.dumps(asked)


def test_what_is_not_known_is_left_out(service_at: Point) -> None:
    found = of_job(open_job(), [cleaner_at(1)])
    with FaultServer(always(50)) as server:
        service_at(server.url)
        network_opinion(found, shortlist(found))
    numbers = questions(server)[0]["offers"][0]["numbers"]
    assert "average_rating" not in numbers
    assert all(value == value for value in numbers.values())


def test_a_hundred_offers_are_well_within_what_is_taken(service_at: Point) -> None:
    people = [cleaner_at(1) for _ in range(100)]
    for person in people:
        stands(person, 61.234567, **dict.fromkeys(("quality_score", "communication_score", "timeliness_score"), 77.7777777))
    found = of_job(open_job(), people)
    with FaultServer(always(50)) as server:
        service_at(server.url)
        assert network_opinion(found, shortlist(found)).heard
    (length,) = [int(line[16:]) for line in server.headers[0].split("\r\n") if line.lower().startswith("content-length: ")]
    assert length < 60_000


def test_the_other_way_round_the_cleaner_is_the_context_and_jobs_are_offered(service_at: Point) -> None:
    job, maria = open_job(), cleaner_at(3)
    found = met(JOBS_FOR_CLEANER, maria, cleaner_side([maria]), job_side([job]), Filters())
    with FaultServer(always(64)) as server:
        service_at(server.url)
        assert network_opinion(found, shortlist(found)).scores.tolist() == [64.0]
    (asked,) = questions(server)
    assert asked["context"]["id"] == str(maria.pk)
    assert asked["offers"][0]["item_id"] == str(job.pk)
    assert asked["offers"][0]["words"] == {"property_type": "apartment", "client_id": str(job.client_id)}
    assert asked["offers"][0]["numbers"]["bid"] == 60.0


def test_scores_come_back_in_the_order_of_the_shortlist(heard: Callable[..., Opinion]) -> None:
    scores = iter((10.0, 90.0, 50.0))
    told: dict[str, float] = {}
    opinion = heard(network(lambda item_id: told.setdefault(item_id, next(scores))))
    assert opinion.scores.tolist() == [10.0, 90.0, 50.0]
    assert opinion.collaborative.tolist() == [10.0, 90.0, 50.0]
    assert (opinion.model_version, opinion.state, opinion.missing) == ("neural_v7", "state-1", ())


def test_whom_the_network_leaves_out_it_cannot_judge(heard: Callable[..., Opinion]) -> None:
    scores = iter((10.0, None, 50.0))
    told: dict[str, float | None] = {}
    opinion = heard(network(lambda item_id: told.setdefault(item_id, next(scores))))
    assert np.isnan(opinion.scores).tolist() == [False, True, False]
    assert opinion.heard
    (missing,) = opinion.missing
    assert (missing["code"], "1 of 3" in missing["detail"]) == ("partial", True)


def test_a_part_that_the_network_does_not_know_stays_unknown(heard: Callable[..., Opinion]) -> None:
    opinion = heard(without_collaborative)
    assert np.isnan(opinion.collaborative).all()
    assert opinion.content.tolist() == [55.0] * 3


def without_collaborative(server: FaultServer, accepted: Any, request: dict[str, Any]) -> bool:
    parts = {"neural": 55.0, "content": 55.0, "alpha": 0.0}
    rows = [
        {"item_id": offer["item_id"], "title": "", "score": 0.5, "position": place, "reasons": [], "parts": parts}
        for place, offer in enumerate(request.get("offers", []), start=1)
    ]
    return always(0, recommendations=rows)(server, accepted, request)


@pytest.mark.parametrize("score", [-0.1, 100.1])
def test_scores_beyond_the_scale_are_refused_whole(heard: Callable[..., Opinion], score: float) -> None:
    opinion = heard(always(score))
    assert not opinion.heard
    assert opinion.missing[0]["code"] == "bad_answer"


def test_a_service_without_a_network_says_so_in_its_own_words(heard: Callable[..., Opinion]) -> None:
    why = [
        {"engine": "popular", "code": "failed", "detail": "not this"},
        {"engine": "neural", "code": "not_trained", "detail": "no neural model is published"},
    ]
    opinion = heard(always(50, method_used="rule_based", degraded=True, degradation=why))
    assert not opinion.heard
    assert opinion.missing == ({"engine": "neural", "code": "not_trained", "detail": "no neural model is published"},)


def test_another_engines_list_is_no_opinion_of_the_network(heard: Callable[..., Opinion]) -> None:
    opinion = heard(always(50, method_used="popular"))
    assert opinion.missing[0]["code"] == "no_prediction"
    assert "popular" in opinion.missing[0]["detail"]


def test_an_empty_answer_is_no_opinion(heard: Callable[..., Opinion]) -> None:
    assert heard(network(lambda _: None)).missing[0]["code"] == "no_prediction"


def test_nobody_to_ask_about_is_not_asked_about() -> None:
    found = of_job(open_job(), [])
    assert not network_opinion(found, shortlist(found)).heard
