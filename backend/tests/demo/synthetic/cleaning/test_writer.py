"""Into the tables and out of them again."""

import pytest
from django.apps import apps

from demo.synthetic.cleaning.market import make_market
from demo.synthetic.cleaning.writer import is_filled, wipe, write
from sites.cleaning import models
from tandem.models import UserInteraction
from tests.demo.synthetic.cleaning.conftest import sized
from tests.support.board import did, make_startups

pytestmark = pytest.mark.django_db


def fill() -> dict[str, int]:
    said: list[str] = []
    written = write(make_market(3, sized(60, 20, 10)), seed=3, say=said.append)
    assert said == [f"{count:,} {name} written" for name, count in written.items()]
    return written


def test_everything_is_written_and_counted() -> None:
    written = fill()
    assert written["cleaning jobs"] == models.CleaningJob.objects.count() == 60
    assert written["cleaners"] == 20
    assert written["clients"] == 10
    assert written["job bids"] == models.JobBid.objects.count()
    assert written["payments"] == models.Payment.objects.count()
    assert written["events"] == UserInteraction.objects.count()


def test_wiping_takes_the_marketplace_and_its_past_and_nothing_else() -> None:
    fill()
    shown = {"request_id": "0" * 32, "score": 1.0, "rank": 1, "mode": "rule_based"}
    job, cleaner = models.CleaningJob.objects.all()[0], models.Cleaner.objects.all()[0]
    recommendation = models.JobRecommendation.objects.create(job=job, cleaner=cleaner, **shown)
    models.RecommendationFeedback.objects.create(job_recommendation=recommendation, feedback_type="too_far")
    (kept,) = make_startups(1)
    did("somebody", kept.pk)
    wipe()
    assert not any(model._default_manager.exists() for model in apps.get_app_config("cleaning").get_models())
    assert UserInteraction.objects.count() == 1
    kept.refresh_from_db()


@pytest.mark.parametrize("model", [models.Client, models.Cleaner])
def test_one_person_is_enough_to_be_filled(model: type[models.Client | models.Cleaner]) -> None:
    assert not is_filled()
    place = {"latitude": 37.9, "longitude": 23.7, "hourly_rate": 15} if model is models.Cleaner else {}
    model.objects.create(name="Maria", **place)
    assert is_filled()
