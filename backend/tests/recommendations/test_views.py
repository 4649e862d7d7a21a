"""The Django view of the acceptance list answers with the engine's list, for those who may see the job."""

import pytest
from django.test import Client as Browser
from django.urls import reverse

from sites.cleaning.models import CleanerRecommendation
from tests.sites.cleaning import agreed, marketplace
from tests.sites.cleaning.engine_world import cleaner_at, open_job

pytestmark = pytest.mark.django_db
KEYS = {"cleaner", "score", "rule_based_score", "neural_score", "breakdown", "reasoning", "rank", "recommendation_id"}


def test_a_client_gets_the_recommendations_for_their_job_as_json() -> None:
    account, browser = agreed.account("nikos"), Browser()
    browser.force_login(account)
    job = open_job(place=marketplace.make_place(marketplace.make_client("Nikos", account=account)))
    near, far = cleaner_at(1), cleaner_at(5)
    response = browser.get(reverse("recommendations:recommended-cleaners", args=[job.pk]))
    assert response.status_code == 200
    assert set(response.json()) == {"recommendations"}
    assert [row["cleaner"]["id"] for row in response.json()["recommendations"]] == [near.pk, far.pk]
    assert all(set(row) == KEYS for row in response.json()["recommendations"])
    assert CleanerRecommendation.objects.filter(job=job).count() == 2


@pytest.mark.parametrize("name", ["anonymous", "olga"])
def test_others_do_not_see_whether_the_job_exists(name: str) -> None:
    browser, job = Browser(), open_job()
    if name != "anonymous":
        account = agreed.account(name)
        marketplace.make_client("Olga", account=account)
        browser.force_login(account)
    for job_id in (job.pk, 10**9):
        assert browser.get(reverse("recommendations:recommended-cleaners", args=[job_id])).status_code == 404
    assert browser.post(reverse("recommendations:recommended-cleaners", args=[job.pk])).status_code == 405
