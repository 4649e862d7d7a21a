"""Creator insights: every figure is one that can be counted by hand, and every sentence says its figures."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from sites.posts.insight_texts import Insight, insights_of
from sites.posts.insights import Figures, report_of
from sites.posts.models import Like, Member, Post
from sites.posts.serializers import InsightsQuerySerializer
from tandem.selectors.statistics import Window, totals
from tests.support import blog, board

pytestmark = pytest.mark.django_db
PATH = "/posts/insights/"


def said(creator: Member, **more: Any) -> dict[str, Insight]:
    return {insight.slug: insight for insight in insights_of(report_of(creator, **more))}


@pytest.fixture
def busy(cara: Member, rob: Member, posts: list[Post]) -> list[Post]:
    """Two lists with four places each; two places opened, one of them liked; and some reading beside."""
    first = blog.was_shown(rob, posts[:4], days_ago=2)
    second = blog.was_shown(rob, posts[4:8], days_ago=1)
    blog.did(rob, posts[0], "view", days_ago=2, request_id=first)
    blog.did(rob, posts[0], "view", days_ago=1.9, request_id=first)  # again: the place counts once
    blog.did(rob, posts[0], "like", days_ago=1.9, request_id=first)
    blog.did(rob, posts[5], "view", days_ago=0.9, request_id=second)
    for place in range(5):
        blog.did(f"reader-{place}", posts[0], "view", days_ago=3)
    blog.did("reader-0", posts[0], "comment", days_ago=3)
    blog.did(cara, posts[0], "view", days_ago=1)  # her own looking does not count
    blog.did("reader-1", posts[1], "view", days_ago=40)
    blog.did("reader-1", posts[1], "comment", days_ago=40)
    return posts


def test_every_figure_is_counted_once_and_in_its_own_span(cara: Member, busy: list[Post]) -> None:
    report = report_of(cara)
    assert report.now[busy[0].pk] == Figures({"view": 7, "like": 1, "comment": 1}, shown=1, opened=1, went_on=1)
    assert report.now[busy[5].pk] == Figures({"view": 1}, shown=1, opened=1, went_on=0)
    assert (report.total.count("view"), report.total.shown, report.total.opened, report.total.went_on) == (8, 8, 2, 1)
    assert report.total_before.count("view") == 1
    assert report.total.as_dict() == {
        "views": 8, "likes": 1, "comments": 1, "bookmarks": 0, "shares": 0, "shown": 8, "opened": 2, "ctr": 0.25, "went_on": 1,
    }  # fmt: skip


def test_figures_of_someone_who_wrote_everything_are_the_sites_own(cara: Member, busy: list[Post]) -> None:
    report = report_of(cara)
    site = totals(use_case="posts", window=Window(report.since, report.until))
    assert (report.total.shown, report.total.opened) == (site.shown, site.clicks)


def test_each_insight_is_a_sentence_with_its_numbers(cara: Member, busy: list[Post]) -> None:
    found = said(cara)
    assert {slug: insight.sentence for slug, insight in found.items()} == {
        "views": "Your posts were viewed 8 times in the last 4 weeks, 700% more than in the time before (1).",
        "reach": "Recommendations showed your posts 8 times, and 2 of these were opened: 25.0%.",
        "through-recommendations": (
            "Of 2 visits that came through recommendations, 1 led to a like, comment, bookmark or share: 50.0%."
        ),
        "most-viewed": "“Post 000” was read most: 7 views, 1 like, 1 comment.",
        "best-liked": (
            "“Post 000” had the most responses for its views: 2 responses (likes, comments, bookmarks, shares) to 7 views."
        ),
        "best-tag": "Your 10 posts tagged testing had 0.7 views each in the last 4 weeks; all your posts had 0.3.",
        "comments": "Readers wrote 1 comment in the last 4 weeks, as many as in the time before (1).",
    }  # fmt: skip
    for insight in found.values():
        for value in insight.numbers.values():
            assert json.dumps(value) != "NaN"


def test_before_the_first_post_and_before_the_first_reader_something_true_is_said(cara: Member, rob: Member) -> None:
    assert list(said(cara)) == ["no-posts"]
    blog.make_posts(2, cara)
    found = said(cara)
    assert found["views"].sentence == "Your posts were viewed not once in the last 4 weeks, and not once in the time before."
    assert found["reach"].sentence == "No list of recommendations showed one of your posts in the last 4 weeks."
    assert set(found) == {"views", "reach"}


def test_weeks_move_what_is_now_and_what_is_before(cara: Member, busy: list[Post]) -> None:
    assert said(cara, weeks=6)["views"].numbers == {"views": 9, "views_before": 0, "change": None}
    assert report_of(cara, weeks=1).total_before.count("view") == 0
    at = datetime(2020, 1, 1, tzinfo=UTC)
    assert report_of(cara, now=at).total == Figures()


def test_another_creators_posts_never_enter(cara: Member, rob: Member, busy: list[Post]) -> None:
    carl = blog.make_member("Carl", is_creator=True)
    own = blog.make_posts(1, carl, first=50)
    blog.did(rob, own[0], "view")
    assert report_of(carl).total.count("view") == 1
    assert report_of(cara).total.count("view") == 8


def test_the_number_of_queries_does_not_grow_with_the_posts(
    cara: Member, busy: list[Post], django_assert_num_queries: Any
) -> None:
    report_of(cara)  # the use case is read once a process
    with django_assert_num_queries(6):
        report_of(cara)


@pytest.mark.parametrize("query", ["weeks=0", "weeks=27", "weeks=-1", "weeks=x", "weeks=1.5", "weeks=", "weeks=٣", "weeks=999"])
def test_weeks_are_a_number_from_one_to_twenty_six(query: str) -> None:
    form = InsightsQuerySerializer(data=QueryDict(query))
    assert not form.is_valid()
    assert list(form.errors) == ["weeks"]


def test_weeks_default_to_four_and_come_once() -> None:
    for query, weeks in (("", 4), ("weeks=26", 26)):
        form = InsightsQuerySerializer(data=QueryDict(query))
        assert form.is_valid()
        assert form.validated_data["weeks"] == weeks
    twice = InsightsQuerySerializer(data=QueryDict("weeks=1&weeks=2"))
    assert not twice.is_valid()
    assert list(twice.errors) == ["weeks"]


def test_a_creator_gets_figures_sentences_and_posts(cara: Member, busy: list[Post], client: Client) -> None:
    client.force_login(cara.account)
    answer = client.get(PATH, {"weeks": "4"})
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"
    body = answer.json()
    assert (body["user_id"], body["name"], body["weeks"]) == (str(cara.pk), "Cara", 4)
    assert body["totals"]["views"] == 8
    assert [insight["insight"] for insight in body["insights"]][:2] == ["views", "reach"]
    assert body["posts"][0]["id"] == busy[0].pk
    assert body["posts"][0]["views"] == 7
    assert len(body["posts"]) == 20


def test_bad_weeks_are_a_problem_that_names_the_parameter(cara: Member, client: Client) -> None:
    client.force_login(cara.account)
    answer = client.get(PATH, {"weeks": "0"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/weeks"


def test_readers_and_other_creators_find_nothing(cara: Member, rob: Member, client: Client) -> None:
    carl = blog.make_member("Carl", is_creator=True, account=True)
    client.force_login(rob.account)
    assert client.get(PATH).status_code == 404
    assert client.get(PATH, {"user_id": str(cara.pk)}).status_code == 404
    client.force_login(carl.account)
    bodies = []
    for wanted in (cara.pk, "nobody-at-all"):
        answer = client.get(PATH, {"user_id": str(wanted)})
        body = answer.json()
        bodies.append((answer.status_code, body["detail"], body["code"]))
    assert bodies[0] == bodies[1]
    assert bodies[0][0] == 404


def test_a_service_may_ask_for_a_creator_and_not_for_a_reader(cara: Member, rob: Member, client: Client) -> None:
    header = board.service_header()
    assert client.get(PATH, {"user_id": str(cara.pk)}, headers=header).status_code == 200
    assert client.get(PATH, {"user_id": str(rob.pk)}, headers=header).status_code == 404


def test_a_like_on_the_post_page_is_seen_in_the_insights(cara: Member, rob: Member, posts: list[Post]) -> None:
    Like.objects.create(member=rob, post=posts[0])
    assert report_of(cara).total.count("like") == 1
