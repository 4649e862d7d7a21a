"""What came of a recommendation is told by the table, once, however often it is said."""

from datetime import timedelta

import pytest
from django.utils import timezone

from recommendation_service.errors import InvalidInput
from sites.cleaning.models import Cleaner, CleanerRecommendation, CleaningJob, JobBid, JobRecommendation, RecommendationFeedback
from sites.cleaning.services.outcomes import bid_was_decided, bid_was_placed, give_feedback, mark_contacted, mark_viewed
from tests.sites.cleaning import marketplace
from tests.sites.cleaning.engine_world import cleaner_at, cleaners_for, jobs_for, open_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def job() -> CleaningJob:
    return open_job()


@pytest.fixture
def maria(job: CleaningJob) -> Cleaner:
    return cleaner_at(1)


def shown_to_client(job: CleaningJob) -> CleanerRecommendation:
    return CleanerRecommendation.objects.get(pk=cleaners_for(job)[0]["recommendation_id"])


def shown_to_cleaner(cleaner: Cleaner) -> JobRecommendation:
    return JobRecommendation.objects.get(pk=jobs_for(cleaner)[0]["recommendation_id"])


def bids(job: CleaningJob, cleaner: Cleaner, **more: object) -> JobBid:
    made = marketplace.bid(job, cleaner, **more)  # type: ignore[arg-type]  # passed on as they are
    JobBid.objects.filter(pk=made.pk).update(time=timezone.now())
    made.refresh_from_db()
    return made


def test_the_first_look_counts(job: CleaningJob, maria: Cleaner) -> None:
    shown = shown_to_client(job)
    first = timezone.now()
    assert not shown.viewed
    assert mark_viewed(shown, now=first)
    assert not mark_viewed(CleanerRecommendation.objects.get(pk=shown.pk), now=first + timedelta(hours=1))
    shown.refresh_from_db()
    assert (shown.viewed, shown.viewed_at) == (True, first)


def test_a_stale_copy_learns_what_is_known(job: CleaningJob, maria: Cleaner) -> None:
    shown = shown_to_client(job)
    stale, first = CleanerRecommendation.objects.get(pk=shown.pk), timezone.now()
    mark_viewed(shown, now=first)
    mark_viewed(stale, now=first + timedelta(hours=1))
    assert stale.viewed_at == first


def test_who_is_written_to_was_seen(job: CleaningJob, maria: Cleaner) -> None:
    shown = shown_to_client(job)
    assert mark_contacted(shown)
    assert not mark_contacted(shown)
    shown.refresh_from_db()
    assert (shown.viewed, shown.contacted, shown.hired) == (True, True, False)


def test_a_bid_belongs_to_the_list_that_it_names(job: CleaningJob, maria: Cleaner) -> None:
    first, second = shown_to_cleaner(maria), shown_to_cleaner(maria)
    placed = bids(job, maria, request_id=first.request_id)
    led = bid_was_placed(placed)
    assert led == first
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.bid, first.bid_placed_at) == (placed, placed.time)
    assert not second.bid_placed


def test_a_bid_without_a_list_belongs_to_the_newest_before_it_and_stays_there(job: CleaningJob, maria: Cleaner) -> None:
    shown_to_cleaner(maria)
    second = shown_to_cleaner(maria)
    placed = bids(job, maria)
    assert bid_was_placed(placed) == second
    shown_later = JobRecommendation.objects.get(pk=second.pk)
    shown_later.pk, shown_later.request_id = None, job_request()
    shown_later.bid = shown_later.bid_placed_at = None
    shown_later.save()
    assert bid_was_placed(placed) == second
    assert JobRecommendation.objects.exclude(bid_placed_at=None).count() == 1


def job_request() -> str:
    return "99999999-9999-4999-8999-999999999999"


def test_a_bid_for_a_job_that_was_never_shown_belongs_to_no_list(job: CleaningJob, maria: Cleaner) -> None:
    shown_to_cleaner(cleaner_at(2))
    assert bid_was_placed(bids(job, maria)) is None


def test_the_decision_marks_the_winning_bid_and_the_hired_cleaner(job: CleaningJob, maria: Cleaner) -> None:
    other = cleaner_at(2)
    to_maria, to_other = shown_to_cleaner(maria), shown_to_cleaner(other)
    cleaners_for(job)
    won, lost = bids(job, maria, request_id=to_maria.request_id), bids(job, other, request_id=to_other.request_id)
    bid_was_placed(won)
    bid_was_placed(lost)
    marketplace.hire(job, won, after=1.0)
    led = bid_was_decided(job)
    bid_was_decided(job)
    to_maria.refresh_from_db()
    to_other.refresh_from_db()
    assert (to_maria.bid_accepted, to_maria.bid_accepted_at) == (True, job.accepted_at)
    assert (to_other.bid_placed, to_other.bid_accepted) == (True, False)
    hired = CleanerRecommendation.objects.exclude(hired_at=None)
    assert [one.cleaner for one in hired] == [maria]
    assert led == hired[0]


def test_of_several_lists_the_one_that_the_client_acted_on_led_to_the_hire(job: CleaningJob, maria: Cleaner) -> None:
    lists = [shown_to_client(job) for _ in range(3)]
    mark_viewed(lists[2])
    mark_contacted(lists[1])
    marketplace.hire(job, bids(job, maria), after=1.0)
    assert bid_was_decided(job) == lists[1]
    mark_contacted(lists[0])
    assert bid_was_decided(job) == lists[1]
    assert CleanerRecommendation.objects.exclude(hired_at=None).count() == 1


def test_where_nobody_is_hired_nothing_is_marked(job: CleaningJob, maria: Cleaner) -> None:
    shown_to_client(job)
    assert bid_was_decided(job) is None
    assert not CleanerRecommendation.objects.exclude(hired_at=None).exists()


def test_the_newest_word_replaces_the_older(job: CleaningJob, maria: Cleaner) -> None:
    shown = shown_to_client(job)
    first = give_feedback(shown, "helpful")
    second = give_feedback(shown, "too_far", "across the whole town")
    assert first.pk == second.pk
    assert second.created_at > first.created_at
    (said,) = RecommendationFeedback.objects.all()
    assert (said.feedback_type, said.comment, said.recommendation) == ("too_far", "across the whole town", shown)


@pytest.mark.parametrize("word", ["helpful", "not_relevant", "too_expensive", "too_far", "wrong_specialty", "other"])
def test_both_kinds_of_recommendation_take_every_stated_word(job: CleaningJob, maria: Cleaner, word: str) -> None:
    for shown in (shown_to_client(job), shown_to_cleaner(maria)):
        assert give_feedback(shown, word).recommendation == shown


def test_another_word_is_refused_with_those_there_are(job: CleaningJob, maria: Cleaner) -> None:
    shown = shown_to_client(job)
    with pytest.raises(InvalidInput, match="helpful, not_relevant, too_expensive, too_far, wrong_specialty, other"):
        give_feedback(shown, "nice")
    with pytest.raises(InvalidInput, match="the maximum is 2000"):
        give_feedback(shown, "other", "x" * 2001)
    assert not RecommendationFeedback.objects.exists()
