"""Counts on a post are those of its interactions, whatever happens to them."""

import pytest

from sites.posts.engagement_counters import recount
from sites.posts.models import Comment, Like, Member, Post
from tandem import cache
from tandem.models import UserInteraction
from tests.support import blog

pytestmark = pytest.mark.django_db(transaction=True)


def counts(post: Post) -> tuple[int, int, int, int]:
    post.refresh_from_db()
    return post.view_count, post.like_count, post.comment_count, post.bookmark_count


def test_each_event_is_counted_on_its_post_only(rob: Member, posts: list[Post]) -> None:
    for event in ("view", "view", "like", "comment", "bookmark", "share"):
        blog.did(rob, posts[0], event)
    assert counts(posts[0]) == (2, 1, 1, 1)
    assert counts(posts[1]) == (0, 0, 0, 0)


def test_a_like_in_the_sites_table_counts_until_it_is_taken_back(rob: Member, posts: list[Post]) -> None:
    like = Like.objects.create(member=rob, post=posts[0])
    assert counts(posts[0]) == (0, 1, 0, 0)
    like.delete()
    assert counts(posts[0]) == (0, 0, 0, 0)


def test_deleting_a_thread_takes_all_of_its_comments_off(rob: Member, cara: Member, posts: list[Post]) -> None:
    first = Comment.objects.create(member=rob, post=posts[0], body="one")
    Comment.objects.create(member=cara, post=posts[0], body="two", parent=first)
    assert counts(posts[0]) == (0, 0, 2, 0)
    first.delete()
    assert counts(posts[0]) == (0, 0, 0, 0)


def test_a_wrong_count_is_right_again_after_a_recount(rob: Member, posts: list[Post]) -> None:
    blog.did(rob, posts[0], "view")
    Post.objects.filter(pk=posts[0].pk).update(view_count=99, like_count=7)
    assert recount([posts[0].pk, posts[1].pk, 10**6]) == 2
    assert counts(posts[0]) == (1, 0, 0, 0)


def test_events_of_other_sites_and_of_posts_that_are_gone_harm_nothing(rob: Member, posts: list[Post]) -> None:
    blog.did(rob, posts[0], "view")
    posts[0].delete()
    blog.did(rob, posts[1], "view")
    assert counts(posts[1]) == (1, 0, 0, 0)
    assert UserInteraction.objects.count() == 2


def test_new_interests_make_a_kept_list_stale(rob: Member) -> None:
    before = cache.cache_version(str(rob.pk))
    rob.interests = ["python"]
    rob.save()
    assert cache.cache_version(str(rob.pk)) != before
