"""The marketplace's engine against the real service: both halves score a pair alike, and neither needs the other to answer."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from werkzeug.serving import make_server

from recommendation_service.app import create_app
from recommendation_service.domain.request import RecommendationRequest as ServiceRequest
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.tests.support import market
from recommendation_service.tests.support.service import settings_under
from sites.cleaning.candidates import cleaners_for_jobs, jobs_for_cleaners
from sites.cleaning.models import Cleaner, CleaningJob
from sites.cleaning.services.recommendations import RecommendationEngine
from tandem.exports.datasets import export_catalogue
from tandem.service_client.client import RecommendationClient
from tandem.services.pair_lists import ScoredPairs, ServiceScores, score_pairs, service_scores
from tandem.services.recommend import recommend
from tandem.services.recommendation_request import RecommendationRequest
from tandem.sources import source_of
from tandem.surfaces import bound_surface
from tests.sites.cleaning import marketplace
from tests.sites.cleaning.engine_world import cleaner_at, cleaners_for, jobs_for, open_job, stands, who

pytestmark = pytest.mark.django_db(transaction=True)
Point = Callable[[str], RecommendationClient]


@pytest.fixture
def cleaners() -> list[Cleaner]:
    """Six of all kinds: of different distance, price and standing, one who joined just now."""
    made = [cleaner_at(2.0 * place, rate=11 + place, eco_friendly=place % 2 == 0) for place in range(6)]
    for place, one in enumerate(made[:5]):
        kind = ("apartment", "house", "villa")[place % 3]
        stands(
            one,
            40.0 + 10 * place,
            primary_property_type=kind,
            eco_percentage=20.0 * place,
            average_rating=7.5,
            on_time_rate=0.9,
        )
    return made


@pytest.fixture
def jobs(cleaners: list[Cleaner]) -> list[CleaningJob]:
    return [open_job(kind=kind, eco_friendly=kind == "house", hours=3) for kind in ("apartment", "house", "villa")]


@pytest.fixture
def app(tmp_path: Path, jobs: list[CleaningJob], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The real app over an export of this database, without a model yet."""
    for name in ("cleaners", "jobs"):
        source = source_of(name)
        assert source is not None
        export_catalogue(source=source, data_dir=tmp_path / "data", fresh=[name], say=lambda *_: None)
    monkeypatch.setattr("recommendation_service.core.threads.check", lambda: None)  # the test process loaded numpy long before
    keys = settings.TANDEM["SIGNING_KEYS"]
    return create_app(settings_under(tmp_path, RS_SIGNING_KEYS=keys, RS_USE_CASES="cleaning"))


@pytest.fixture
def service(app: Any, service_at: Point) -> Iterator[RecommendationClient]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    client = service_at(f"http://127.0.0.1:{server.port}")
    client._deadline_s = 10.0  # a busy machine must not turn a slow answer into a fallback
    yield client
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.fixture
def network(tmp_path: Path, jobs: list[CleaningJob], cleaners: list[Cleaner]) -> None:
    """A network of random weights that knows all three clients and the first two cleaners."""
    arrays = market.network(clients=3, cleaners=2)
    arrays["first_ids"] = encoded("", *(str(job.client_id) for job in jobs))
    arrays["second_ids"] = encoded("", *(str(one.pk) for one in cleaners[:2]))
    arrays["feature_mean"] = np.zeros_like(arrays["feature_mean"])
    ArtifactStore(tmp_path / "models" / "cleaners").publish(
        "neural", arrays, catalogue="cleaners", parameters=market.told_features(), dataset={"fingerprint": "x"}, metrics={}
    )


def encoded(*words: str) -> Any:
    return np.array(sorted(word.encode() for word in words))


def request_on(surface: str) -> RecommendationRequest:
    return RecommendationRequest(bound_surface("cleaning", surface), None, 100, {}, explain=True, strategy="ensemble")


def scored(subject: CleaningJob | Cleaner) -> ScoredPairs:
    if isinstance(subject, CleaningJob):
        return score_pairs(request_on("cleaners-for-job"), cleaners_for_jobs([str(subject.pk)], {})[str(subject.pk)], 100)
    return score_pairs(request_on("jobs-for-cleaner"), jobs_for_cleaners([str(subject.pk)], {})[str(subject.pk)], 100)


