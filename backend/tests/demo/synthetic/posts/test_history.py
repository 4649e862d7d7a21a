"""The seeded blog: the same twice, of the stated sizes, with tastes that can be seen, and whole in every table."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from demo.synthetic.command import shares
from demo.synthetic.posts.history import DEMO_COUNTS, LIST_LENGTH, WINDOW_DAYS, make_history
from demo.synthetic.simulation import SiteHistory
from sites.posts.engagement_counters import COUNTED, recount
from sites.posts.models import Comment, Discussion, Like, Member, Post, PostType
from tandem.event_sync.sync import sync_interactions
from tandem.models import Impression, UserInteraction

UNTIL = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def history() -> SiteHistory:
    return make_history(seed=7, users=220, items=300, events=6_600, until=UNTIL)


def test_the_same_seed_and_end_give_the_same_and_another_seed_another(history: SiteHistory) -> None:
    again = make_history(seed=7, users=220, items=300, events=6_600, until=UNTIL)
    other = make_history(seed=8, users=220, items=300, events=6_600, until=UNTIL)
    assert again.events == history.events
    assert again.lists == history.lists
    assert [post.title for post in again.items] == [post.title for post in history.items]
    assert other.events != history.events


def test_posts_have_every_type_a_title_of_their_own_and_an_author_who_creates(history: SiteHistory) -> None:
    posts = history.items
    assert {post.type for post in posts} == set(PostType)
    assert len({post.title for post in posts}) == len(posts)
    assert all(post.author.is_creator and post.tags and post.excerpt and post.body for post in posts)
    assert {bool(post.image) for post in posts} == {True, False}
    for post in posts:
        post.full_clean(exclude=["author", "id"])


def test_posts_go_back_eighteen_months_with_a_fresh_share_and_a_few_to_come(history: SiteHistory) -> None:
    ages = np.array([(UNTIL - post.published_at) / timedelta(days=1) for post in history.items])
    assert 500 < ages.max() < 550
    assert 0.07 < np.mean((ages > 0) & (ages < 30)) < 0.22
    assert 0 < np.sum(ages < 0) < 15


def test_people_come_in_all_segments_and_the_demo_members_hit_their_counts_exactly(history: SiteHistory) -> None:
    share = shares(history.counts())
    assert min(share.values()) > 0.05
    demo = [
        count
        for member, count in zip(history.people, history.counts(), strict=True)
        if member.is_demo and not member.is_creator
    ]
    assert demo == list(DEMO_COUNTS)
    assert sum(member.is_demo and member.is_creator for member in history.people) == 1


def test_counted_interactions_are_what_the_events_say(history: SiteHistory) -> None:
    positive = Counter(event.user_id for event in history.events if event.event != "dislike")
    assert [positive[str(member.pk)] for member in history.people] == history.counts()


def test_events_lie_in_the_window_after_publishing_and_never_with_own_or_hidden_posts(history: SiteHistory) -> None:
    posts = {str(post.pk): post for post in history.items}
    for event in history.events:
        post = posts[event.item_id]
        assert UNTIL - timedelta(days=WINDOW_DAYS) <= event.time < UNTIL
        assert post.published_at < event.time
        assert post.is_published
        assert str(post.author.pk) != event.user_id


def test_events_are_spread_over_the_whole_window(history: SiteHistory) -> None:
    weeks = Counter((UNTIL - event.time).days // 14 for event in history.events)
    assert len(weeks) == 5
    assert min(weeks.values()) > 0.4 * max(weeks.values())


def test_tastes_can_be_seen_people_like_what_they_say_they_like(history: SiteHistory) -> None:
    posts = {str(post.pk): post for post in history.items}
    said = {str(member.pk): set(member.interests) for member in history.people if member.interests}
    fits = [posts[event.item_id].category in said[event.user_id] for event in history.events if event.user_id in said]
    by_chance = np.mean([post.category in words for post in history.items for words in said.values()])
    assert np.mean(fits) > 2 * by_chance


def test_an_answer_names_a_list_that_its_reader_was_shown_with_that_post(history: SiteHistory) -> None:
    lists = {shown.request_id: shown for shown in history.lists}
    answers = [event for event in history.events if event.request_id is not None]
    assert len(answers) > 500
    for event in answers:
        shown = lists[event.request_id]
        assert shown.user_id == event.user_id
        assert event.item_id in dict(shown.items)
        assert event.time >= shown.time


def test_shown_lists_are_sound(history: SiteHistory) -> None:
    for shown in history.lists:
        scores = [score for _, score in shown.items]
        assert scores == sorted(scores, reverse=True)
        assert 0 < len(dict(shown.items)) == len(scores) <= LIST_LENGTH


def fill(**more: object) -> str:
    out = StringIO()
    call_command("generate_posts_data", users=60, items=90, until=UNTIL, stdout=out, **more)
    return out.getvalue()


@pytest.mark.django_db
def test_the_command_fills_every_table_and_nothing_is_left_to_be_mirrored() -> None:
    said = fill()
    assert "90 posts, 60 members, " in said
    assert said.rstrip().endswith("next: manage.py generate_all_datasets")
    events = UserInteraction.objects.count()
    assert Impression.objects.count() > 0
    assert Like.objects.count() == UserInteraction.objects.filter(kind__name="like").count()
    assert Comment.objects.filter(parent__isnull=False).exists()
    assert set(sync_interactions().values()) == {0}
    assert UserInteraction.objects.count() == events


@pytest.mark.django_db
def test_the_counts_it_writes_are_those_that_a_recount_finds() -> None:
    fill()
    fields = ("pk", *COUNTED.values())
    before = list(Post.objects.order_by("pk").values_list(*fields))
    assert sum(sum(row[1:]) for row in before) > 0
    recount([row[0] for row in before])
    assert list(Post.objects.order_by("pk").values_list(*fields)) == before


@pytest.mark.django_db
def test_it_refuses_to_mix_and_replaces_only_when_told_to() -> None:
    fill()
    creator = Member.objects.filter(is_creator=True).first()
    Discussion.objects.create(creator=creator, insight="views", sentence="x", day=UNTIL.date())
    with pytest.raises(CommandError, match="--reset"):
        fill()
    titles = set(Post.objects.values_list("title", flat=True))
    fill(reset=True)
    assert set(Post.objects.values_list("title", flat=True)) == titles
    assert not Discussion.objects.exists()


@pytest.mark.django_db
def test_the_next_post_gets_a_number_of_its_own() -> None:
    fill()
    author = Member.objects.filter(is_creator=True).first()
    assert Post.objects.create(title="New", body="x", category="python", author=author).pk == 91


@pytest.mark.django_db
@pytest.mark.parametrize("sizes", [{"users": 3}, {"items": 3}])
def test_a_blog_too_small_to_show_anything_is_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(CommandError, match="at least"):
        call_command("generate_posts_data", **{"users": 60, "items": 90, **sizes})
    assert not Post.objects.exists()
