"""Every list that is shown is written down, whole; and a table that cannot be written costs nobody their list."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection

from sites.cleaning.models import CleanerRecommendation, JobRecommendation
from tandem.models import Impression, ImpressionItem
from tests.sites.cleaning.engine_world import cleaner_at, cleaners_for, jobs_for, open_job, stands, who

pytestmark = pytest.mark.django_db


def test_a_clients_list_is_written_with_rank_parts_reasons_and_reliability() -> None:
    job, near, far = open_job(), cleaner_at(1), cleaner_at(9)
    stands(near, 90, reliability=77.0)
    found = cleaners_for(job)
    rows = list(CleanerRecommendation.objects.order_by("rank"))
    assert [row.cleaner for row in rows] == [near, far]
    assert [row.pk for row in rows] == [one["recommendation_id"] for one in found]
    first, told = rows[0], found[0]
    assert (first.job, first.client, first.request_id, first.rank) == (job, job.client, found.request_id, 1)
    assert (first.score, first.rule_based_score, first.neural_score) == (told["score"], told["rule_based_score"], None)
    assert (first.mode, first.degraded, first.model_version) == ("rule_based", False, "")
    assert first.reasons == told["reasoning"]
    written = {name: getattr(first, name) for name in ("quality", "location", "pricing", "specialization")}
    assert written == {name: told["breakdown"][name] for name in written}
    assert (first.reliability, rows[1].reliability) == (77.0, None)


def test_a_cleaners_list_is_written_with_its_availability() -> None:
    cleaner, job = cleaner_at(1), open_job()
    found = jobs_for(cleaner)
    (row,) = JobRecommendation.objects.all()
    assert (row.job, row.cleaner, row.bid, row.rank, row.pk) == (job, cleaner, None, 1, found[0]["recommendation_id"])
    assert row.availability == found[0]["breakdown"]["availability"] == 100.0


def test_a_list_shown_twice_is_written_twice_each_with_its_own_id() -> None:
    job = open_job()
    cleaner_at(1)
    first, second = cleaners_for(job), cleaners_for(job)
    assert first.request_id != second.request_id
    assert CleanerRecommendation.objects.count() == 2


def test_statistics_know_the_list_by_the_same_id_and_person() -> None:
    job, cleaner = open_job(), cleaner_at(1)
    to_client, to_cleaner = cleaners_for(job), jobs_for(cleaner)
    for found, surface, person, item in (
        (to_client, "cleaners-for-job", f"client-{job.client_id}", cleaner),
        (to_cleaner, "jobs-for-cleaner", f"cleaner-{cleaner.pk}", job),
    ):
        shown = Impression.objects.get(pk=found.request_id)
        assert (shown.use_case, shown.surface, shown.method_used, shown.degraded) == ("cleaning", surface, "rule_based", False)
        assert shown.user is not None
        assert shown.user.user_id == person
        assert [one.item.item_id for one in ImpressionItem.objects.filter(impression=shown)] == [str(item.pk)]


def test_a_table_that_cannot_be_written_costs_nobody_their_list(caplog: pytest.LogCaptureFixture) -> None:
    job, cleaner = open_job(), cleaner_at(1)

    def disk_full(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith("INSERT"):
            raise DatabaseError("disk full")
        return execute(sql, *rest)

    with connection.execute_wrapper(disk_full):
        found = cleaners_for(job)
    assert who(found) == [cleaner.pk]
    assert found[0]["recommendation_id"] is None
    assert "shown lists wait in the spool: DatabaseError" in caplog.text
    assert "1 rows of shown lists were not recorded: DatabaseError" in caplog.text