def by_network(subject: CleaningJob | Cleaner, found: ScoredPairs) -> ServiceScores:
    surface = "cleaners-for-job" if isinstance(subject, CleaningJob) else "jobs-for-cleaner"
    return service_scores(request_on(surface), found, ["neural"])


def whole(found: ScoredPairs) -> dict[str, Any]:
    """The question with every column of both sides, for the service's own rules."""

    def told(side: Any, row: int) -> dict[str, Any]:
        numbers = {name: float(column[row]) for name, column in side.numbers.items() if not np.isnan(column[row])}
        return {"numbers": numbers, "text_columns": {name: str(column[row]) for name, column in side.text_columns.items()}}

    rows = range(len(found.side))
    offers = [{"item_id": found.side.ids[row], **told(found.side, row)} for row in rows]
    return {
        "limit": len(offers), "explain": True, "strategy": "rule_based",
        "context": {"id": found.subject.ids[0], **told(found.subject, 0)}, "offers": offers,
    }  # fmt: skip


@pytest.mark.parametrize("way", ["cleaners-for-job", "jobs-for-cleaner"])
def test_rules_in_django_are_the_services_rules_for_the_same_pair(
    service: RecommendationClient, jobs: list[CleaningJob], cleaners: list[Cleaner], way: str
) -> None:
    subjects: list[Any] = list(jobs if way == "cleaners-for-job" else cleaners)
    for subject in subjects:
        found = scored(subject)
        request = ServiceRequest.model_validate_json(json.dumps(whole(found)))
        answer = service.recommend(request, use_case="cleaning", surface=way, as_service=True).answer
        assert answer["method_used"] == "rule_based"
        assert len(answer["recommendations"]) == len(found.side) > 0
        for item in answer["recommendations"]:
            row = found.side.ids.index(item["item_id"])
            assert item["parts"].pop("rule_based") == pytest.approx(float(found.rules.total[row]), abs=1e-3)
            own = {name: float(part[row]) for name, part in found.rules.parts.items() if not np.isnan(part[row])}
            assert item["parts"] == pytest.approx(own, abs=1e-3)


@pytest.mark.usefixtures("network", "service")
def test_the_networks_scores_come_back_for_every_pair_whichever_side_asks(
    jobs: list[CleaningJob], cleaners: list[Cleaner]
) -> None:
    table = {}
    for job in jobs:
        found = scored(job)
        served = by_network(job, found)
        assert (served.skips, served.model_versions) == ([], ["neural_v1"])
        for row, score in zip(found.shortlist.tolist(), served.members["neural"], strict=True):
            table[job.pk, int(found.side.ids[row])] = score
    compared = 0
    for cleaner in cleaners:
        found = scored(cleaner)
        for row, score in zip(found.shortlist.tolist(), by_network(cleaner, found).members["neural"], strict=True):
            assert score == pytest.approx(table[int(found.side.ids[row]), cleaner.pk], abs=0.01)
            compared += 1
    assert compared == len(table)
    assert len(set(table.values())) > len(table) / 2


@pytest.mark.usefixtures("network", "service")
def test_only_people_whom_the_network_knows_have_a_collaborative_part(jobs: list[CleaningJob], cleaners: list[Cleaner]) -> None:
    found = scored(jobs[0])
    served = by_network(jobs[0], found)
    known = {
        found.side.ids[row]: not np.isnan(value)
        for row, value in zip(found.shortlist, served.parts["collaborative"], strict=True)
    }
    assert known == {str(cleaner.pk): place < 2 for place, cleaner in enumerate(cleaners)}
    assert served.known(len(cleaners)).all()


@pytest.mark.usefixtures("network", "service")
def test_the_whole_flow_with_a_network(jobs: list[CleaningJob], cleaners: list[Cleaner]) -> None:
    found = RecommendationEngine().recommend_cleaners_for_job(jobs[0], limit=10)
    assert (found.mode, found.degraded, found.degradation, found.model_version) == ("ensemble", False, [], "neural_v1")
    assert len(found) == len(cleaners)
    for row in found:
        assert row["rule_based_score"] is not None
        assert row["neural_score"] is not None
        assert row["score"] == pytest.approx(0.6 * row["rule_based_score"] + 0.4 * row["neural_score"], abs=0.02)
        assert row["reasoning"]
    assert [row["score"] for row in found] == sorted((row["score"] for row in found), reverse=True)
    by_network = cleaners_for(jobs[0], "neural")
    assert [row["neural_score"] for row in by_network] == sorted((row["neural_score"] for row in found), reverse=True)  # type: ignore[type-var]  # none is None
    back = jobs_for(cleaners[0], "ensemble")
    (same,) = [row for row in back if row["job"] == jobs[0]]
    (there,) = [row for row in found if row["cleaner"] == cleaners[0]]
    assert same["score"] == pytest.approx(there["score"], abs=0.02)


