"""The blog's own rows: defaults, what is refused, and what is public."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from sites.posts.models import Bookmark, Comment, Like, Member, Post
from sites.posts.recommendation_sources import Posts
from tests.support import blog

pytestmark = pytest.mark.django_db


def test_a_member_begins_with_the_colour_and_size_of_the_acceptance_list() -> None:
    member = Member.objects.create(name="Ada")
    member.refresh_from_db()
    assert (member.accent_color, member.font_size, member.is_creator) == ("#1f9cee", 14, False)


@pytest.mark.parametrize("color", ["red", "#1f9ce", "#1f9ceez", "1f9cee", "#1f9cee;", "#1f9cee\n", "", "#xyzxyz", "url(x)"])
def test_a_colour_is_six_hexadecimal_digits_and_nothing_else(color: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Member(name="Ada", accent_color=color).full_clean()
    assert set(caught.value.message_dict) == {"accent_color"}


@pytest.mark.parametrize("size", [9, 25, -1, 1000])
def test_letters_too_small_or_too_large_to_read_are_refused(size: int) -> None:
    with pytest.raises(ValidationError) as caught:
        Member(name="Ada", font_size=size).full_clean()
    assert set(caught.value.message_dict) == {"font_size"}


@pytest.mark.parametrize("table", [Like, Bookmark])
def test_liking_or_keeping_twice_is_once(table: type[Like] | type[Bookmark], rob: Member, posts: list[Post]) -> None:
    table.objects.create(member=rob, post=posts[0])
    with pytest.raises(IntegrityError), transaction.atomic():
        table.objects.create(member=rob, post=posts[0])


def test_drafts_and_planned_posts_are_not_public_until_their_time(cara: Member) -> None:
    now = timezone.now()
    kinds = {"out": {}, "draft": {"is_published": False}, "planned": {"published_at": now + timedelta(hours=1)}}
    for title, more in kinds.items():
        Post.objects.create(title=title, body="x", category="python", author=cara, **more)
    assert [post.title for post in Post.objects.published()] == ["out"]
    Post.objects.filter(title="planned").update(published_at=now - timedelta(seconds=1))
    assert {post.title for post in Posts.items()} == {"out", "planned"}


def test_an_image_is_under_the_media_address_or_empty(posts: list[Post]) -> None:
    assert posts[0].image_url == "/media/posts/python.svg"
    assert posts[1].image_url == ""


def test_a_post_is_exported_with_type_category_tags_and_words(posts: list[Post]) -> None:
    record = Posts.record(posts[0])
    assert record.item_id == str(posts[0].pk)
    assert record.attributes == {"type": ("blog",), "category": ("python",), "tags": ("testing", "typing")}
    assert record.text == "Post 000 . About python . Words."
    assert record.created_at == posts[0].published_at.timestamp()


def test_a_members_interests_are_their_profile() -> None:
    assert Posts.profile(Member(name="A", interests=["python", "maps"])) == {"interests": ("python", "maps")}
    assert Posts.profile(Member(name="A")) == {}


@pytest.mark.parametrize(
    ("member", "said"),
    [
        (Member(interests=["python", "maps"], is_creator=True), "creator, interested in python and maps"),
        (Member(), "member"),
    ],
)
def test_members_are_described_in_one_line(member: Member, said: str) -> None:
    assert Posts.describe(member) == said


@pytest.mark.parametrize(("table", "event"), [(Like, "like"), (Bookmark, "bookmark"), (Comment, "comment")])
def test_what_is_done_in_the_sites_tables_is_an_interaction_and_taking_it_back_takes_that_back(
    table: type[Like], event: str, rob: Member, posts: list[Post]
) -> None:
    from tandem.models import UserInteraction

    row = table.objects.create(member=rob, post=posts[3])
    found = UserInteraction.objects.values_list("user__user_id", "item__item_id", "kind__name", "catalogue__name")
    assert list(found) == [(str(rob.pk), str(posts[3].pk), event, "posts")]
    row.delete()
    assert not UserInteraction.objects.exists()


def test_a_deleted_post_takes_its_comments_with_it(rob: Member, posts: list[Post]) -> None:
    first = Comment.objects.create(member=rob, post=posts[0], body="one")
    Comment.objects.create(member=rob, post=posts[0], body="two", parent=first)
    posts[0].delete()
    assert not Comment.objects.exists()
    assert blog.make_posts(1, rob)
