"""The seeded platform: the same again for a seed, tastes that can be read off, and strategies that truly differ."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from demo.synthetic.courses.history import LIST_LENGTH, POLICY, WINDOW_DAYS, make_history
from demo.synthetic.simulation import SiteHistory
from sites.courses.models import Completion, Course, Enrolment, Learner
from tandem.event_sync.mirror import all_mirrors
from tandem.event_sync.sync import sync_interactions
from tandem.models import Impression, UserInteraction
from tandem.selectors import statistics
from tandem.selectors.statistics import Window

UNTIL = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def history() -> SiteHistory:
    return make_history(seed=7, users=400, items=400, events=10_000, until=UNTIL)


def test_the_same_seed_and_end_give_the_same_platform() -> None:
    first, second = (make_history(seed=3, users=60, items=80, events=900, until=UNTIL) for _ in range(2))
    assert first.events == second.events
    assert first.lists == second.lists
    names = [field.name for field in Course._meta.fields]
    told = [[[getattr(one, name) for name in names] for one in each.items] for each in (first, second)]
    assert told[0] == told[1]
    keys = [[row.pk for row in each.tables[Enrolment]] for each in (first, second)]
    assert keys[0] == keys[1] != []


def test_the_lists_ids_are_those_of_the_examples(history: SiteHistory) -> None:
    assert history.people[0].pk == "user1"
    assert history.items[0].pk == "course_python_basic"
    assert history.items[0].is_published
    assert len({course.pk for course in history.items}) == 400
    assert len({course.title for course in history.items}) == 400


def test_nothing_happens_outside_the_window_or_before_the_course_was_made(history: SiteHistory) -> None:
    created = {course.pk: course.created for course in history.items}
    for event in history.events:
        assert UNTIL - timedelta(days=WINDOW_DAYS) <= event.time < UNTIL
        assert created[event.item_id] < event.time.date()


def test_people_do_what_their_profile_says(history: SiteHistory) -> None:
    skills = {learner.pk: set(learner.skills) for learner in history.people}
    teaches = {course.pk: set(course.skills) for course in history.items}
    enrolled = [event for event in history.events if event.event == "enroll"]
    suits = sum(bool(skills[event.user_id] & teaches[event.item_id]) for event in enrolled) / len(enrolled)
    by_chance = sum(
        bool(skills[one.user_id] & teaches[other.item_id]) for one, other in zip(enrolled, enrolled[7:], strict=False)
    )
    assert suits > 0.5
    assert suits > 5 * by_chance / len(enrolled)


def test_an_event_that_answers_a_list_is_about_an_item_of_it_and_by_its_reader(history: SiteHistory) -> None:
    lists = {one.request_id: one for one in history.lists}
    answers = [event for event in history.events if event.request_id]
    assert answers
    for event in answers:
        shown = lists[event.request_id]
        assert shown.user_id == event.user_id
        assert shown.time < event.time
        assert event.item_id in {item_id for item_id, _ in shown.items}


def test_lists_are_whole_and_carry_the_chances_they_were_drawn_with(history: SiteHistory) -> None:
    assert sum(POLICY.values()) == pytest.approx(1.0)
    for one in history.lists:
        assert len({item_id for item_id, _ in one.items}) == LIST_LENGTH
        assert [score for _, score in one.items] == sorted((score for _, score in one.items), reverse=True)
        assert one.probabilities == POLICY
    drawn = Counter(one.method for one in history.lists)
    assert {arm: count / len(history.lists) for arm, count in drawn.items()} == pytest.approx(POLICY, abs=0.06)


def test_nothing_is_shown_again_after_it_was_taken_up(history: SiteHistory) -> None:
    taken: dict[str, dict[str, datetime]] = defaultdict(dict)
    for event in history.events:
        before = taken[event.user_id].get(event.item_id, event.time)
        taken[event.user_id][event.item_id] = min(before, event.time)
    for one in history.lists:
        for item_id, _ in one.items:
            assert taken[str(one.user_id)].get(item_id, UNTIL) >= one.time


def test_too_small_a_platform_is_refused() -> None:
    with pytest.raises(CommandError, match="--users must be at least 40"):
        call_command("generate_courses_data", users=3)


@pytest.mark.django_db
def test_filling_twice_needs_reset_and_reset_leaves_one_platform() -> None:
    words = {"users": 40, "items": 60, "until": UNTIL, "stdout": StringIO()}
    call_command("generate_courses_data", **words)
    counts = [model.objects.count() for model in (Course, Learner, Enrolment, Completion, UserInteraction, Impression)]
    with pytest.raises(CommandError, match="again with --reset"):
        call_command("generate_courses_data", **words)
    call_command("generate_courses_data", reset=True, **words)
    assert [model.objects.count() for model in (Course, Learner, Enrolment, Completion, UserInteraction, Impression)] == counts
    assert min(counts) > 0


@pytest.mark.django_db
def test_the_sites_own_tables_are_mirrored_already() -> None:
    call_command("generate_courses_data", users=40, items=60, until=UNTIL, stdout=StringIO())
    before = UserInteraction.objects.count()
    ids = {
        mirror.event_id(row.pk)
        for mirror in all_mirrors()
        if mirror.source.catalogue == "courses"
        for row in mirror.model._default_manager.all()
    }
    assert ids <= set(UserInteraction.objects.values_list("event_id", flat=True))
    sync_interactions()
    assert UserInteraction.objects.count() == before


@pytest.mark.django_db
def test_the_strategies_differ_as_much_as_they_know() -> None:
    call_command("generate_courses_data", users=300, items=400, until=UNTIL, stdout=StringIO())
    groups = statistics.by_method(use_case="courses", window=Window.last(WINDOW_DAYS + 1, until=UNTIL))
    rate = {group.name: group.conversion_rate for group in groups}
    assert max(rate, key=lambda name: rate[name]) == "hybrid"
    assert min(rate, key=lambda name: rate[name]) == "popularity"
    assert rate["hybrid"] > 1.3 * rate["content"]
