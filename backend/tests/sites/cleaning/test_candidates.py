"""Who may be shown is what the tables say this minute; filters narrow it down, and wrong ones are told."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from recommendation_service.errors import InvalidInput
from sites.cleaning.candidates import Filters, read_filters, rows_version
from sites.cleaning.models import CleaningJob, JobBid
from tandem.services.recommend import recommend_for_subjects
from tests.sites.cleaning import marketplace
from tests.sites.cleaning.engine_world import cleaner_at, cleaners_for, jobs_for, open_job, stands, who

pytestmark = pytest.mark.django_db


def test_only_cleaners_who_take_jobs_and_were_active_are_shown() -> None:
    job, here = open_job(), cleaner_at(1)
    cleaner_at(1, is_available=False)
    stands(cleaner_at(1), 90, is_active=False)
    active = cleaner_at(1)
    stands(active, 90)
    assert set(who(cleaners_for(job))) == {here.pk, active.pk}


def test_only_jobs_that_take_bids_and_lie_ahead_are_shown() -> None:
    cleaner = cleaner_at(1)
    shown = [open_job(), open_job(status="bidding")]
    for status in ("accepted", "confirmed", "completed", "cancelled", "failed"):
        open_job(status=status)
    open_job(wanted_for=timezone.now() - timedelta(minutes=1))
    assert set(who(jobs_for(cleaner), "job")) == {job.pk for job in shown}


def test_a_job_that_was_bid_for_is_not_shown_again_unless_the_bid_was_taken_back() -> None:
    cleaner, other = cleaner_at(1), cleaner_at(2)
    bid_for, taken_back, of_another = open_job(), open_job(), open_job()
    marketplace.bid(bid_for, cleaner)
    marketplace.bid(taken_back, cleaner, status=JobBid.Status.WITHDRAWN)
    marketplace.bid(of_another, other)
    assert set(who(jobs_for(cleaner), "job")) == {taken_back.pk, of_another.pk}


def test_nobody_is_shown_the_jobs_of_their_own_account() -> None:
    account = User.objects.create(username="both")
    client = marketplace.make_client(account=account)
    cleaner = cleaner_at(1, account=account)
    open_job(place=marketplace.make_place(client))
    other = open_job()
    assert who(jobs_for(cleaner), "job") == [other.pk]


def test_nobody_is_shown_beyond_how_far_they_travel() -> None:
    job = open_job()
    cleaner_at(12, reach_km=10)
    near = cleaner_at(12, reach_km=15)
    assert who(cleaners_for(job)) == [near.pk]
    assert who(jobs_for(near), "job") == [job.pk]


def test_max_distance_is_kilometres_between_home_and_property() -> None:
    job, near, far = open_job(), cleaner_at(4.9), cleaner_at(5.1)
    assert who(cleaners_for(job, filters={"max_distance": 5})) == [near.pk]
    assert jobs_for(far, filters={"max_distance": 5}) == []
    assert set(who(cleaners_for(job, filters={"max_distance": "5.2"}))) == {near.pk, far.pk}


def test_eco_is_of_whoever_is_shown_and_false_is_no_matter() -> None:
    plain, green = open_job(), open_job(eco_friendly=True)
    normal, eco = cleaner_at(1), cleaner_at(1, eco_friendly=True)
    assert who(cleaners_for(plain, filters={"eco": True})) == [eco.pk]
    assert set(who(cleaners_for(plain, filters={"eco": False}))) == {normal.pk, eco.pk}
    assert who(jobs_for(eco, filters={"eco": "true"}), "job") == [green.pk]


def test_a_job_for_eco_friendly_products_only_and_who_works_without_them_never_meet() -> None:
    plain, green = open_job(), open_job(eco_friendly=True)
    normal, eco = cleaner_at(1), cleaner_at(1, eco_friendly=True)
    assert who(cleaners_for(green)) == [eco.pk]
    assert set(who(cleaners_for(plain))) == {normal.pk, eco.pk}
    assert who(jobs_for(normal), "job") == [plain.pk]
    assert set(who(jobs_for(eco), "job")) == {plain.pk, green.pk}


def test_property_type_is_of_the_job_and_of_what_a_cleaner_does_most() -> None:
    flat, villa = open_job(), open_job(kind="villa")
    cleaner_at(1)
    known = cleaner_at(1)
    stands(known, 50, primary_property_type="villa")
    assert who(cleaners_for(flat, filters={"property_type": "villa"})) == [known.pk]
    assert who(jobs_for(known, filters={"property_type": ["villa", "office"]}), "job") == [villa.pk]


def test_prices_are_what_a_cleaner_would_ask_and_what_a_job_pays() -> None:
    cheap, dear = cleaner_at(1, rate=10), cleaner_at(1, rate=20)  # €40 and €80 for the four hours
    job, rich = open_job(budget=Decimal(60)), open_job(budget=Decimal(200))
    assert who(cleaners_for(job, filters={"max_price": 50})) == [cheap.pk]
    assert who(cleaners_for(rich, filters={"min_price": 50})) == [dear.pk]
    assert who(cleaners_for(job)) == [cheap.pk]
    assert who(jobs_for(cheap, filters={"min_price": Decimal(100)}), "job") == [rich.pk]
    assert who(jobs_for(cheap, filters={"max_price": 60}), "job") == [job.pk]


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"max_distanse": 5}, "there are max_distance, eco, property_type, min_price, max_price"),
        ({"max_distance": 0}, "above 0"),
        ({"max_distance": "far"}, "above 0"),
        ({"max_distance": float("nan")}, "above 0"),
        ({"max_distance": True}, "above 0"),
        ({"max_distance": [5]}, "above 0"),
        ({"eco": "perhaps"}, "true or false"),
        ({"eco": 1}, "true or false"),
        ({"property_type": "castle"}, "apartment, house, villa, office, holiday_let"),
        ({"property_type": []}, "apartment, house"),
        ({"property_type": 5}, "apartment, house"),
        ({"min_price": 50, "max_price": 40}, "not be above max_price"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_with_what_can(told: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as caught:
        read_filters(told)
    assert list(caught.value.fields) == [f"/filters/{next(iter(told))}"]


def test_the_version_of_all_rows_is_one_query_and_changes_with_them(django_assert_num_queries: Any) -> None:
    first, second = cleaner_at(1), cleaner_at(2)
    rows = type(first).objects.all()
    version = rows_version(rows, ("pk", "hourly_rate", "standing__overall_score"))  # Django looks for JSON support once
    with django_assert_num_queries(1):
        assert version == rows_version(rows, ("pk", "hourly_rate", "standing__overall_score"))
    others = [rows_version(rows.filter(pk=first.pk), ("pk",)), rows_version(rows.filter(pk=second.pk), ("pk",))]
    assert len({version, *others, rows_version(rows.none(), ("pk",))}) == 4
    stands(first, 50)
    assert version != rows_version(rows, ("pk", "hourly_rate", "standing__overall_score"))


def test_no_filters_and_nones_leave_everything() -> None:
    assert read_filters(None) == read_filters({"max_distance": None, "eco": None}) == Filters()


def test_a_job_that_is_over_has_no_list_and_says_why() -> None:
    cleaner_at(1)
    found = cleaners_for(open_job(status=CleaningJob.Status.CANCELLED))
    assert (found, found.degraded) == ([], True)
    assert found.degradation[0]["code"] == "nothing_left"
    assert "cancelled" in found.degradation[0]["detail"]
    late = cleaners_for(open_job(wanted_for=timezone.now() - timedelta(hours=1)))
    assert "past" in late.degradation[0]["detail"]


def test_a_budget_is_a_limit_and_its_tolerance_is_used_only_if_too_few_keep_to_it_and_reported() -> None:
    job = open_job(budget=Decimal(80))
    fair, slightly, _far = (cleaner_at(1, rate=rate) for rate in (15, 21, 30))  # €60, €84 and €120 for the four hours
    (listed,) = recommend_for_subjects(
        use_case="cleaning", surface="cleaners-for-job", subjects=[("client-1", str(job.pk))], limit=5
    )
    assert {item["item_id"] for item in listed["recommendations"]} == {str(fair.pk), str(slightly.pk)}
    assert [rule["rule"] for rule in listed["relaxed"]] == ["budget"]
    assert "1 of 2 cost up to 10% more" in listed["relaxed"][0]["detail"]
    (short,) = recommend_for_subjects(
        use_case="cleaning", surface="cleaners-for-job", subjects=[("client-1", str(job.pk))], limit=1
    )
    assert ([item["item_id"] for item in short["recommendations"]], short["relaxed"]) == ([str(fair.pk)], [])