def scores(found: Any) -> list[float]:
    return [row["score"] for row in found]


@pytest.mark.usefixtures("network", "service")
def test_a_job_and_a_cleaner_newer_than_the_export_are_judged_by_the_network_too() -> None:
    newcomer = cleaner_at(1, joined_days_ago=0)
    job = open_job(place=marketplace.make_place(marketplace.make_client("Just now")))
    (row,) = [row for row in cleaners_for(job, "ensemble") if row["cleaner"] == newcomer]
    assert row["neural_score"] is not None
    assert "New here: no jobs or reviews yet" in row["reasoning"]


@pytest.mark.usefixtures("service")
def test_a_service_without_a_network_leaves_the_rules_and_says_why(jobs: list[CleaningJob]) -> None:
    found = cleaners_for(jobs[0], "ensemble")
    alone = cleaners_for(jobs[0], "rule_based")
    assert (found.mode, found.degraded, found.degradation[0]["code"]) == ("rule_based", True, "not_trained")
    assert (who(found), scores(found)) == (who(alone), scores(alone))


WITHOUT_TORCH = """
import sys
for name in ("torch", "implicit", "sklearn", "flask"):
    sys.modules[name] = None  # any import of it fails
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from recommendations.services.recommendation_engine import RecommendationEngine
from tests.sites.cleaning.engine_world import cleaner_at, open_job
job, cleaner = open_job(), cleaner_at(1)
for mode in ("rule_based", "ensemble", "neural"):
    found = RecommendationEngine(mode=mode).recommend_cleaners_for_job(job=job)
    print(mode, found.mode, found.degraded, found[0]["cleaner"] == cleaner)
"""


def test_rules_answer_without_any_learning_library_and_without_the_service() -> None:
    root = Path(settings.BASE_DIR).parent
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH],
        env={"DJANGO_SETTINGS_MODULE": "config.settings.test", "PYTHONPATH": f"{root}:{root / 'backend'}"},
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:3] == [
        "rule_based rule_based False True",
        "ensemble rule_based True True",
        "neural rule_based True True",
    ]


def by_number(surface: str, thing: CleaningJob | Cleaner) -> dict[str, float]:
    """What the service says when it is told nothing but an id: scores by id."""
    answer = recommend(use_case="cleaning", surface=surface, item_ids=[str(thing.pk)], strategy="rule_based", limit=10)
    assert (answer["method_used"], answer["degraded"]) == ("rule_based", False)
    return {item["item_id"]: item["score"] for item in answer["recommendations"]}


@pytest.mark.usefixtures("service")
def test_asked_by_a_number_alone_the_export_says_what_the_tables_say(
    jobs: list[CleaningJob], cleaners: list[Cleaner], monkeypatch: pytest.MonkeyPatch
) -> None:
    for job in jobs:
        live = {str(row["cleaner"].pk): row["score"] for row in cleaners_for(job, "rule_based")}
        with monkeypatch.context() as patch:
            patch.setattr(source_of("cleaners"), "candidates", lambda subject_id, filters: None)
            assert of(live, by_number("cleaners-for-job", job)) == pytest.approx(live, abs=0.02)
    for cleaner in cleaners:
        live = {str(row["job"].pk): row["score"] for row in jobs_for(cleaner, "rule_based")}
        with monkeypatch.context() as patch:
            patch.setattr(source_of("jobs"), "candidates", lambda subject_id, filters: None)
            assert of(live, by_number("jobs-for-cleaner", cleaner)) == pytest.approx(live, abs=0.02)


def of(live: dict[str, float], found: dict[str, float]) -> dict[str, float]:
    """The service's scores of those whom the tables allow: what forbids a pair outright is Django's to know."""
    assert live
    return {key: score for key, score in found.items() if key in live}
