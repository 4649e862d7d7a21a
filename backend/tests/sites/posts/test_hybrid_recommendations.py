"""GET /recommend/hybrid-recommendations/: the keys of the acceptance list, strict parameters, and never an empty list."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from sites.posts.models import Member, Post
from tandem.models import Impression
from tandem.service_client.client import RecommendationClient
from tests.support import blog, board
from tests.support.faults import Behaviour, FaultServer, http, says, waits

pytestmark = pytest.mark.django_db(transaction=True)
Point = Callable[[str], RecommendationClient]
PATH = "/recommend/hybrid-recommendations/"
DEAD = "http://127.0.0.1:9"


def ask(client: Client, member: Member, **parameters: Any) -> dict[str, Any]:
    client.force_login(member.account)
    answer = client.get(PATH, parameters)
    assert answer.status_code == 200, answer.content
    assert answer["Cache-Control"] == "private, no-store"
    body: dict[str, Any] = answer.json()
    return body


def shown(body: dict[str, Any]) -> list[int]:
    return [result["id"] for result in body["results"]]


def test_the_answer_has_the_keys_of_the_acceptance_list(
    service_at: Point, rob: Member, posts: list[Post], client: Client
) -> None:
    with FaultServer(blog.serves_posts(posts)) as server:
        service_at(server.url)
        body = ask(client, rob, topn=12)
    assert body["method"] == "hybrid"
    assert len(body["results"]) == 12
    assert body["results"][0] == {
        "type": "blog", "id": posts[0].pk, "title": "Post 000", "excerpt": "About python", "image": "/media/posts/python.svg",
        "score": 1.0, "reasons": ["because"],
    }  # fmt: skip
    assert body["results"][1]["image"] == ""
    assert {result["type"] for result in body["results"]} == {"blog", "tutorial", "question", "news", "showcase"}
    assert (body["method_used"], body["degraded"], body["user_id"]) == ("hybrid", False, str(rob.pk))
    assert Impression.objects.get().request_id.hex == body["request_id"].replace("-", "")


def test_without_topn_there_are_ten(service_at: Point, rob: Member, posts: list[Post], client: Client) -> None:
    with FaultServer(blog.serves_posts(posts)) as server:
        service_at(server.url)
        assert shown(ask(client, rob)) == [post.pk for post in posts[:10]]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("topn=0", "/topn"),
        ("topn=101", "/topn"),
        ("topn=-5", "/topn"),
        ("topn=twelve", "/topn"),
        ("topn=1.5", "/topn"),
        ("topn=", "/topn"),
        ("topn=5&topn=6", "/topn"),
        ("limit=5", "/limit"),
        ("user_id=%00", "/user_id"),
        ("explain=perhaps", "/explain"),
        ("strategy=luck", "/strategy"),
    ],
)
def test_a_bad_parameter_is_a_problem_that_names_it(
    query: str, pointer: str, rob: Member, posts: list[Post], client: Client
) -> None:
    client.force_login(rob.account)
    answer = client.get(f"{PATH}?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_method_names_what_really_answered(service_at: Point, rob: Member, posts: list[Post], client: Client) -> None:
    skip = {"engine": "hybrid", "code": "not_trained", "detail": "train it"}
    with FaultServer(blog.serves_posts(posts, method_used="content_based", degraded=True, degradation=[skip])) as server:
        service_at(server.url)
        body = ask(client, rob)
    assert (body["method"], body["degraded"], body["degradation"]) == ("content_based", True, [skip])


@pytest.mark.parametrize("broken", [says(http(b"{}")), says(b"nonsense"), waits(5.0)])
def test_with_the_service_broken_everyone_still_gets_a_list(
    broken: Behaviour, service_at: Point, rob: Member, posts: list[Post], client: Client
) -> None:
    blog.did("reader-1", posts[4], "like")
    with FaultServer(broken) as server:
        service_at(server.url)
        body = ask(client, rob, topn=12)
    assert len(body["results"]) == 12
    assert shown(body)[0] == posts[4].pk
    assert (body["method"], body["degraded"]) == ("popular", True)
    assert body["degradation"][0]["engine"] == "service"


def test_with_the_service_dead_newcomer_and_regular_get_lists_of_their_own(
    service_at: Point, rob: Member, cara: Member, posts: list[Post], client: Client
) -> None:
    service_at(DEAD)
    for post in posts[:5]:
        blog.did(rob, post, "like")
    assert set(shown(ask(client, rob))).isdisjoint(post.pk for post in posts[:5])
    assert shown(ask(client, cara))[:5] == sorted(shown(ask(client, cara))[:5])
    assert len(shown(ask(client, cara, topn=100))) == 30


def test_who_has_read_everything_is_shown_popular_posts_again(
    service_at: Point, rob: Member, cara: Member, posts: list[Post], client: Client
) -> None:
    for post in posts:
        blog.did(rob, post, "view")
    blog.did(cara, posts[7], "like")
    for url in (DEAD, None):
        with FaultServer(blog.serves_posts([], method_used="none", degraded=True)) as server:
            service_at(url or server.url)
            body = ask(client, rob, topn=3)
        assert len(body["results"]) == 3
        assert body["results"][0]["id"] == posts[7].pk
        assert body["results"][0]["reasons"] == ["You have seen everything here; popular again"]
        assert (body["method"], body["degraded"]) == ("popular", True)


def test_a_filter_that_fits_nothing_is_answered_honestly(
    service_at: Point, rob: Member, posts: list[Post], client: Client
) -> None:
    service_at(DEAD)
    body = ask(client, rob, category="astronomy")
    assert (body["results"], body["degraded"]) == ([], True)
    assert {skip["code"] for skip in body["degradation"]} >= {"nothing_left"}


@pytest.mark.parametrize(
    ("filters", "fits"),
    [
        ({"type": "question"}, lambda post: post.type == "question"),
        ({"category": ["python", "maps"]}, lambda post: post.category == "python"),
        ({"tags": "maps", "type": "news"}, lambda post: "maps" in post.tags and post.type == "news"),
    ],
)
def test_a_list_can_be_narrowed_by_type_category_and_tags(
    filters: dict[str, Any], fits: Callable[[Post], bool], service_at: Point, rob: Member, posts: list[Post], client: Client
) -> None:
    service_at(DEAD)
    assert set(shown(ask(client, rob, topn=100, **filters))) == {post.pk for post in posts if fits(post)}


def test_a_post_taken_back_is_not_shown(service_at: Point, rob: Member, posts: list[Post], client: Client) -> None:
    Post.objects.filter(pk=posts[0].pk).update(is_published=False)
    with FaultServer(blog.serves_posts(posts)) as server:
        service_at(server.url)
        assert shown(ask(client, rob)) == [post.pk for post in posts[1:11]]


def test_with_no_post_at_all_the_list_is_empty_and_says_so(service_at: Point, rob: Member, client: Client) -> None:
    service_at(DEAD)
    body = ask(client, rob)
    assert (body["results"], body["degraded"]) == ([], True)


def test_a_service_asks_for_a_member_by_id(service_at: Point, rob: Member, posts: list[Post], client: Client) -> None:
    service_at(DEAD)
    answer = client.get(PATH, {"user_id": str(rob.pk)}, headers=board.service_header())
    assert answer.json()["user_id"] == str(rob.pk)


def test_new_interests_reach_the_service_with_the_next_list(
    service_at: Point, rob: Member, posts: list[Post], client: Client
) -> None:
    with FaultServer(blog.serves_posts(posts)) as server:
        service_at(server.url)
        ask(client, rob)
        client.put("/recommend/interests/", data='{"interests": ["maps"]}', content_type="application/json")
        ask(client, rob)
        assert [asked["profile"] for asked in server.asked] == [{}, {"interests": ["maps"]}]
