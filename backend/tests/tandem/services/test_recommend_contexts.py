"""Lists for something of another catalogue: cleaners for a job. An id of the one is no id of the other."""

from typing import Any

import jwt
import pytest

from recommendation_service.errors import Gone, InvalidInput, NotFound
from sites.cleaning.models import Cleaner, CleaningJob
from tandem.models import ItemKey
from tandem.services.id_mapping import catalogue_key
from tandem.services.recommend import recommend, recommend_for_subjects
from tandem.sources import source_of
from tests.sites.cleaning.marketplace import make_cleaner, make_job
from tests.support.faults import FaultServer, good
from tests.tandem.services.asking import LIMIT, Point, shown

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _without_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that declares no candidates of its own: the service's export decides."""
    for catalogue in ("cleaners", "jobs"):
        monkeypatch.setattr(source_of(catalogue), "candidates", lambda subject_ids, filters: {})


@pytest.fixture
def cleaners() -> list[Cleaner]:
    """Eight cleaners, counted from 1."""
    return [make_cleaner(pk=key) for key in range(1, 9)]


@pytest.fixture
def job() -> CleaningJob:
    """A job with the number of a cleaner."""
    return make_job(pk=3)


def for_job(job_id: Any, **changes: Any) -> dict[str, Any]:
    asked = {"use_case": "cleaning", "surface": "cleaners-for-job", "item_ids": [str(job_id)], "limit": LIMIT, **changes}
    return recommend(**asked)


def answers(cleaners: list[Cleaner]) -> Any:
    return good([str(one.pk) for one in cleaners], use_case="cleaning", surface="cleaners-for-job", user_id=None)


def test_the_cleaner_with_the_number_of_the_job_is_not_left_out(
    service_at: Point, cleaners: list[Cleaner], job: CleaningJob
) -> None:
    with FaultServer(answers(cleaners)) as server:
        service_at(server.url)
        answer = for_job(job.pk)
    assert shown(answer) == ["1", "2", "3", "4", "5"]
    assert not answer["degraded"]


def test_lists_for_many_subjects_come_from_the_export_too(service_at: Point, cleaners: list[Cleaner], job: CleaningJob) -> None:
    with FaultServer(answers(cleaners)) as server:
        service_at(server.url)
        many = recommend_for_subjects(
            use_case="cleaning", surface="cleaners-for-job", subjects=[("client-1", str(job.pk))], limit=LIMIT
        )
    assert [shown(answer) for answer in many] == [["1", "2", "3", "4", "5"]]


def test_without_the_service_it_is_not_left_out_either(service_at: Point, cleaners: list[Cleaner], job: CleaningJob) -> None:
    service_at("http://127.0.0.1:9")
    answer = for_job(job.pk, limit=8)
    assert sorted(shown(answer)) == [str(key) for key in range(1, 9)]
    assert answer["degraded"]
    assert {reason for item in answer["recommendations"] for reason in item["reasons"]} == {"New to you"}


def test_it_is_asked_as_a_service_about_the_job(service_at: Point, cleaners: list[Cleaner], job: CleaningJob) -> None:
    with FaultServer(answers(cleaners)) as server:
        service_at(server.url)
        for_job(job.pk)
    (asked,), (head,) = server.asked, server.headers
    assert (asked["item_ids"], asked["user_id"]) == (["3"], None)
    bearer = next(line.split()[-1] for line in head.splitlines() if line.lower().startswith("authorization:"))
    assert jwt.decode(bearer, options={"verify_signature": False})["scope"] == "recs:any"


def test_a_job_that_nobody_has_is_not_found_though_a_cleaner_has_that_number(cleaners: list[Cleaner]) -> None:
    with pytest.raises(NotFound, match="jobs has no such item"):
        for_job(5)


def test_a_job_that_was_taken_away_is_gone(cleaners: list[Cleaner]) -> None:
    ItemKey.objects.create(catalogue_id=catalogue_key("jobs"), item_id="5")
    with pytest.raises(Gone, match="this item of jobs no longer exists"):
        for_job(5)


def test_without_a_job_there_is_nothing_to_ask() -> None:
    with pytest.raises(InvalidInput, match="name at least one: 'cleaners-for-job' is about one of jobs"):
        recommend(use_case="cleaning", surface="cleaners-for-job", limit=LIMIT)
