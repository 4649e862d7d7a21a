"""Lists from a site's own candidates: what the service is asked, what is believed, and how the scores are blended."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

from recommendation_service.core.numeric import Floats
from recommendation_service.datasets.pair_features import PairTable
from recommendation_service.datasets.pair_rules import RuleScores
from recommendation_service.domain.side import PairSide
from recommendation_service.errors import ConfigurationError
from sites.cleaning.candidates import NO_REASON, _reasons, cleaners_for_jobs, jobs_for_cleaners
from sites.cleaning.models import Cleaner, CleaningJob
from tandem.service_client.client import RecommendationClient
from tandem.services.pair_lists import (
    ScoredPairs,
    ServiceScores,
    pair_config_of,
    ranked_items,
    rules_engine,
    rules_of,
    score_pairs,
    service_scores,
    weights_of,
)  # fmt: skip
from tandem.services.recommendation_request import RecommendationRequest
from tandem.sources import CandidateSet
from tandem.surfaces import bound_surface
from tandem.use_cases import load
from tests.sites.cleaning import marketplace
from tests.sites.cleaning.engine_world import cleaner_at, cleaners_for, jobs_for, open_job, stands
from tests.support.faults import Behaviour, FaultServer
from tests.support.network import always, network, questions

Point = Callable[[str], RecommendationClient]
CLEANERS, JOBS = "cleaners-for-job", "jobs-for-cleaner"
NAN = float("nan")
PARTS = ("quality", "location", "specialization", "pricing", "availability")


def request(surface: str = CLEANERS, **more: Any) -> RecommendationRequest:
    values = {"user_id": None, "limit": 100, "filters": {}, "explain": True, "strategy": "ensemble", **more}
    return RecommendationRequest(bound_surface("cleaning", surface), **values)


def scored(subject: CleaningJob | Cleaner, limit: int = 100) -> ScoredPairs:
    if isinstance(subject, CleaningJob):
        return score_pairs(request(), cleaners_for_jobs([str(subject.pk)], {})[str(subject.pk)], limit)
    return score_pairs(request(JOBS), jobs_for_cleaners([str(subject.pk)], {})[str(subject.pk)], limit)


def ask(subject: CleaningJob | Cleaner) -> ServiceScores:
    surface = CLEANERS if isinstance(subject, CleaningJob) else JOBS
    return service_scores(request(surface), scored(subject), ["neural"])


@pytest.fixture
def served(service_at: Point, db: None) -> Callable[..., ServiceScores]:
    """The scores of a service that behaves so, of one job and three cleaners, the nearest first."""

    def scores(behave: Behaviour) -> ServiceScores:
        job = open_job()
        for km in (1, 5, 9):
            cleaner_at(km)
        with FaultServer(behave) as server:
            service_at(server.url)
            return ask(job)

    return scores


@pytest.mark.django_db
def test_the_service_is_asked_exactly_what_its_models_read_and_nobodys_name(service_at: Point) -> None:
    job, maria = open_job(), marketplace.make_cleaner("Maria", hourly_rate=15)
    stands(maria, 80, primary_property_type="apartment", average_rating=8.5)
    with FaultServer(always(50)) as server:
        service_at(server.url)
        ask(job)
    (asked,) = questions(server)
    context, (offer,) = asked["context"], asked["offers"]
    assert (asked["strategy"], asked["explain"], asked["limit"]) == ("neural", True, 1)
    assert context["id"] == str(job.pk)
    assert context["text_columns"] == {"property_type": "apartment", "client_id": str(job.client_id)}
    assert (context["numbers"]["size_m2"], context["numbers"]["hours"]) == (80.0, 4.0)
    assert offer["item_id"] == str(maria.pk)
    assert (offer["numbers"]["bid"], offer["numbers"]["distance_km"]) == (60.0, 0.0)  # €15 for four hours, next door
    assert (offer["numbers"]["overall_score"], offer["numbers"]["average_rating"]) == (80.0, 8.5)
    assert set(context["numbers"]) | set(offer["numbers"]) <= {
        feature.name for feature in pair_config_of(load("cleaning")).features
    }
    assert "Maria" not in json.dumps(asked)


@pytest.mark.django_db
def test_unknown_values_are_left_out_of_the_request(service_at: Point) -> None:
    job = open_job()
    cleaner_at(1)
    with FaultServer(always(50)) as server:
        service_at(server.url)
        ask(job)
    numbers = questions(server)[0]["offers"][0]["numbers"]
    assert "average_rating" not in numbers
    assert all(value == value for value in numbers.values())


@pytest.mark.django_db
def test_a_hundred_offers_are_well_within_what_the_service_takes(service_at: Point) -> None:
    job = open_job()
    for person in [cleaner_at(1) for _ in range(100)]:
        stands(person, 61.234567, **dict.fromkeys(("quality_score", "communication_score", "timeliness_score"), 77.7777777))
    with FaultServer(always(50)) as server:
        service_at(server.url)
        assert ask(job).known(100).all()
    (length,) = [int(line[16:]) for line in server.headers[0].split("\r\n") if line.lower().startswith("content-length: ")]
    assert length < 60_000


@pytest.mark.django_db
def test_in_the_other_direction_the_cleaner_is_the_context_and_jobs_are_offered(service_at: Point) -> None:
    job, maria = open_job(), cleaner_at(3)
    with FaultServer(always(64)) as server:
        service_at(server.url)
        assert ask(maria).members["neural"].tolist() == [64.0]
    (asked,) = questions(server)
    assert asked["context"]["id"] == str(maria.pk)
    assert asked["offers"][0]["item_id"] == str(job.pk)
    assert asked["offers"][0]["text_columns"] == {"property_type": "apartment", "client_id": str(job.client_id)}
    assert asked["offers"][0]["numbers"]["bid"] == 60.0


def test_scores_come_back_in_the_order_of_the_shortlist(served: Callable[..., ServiceScores]) -> None:
    scores = iter((10.0, 90.0, 50.0))
    given: dict[str, float] = {}
    answer = served(network(lambda item_id: given.setdefault(item_id, next(scores))))
    assert answer.members["neural"].tolist() == [10.0, 90.0, 50.0]
    assert answer.parts["collaborative"].tolist() == [10.0, 90.0, 50.0]
    assert (answer.model_versions, answer.state, answer.skips) == (["neural_v7"], "state-1", [])


def test_a_pair_that_the_service_leaves_out_has_no_prediction(served: Callable[..., ServiceScores]) -> None:
    scores = iter((10.0, None, 50.0))
    given: dict[str, float | None] = {}
    answer = served(network(lambda item_id: given.setdefault(item_id, next(scores))))
    assert answer.known(3).tolist() == [True, False, True]
    (skip,) = answer.skips
    assert (skip["code"], "1 of 3" in skip["detail"]) == ("partial", True)


def test_a_part_that_the_service_does_not_know_stays_unknown(served: Callable[..., ServiceScores]) -> None:
    answer = served(without_collaborative)
    assert "collaborative" not in answer.parts
    assert answer.parts["content"].tolist() == [55.0] * 3


def without_collaborative(server: FaultServer, accepted: Any, request: dict[str, Any]) -> bool:
    parts = {"neural": 55.0, "content": 55.0, "alpha": 0.0}
    rows = [
        {"item_id": offer["item_id"], "title": "", "score": 0.5, "position": place, "reasons": [], "parts": parts}
        for place, offer in enumerate(request.get("offers", []), start=1)
    ]
    return always(0, recommendations=rows)(server, accepted, request)


@pytest.mark.parametrize("score", [-0.1, 100.1])
def test_scores_beyond_the_scale_are_refused_whole(served: Callable[..., ServiceScores], score: float) -> None:
    answer = served(always(score))
    assert not answer.known(3).any()
    assert answer.skips[0]["code"] == "bad_answer"


def test_a_service_without_a_network_gives_its_own_reason(served: Callable[..., ServiceScores]) -> None:
    why = [
        {"engine": "popular", "code": "failed", "detail": "not this"},
        {"engine": "neural", "code": "not_trained", "detail": "no neural model is published"},
    ]
    answer = served(always(50, method_used="rule_based", degraded=True, degradation=why))
    assert not answer.known(3).any()
    assert answer.skips == [{"engine": "neural", "code": "not_trained", "detail": "no neural model is published"}]


def test_the_list_of_another_engine_is_no_prediction(served: Callable[..., ServiceScores]) -> None:
    (skip,) = served(always(50, method_used="popular")).skips
    assert skip["code"] == "no_prediction"
    assert "popular" in skip["detail"]


def test_an_empty_answer_is_no_prediction(served: Callable[..., ServiceScores]) -> None:
    assert served(network(lambda _: None)).skips[0]["code"] == "no_prediction"


@pytest.mark.django_db
def test_without_candidates_the_service_is_not_asked(service_at: Point) -> None:
    with FaultServer(always(50)) as server:
        service_at(server.url)
        assert not ask(open_job()).members
    assert server.asked == []


def floats(*values: float) -> Floats:
    return np.array(values, dtype=np.float32)


def pairs(
    totals: Sequence[float], *, known: float = 5.0, shortlist: Sequence[int] | None = None, **parts: float
) -> ScoredPairs:
    """Pairs with these totals of the rules; `parts` are of every pair, the others unknown; `known` jobs and reviews each."""
    n = len(totals)
    columns = {name: np.full(n, known, dtype=np.float32) for name in ("review_count", "total_jobs", "overall_score")}
    columns |= {name: np.full(n, 5.0, dtype=np.float32) for name in ("distance_km", "bid", "budget")}
    rules = RuleScores(floats(*totals), {name: np.full(n, parts.get(name, NAN), dtype=np.float32) for name in PARTS})
    side = PairSide(tuple(str(number + 1) for number in range(n)))
    rows = np.array(range(n) if shortlist is None else shortlist, dtype=np.int64)
    return ScoredPairs(PairSide(("5",)), side, PairTable(n, columns, {}), rules, rows, np.zeros(n, dtype=np.bool_))


def by_service(*scores: float, **parts: float) -> ServiceScores:
    columns = {name: np.full(len(scores), value, dtype=np.float32) for name, value in parts.items()}
    return ServiceScores({"neural": floats(*scores)}, columns, model_versions=["neural_v1"])


def items(
    found: ScoredPairs,
    answer: ServiceScores | None = None,
    *,
    surface: str = CLEANERS,
    strategy: str = "ensemble",
    **weights: float,
) -> list[dict[str, Any]]:
    catalogue = "cleaners" if surface == CLEANERS else "jobs"
    candidates = CandidateSet(
        found.subject, rows=Cleaner.objects.none(), version="1", weights=(lambda: weights) if weights else None,
        reasons=partial(_reasons, catalogue),
    )  # fmt: skip
    return ranked_items(request(surface, strategy=strategy), candidates, found, answer or ServiceScores())


def order(rows: list[dict[str, Any]]) -> list[str]:
    return [row["item_id"] for row in rows]


def test_the_score_is_six_tenths_rules_and_four_tenths_network() -> None:
    (row,) = items(pairs([85.0]), by_service(92.0))
    assert (row["score"], row["parts"]["rule_based"], row["parts"]["neural"]) == (87.8, 85.0, 92.0)


def test_where_the_network_has_no_prediction_the_rules_score_alone() -> None:
    first, second = items(pairs([80.0, 70.0]), by_service(20.0, NAN))
    assert (second["item_id"], second["score"], second["parts"]["neural"]) == ("1", 56.0, 20.0)
    assert (first["item_id"], first["score"], "neural" in first["parts"]) == ("2", 70.0, False)


def test_neural_is_the_networks_order_with_the_scores_of_the_rules_beside_it() -> None:
    rows = items(pairs([90.0, 80.0, 70.0], quality=75.0), by_service(10.0, 50.0, 99.0), strategy="neural")
    assert order(rows) == ["3", "2", "1"]
    assert [row["score"] for row in rows] == [99.0, 50.0, 10.0]
    assert (rows[0]["parts"]["rule_based"], rows[0]["parts"]["quality"]) == (70.0, 75.0)


def test_ties_go_to_the_better_by_rules_then_to_the_older() -> None:
    even = {"rule_based": 0.5, "neural": 0.5}
    rows = items(pairs([60.0, 80.0, 60.0, 60.0]), by_service(50.0, 20.0, 50.0, 50.0), **even)
    assert order(rows) == ["1", "3", "4", "2"]
    assert [(row["item_id"], row["score"]) for row in items(pairs([60.0, 80.0]), by_service(70.0, 50.0), **even)] == [
        ("2", 65.0),
        ("1", 65.0),
    ]


def test_only_shortlisted_pairs_are_shown_and_no_more_than_the_limit() -> None:
    rows = items(pairs([10.0, 90.0, 50.0, 40.0], shortlist=[2, 0]))
    assert order(rows) == ["3", "1"]


def test_an_unknown_part_is_absent_and_never_zero() -> None:
    (row,) = items(pairs([50.0], location=90.0))
    assert row["parts"] == {"rule_based": 50.0, "location": 90.0}


def test_reasons_begin_with_what_adds_most() -> None:
    (row,) = items(pairs([90.0], quality=90.0, location=85.0, known=90.0))
    assert row["reasons"] == ["High quality score (90/100)", "Nearby location (5.0 km away)"]


@pytest.mark.parametrize(
    ("surface", "parts", "reason"),
    [
        (CLEANERS, {"collaborative": 90.0}, "Clients like this one rate them highly"),
        (CLEANERS, {"content": 90.0}, "Cleaners like them did jobs like this one well"),
        (JOBS, {"collaborative": 90.0, "content": 85.0}, "Clients like this one rate you highly"),
        (JOBS, {"content": 90.0, "collaborative": 85.0}, "Cleaners like you did jobs like this one well"),
    ],
)
def test_a_strong_half_of_the_network_is_a_reason(surface: str, parts: dict[str, float], reason: str) -> None:
    (row,) = items(pairs([50.0]), by_service(90.0, **parts), surface=surface)
    assert row["reasons"] == [reason]


def test_a_weak_or_unknown_half_of_the_network_is_no_reason() -> None:
    assert items(pairs([50.0]), by_service(95.0))[0]["reasons"] == [NO_REASON]
    assert items(pairs([50.0]), by_service(95.0, collaborative=79.0, content=79.0))[0]["reasons"] == [NO_REASON]


def test_a_new_cleaner_is_reported_as_new() -> None:
    assert items(pairs([50.0], known=0.0))[0]["reasons"] == ["New here: no jobs or reviews yet"]
    assert "You are new here" in items(pairs([50.0], known=NAN), surface=JOBS)[0]["reasons"][0]


def test_the_weights_are_those_of_the_file_unless_the_site_overrides_them() -> None:
    plain = CandidateSet(PairSide(("5",)), rows=Cleaner.objects.none(), version="1")
    assert weights_of(request(), plain) == {"rule_based": 0.6, "neural": 0.4}
    assert weights_of(request(strategy="rule_based"), plain) == {"rule_based": 1.0}
    assert weights_of(request(strategy="neural"), plain) == {"neural": 1.0}
    changed = CandidateSet(
        PairSide(("5",)), rows=Cleaner.objects.none(), version="1", weights=lambda: {"rule_based": 1.0, "neural": 0.0}
    )
    assert weights_of(request(), changed) == {"rule_based": 1.0}


def test_a_use_case_without_pairs_or_rules_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"shop.toml: has no"):
        pair_config_of(load("shop"))
    with pytest.raises(ConfigurationError, match=r"shop.toml: has no engine of kind attributes"):
        rules_engine(load("shop"))


@pytest.mark.django_db
def test_both_sides_of_a_pair_see_the_same_score_and_the_same_parts() -> None:
    job, cleaner = open_job(eco_friendly=True), cleaner_at(4, rate=19, eco_friendly=True)
    stands(cleaner, 72, primary_property_type="apartment", eco_percentage=25.0)
    (to_client,), (to_cleaner,) = cleaners_for(job), jobs_for(cleaner)
    assert to_client["score"] == to_cleaner["score"] > 0
    assert to_client["breakdown"] == to_cleaner["breakdown"]
    assert to_client["reasoning"] != to_cleaner["reasoning"]  # each is for its own reader


def test_the_parts_are_those_of_the_use_case_file() -> None:
    assert tuple(rule.name for rule in rules_of("cleaning")) == PARTS
    assert sum(rule.weight for rule in rules_of("cleaning")) == pytest.approx(1.0)


@pytest.mark.django_db
def test_the_score_is_the_weighted_mean_of_the_parts() -> None:
    job, cleaner = open_job(), cleaner_at(4, rate=19)
    stands(cleaner, 72, primary_property_type="apartment")
    (row,) = cleaners_for(job)
    weights = {rule.name: rule.weight for rule in rules_of("cleaning")}
    parts = {name: value for name, value in row["breakdown"].items() if value is not None}
    assert set(parts) == set(weights)
    assert row["score"] == pytest.approx(sum(weights[name] * value for name, value in parts.items()), abs=0.02)


@pytest.mark.django_db
def test_the_same_pair_is_described_alike_whichever_side_asks(service_at: Point) -> None:
    job, cleaner = open_job(), cleaner_at(3)
    with FaultServer(always(50)) as server:
        service_at(server.url)
        ask(job)
        ask(cleaner)
    to_client, to_cleaner = ({**one["context"]["numbers"], **one["offers"][0]["numbers"]} for one in questions(server))
    assert to_client == to_cleaner
    assert to_client["distance_km"] == pytest.approx(3.0, abs=1e-3)
