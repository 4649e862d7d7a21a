"""What leaves of people and places is coarse enough that nobody is found by it."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from sites.cleaning.api.permissions import Role
from sites.cleaning.api.serializers import CleanerSerializer, JobWithBidsSerializer
from sites.cleaning.api.visibility import VisibleJob, coarse, rounded, sees_address
from sites.cleaning.models import CleanerScore, CleaningJob
from tests.sites.cleaning import agreed, marketplace


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("Nearby location (0.2 km away)", "Nearby location (under 1 km away)"),
        ("Nearby location (3.6 km away)", "Nearby location (about 4 km away)"),
        ("Near you (12.0 km away)", "Near you (about 12 km away)"),
        ("Near you (0.96 km away)", "Near you (under 1 km away)"),
        ("High quality score (82/100)", "High quality score (82/100)"),
    ],
)
def test_a_distance_is_told_in_whole_kilometres(reason: str, told: str) -> None:
    assert coarse(reason) == told
    assert not re.search(r"\d\.\d km", told)


@pytest.mark.parametrize(
    ("value", "digits", "told"), [(None, 1, None), (float("nan"), 1, None), (84, 3, 84), (82.4591, 1, 82.5), (0.0, 0, 0.0)]
)
def test_what_is_unknown_stays_unknown_and_a_count_is_whole(value: float | None, digits: int, told: float | None) -> None:
    found = rounded(value, digits)
    assert found == told
    assert type(found) is type(told)


SEES = {Role.CLIENT: 7, Role.EVERYTHING: 7, Role.HIRED: 3, Role.CLEANER: 0}  # in how many of the seven states


@pytest.mark.parametrize("role", Role)
def test_who_is_told_the_address_and_when(role: Role) -> None:
    told = [status for status in CleaningJob.Status if sees_address(CleaningJob(status=status), role)]
    assert len(told) == SEES[role]
    if role is Role.HIRED:
        assert set(told) == {"accepted", "confirmed", "completed"}


@pytest.mark.django_db
def test_a_cleaner_is_told_without_anything_private() -> None:
    cleaner = marketplace.make_cleaner("Maria", tier="premium", latitude=37.98381, longitude=23.72751)
    parts = dict.fromkeys(("overall_score", "quality", "reliability", "experience", "bidding", "activity"), 50.0)
    CleanerScore.objects.create(cleaner=cleaner, review_count=7, **parts)
    told = CleanerSerializer(cleaner).data
    assert (told["latitude"], told["longitude"]) == (37.98, 23.73)
    assert not {"tier", "account", "is_demo", "jobs_a_week", "total_earnings", "average_bid", "usual_rate"} & set(told)
    assert (told["review_count"], told["average_rating"]) == (7, None)


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.CLEANER, Role.HIRED])
def test_a_cleaner_is_not_told_of_other_bids_or_the_clients_budget_tier(role: Role) -> None:
    client = marketplace.make_client("Nikos", budget="high")
    job = agreed.job_today(client, wanted_for=timezone.now() + timedelta(days=1))
    told = JobWithBidsSerializer(VisibleJob(job, role)).data
    assert "high" not in str(told)
    assert "bids" not in told
    assert told["own_bid"] is None
    assert ("client" in told) is (role is Role.HIRED)
