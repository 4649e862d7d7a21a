"""The members' own pages: who sees them, what can be set on them, and what their headers forbid."""

import re

import pytest
from django.conf import settings
from django.test import Client

from sites.posts.models import Comment, Like, Member, Post
from sites.posts.theme import readable_on, stylesheet
from storefront.people import segment_of
from tandem.models import UserInteraction
from tandem.surfaces import bound_surface
from tests.support import blog

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "STOREFRONT_DEMO", True)


def test_a_creators_dashboard_shows_insights_with_a_discuss_button_each(
    cara: Member, rob: Member, posts: list[Post], client: Client
) -> None:
    blog.did(rob, posts[0], "view")
    client.force_login(cara.account)
    page = client.get("/posts/dashboard/").content.decode()
    assert "Your posts were viewed once in the last 4 weeks" in page
    slugs = re.findall(r'<li data-insight="([a-z-]+)">', page)
    assert slugs == ["views", "reach", "most-viewed", "best-tag"]
    assert re.findall(r'name="insight" value="([a-z-]+)"', page) == slugs


def test_a_reader_has_a_dashboard_without_insights(rob: Member, client: Client) -> None:
    client.force_login(rob.account)
    page = client.get("/posts/dashboard/").content.decode()
    assert "What your readers do" not in page
    assert "Interests" in page
    assert "insights.js" not in page


def test_nothing_inline_and_never_kept(cara: Member, client: Client) -> None:
    client.force_login(cara.account)
    for address in ("/posts/dashboard/", f"/posts/members/{cara.pk}/theme.css"):
        answer = client.get(address)
        policy = answer["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert answer["Cache-Control"] == "private, no-store"
    page = client.get("/posts/dashboard/").content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", page)


def test_weeks_that_make_no_sense_show_the_usual_span(cara: Member, client: Client) -> None:
    client.force_login(cara.account)
    assert 'name="weeks" type="number" min="1" max="26" value="4"' in client.get("/posts/dashboard/?weeks=x").content.decode()
    assert 'value="2"' in client.get("/posts/dashboard/?weeks=2").content.decode()


def test_colour_and_size_are_saved_and_told_to_the_browser(rob: Member, client: Client) -> None:
    client.force_login(rob.account)
    answer = client.post("/posts/change/theme/", {"accent_color": "#AA3300", "font_size": "18"})
    assert (answer.status_code, answer["Location"]) == (303, f"/posts/dashboard/?person={rob.pk}#message")
    page = client.get("/posts/dashboard/").content.decode()
    assert f'href="/posts/members/{rob.pk}/theme.css"' in page
    assert "Your theme is saved." in page
    style = client.get(f"/posts/members/{rob.pk}/theme.css")
    assert style["Content-Type"] == "text/css; charset=utf-8"
    assert style.content.decode() == ":root { --mine: #aa3300; --on-mine: #ffffff; }\nhtml { font-size: 18px; }\n"


@pytest.mark.parametrize(
    ("posted", "named"),
    [
        ({"accent_color": "red", "font_size": "18"}, "accent_color"),
        ({"accent_color": "#aa3300;} body{display:none", "font_size": "18"}, "accent_color"),
        ({"accent_color": "#aa3300", "font_size": "99"}, "font_size"),
        ({"accent_color": "#aa3300", "font_size": "big"}, "font_size"),
        ({}, "accent_color"),
    ],
)
def test_a_wrong_look_changes_nothing_and_is_told(posted: dict[str, str], named: str, rob: Member, client: Client) -> None:
    client.force_login(rob.account)
    answer = client.post("/posts/change/theme/", posted, follow=True)
    assert f"Nothing was saved: {named}" in answer.content.decode()
    rob.refresh_from_db()
    assert (rob.accent_color, rob.font_size) == ("#1f9cee", 14)


def test_what_was_stored_past_the_form_cannot_break_out_of_the_stylesheet() -> None:
    member = Member(accent_color="}a{b:c}", font_size=4000)
    assert stylesheet(member) == stylesheet(Member())


@pytest.mark.parametrize(("color", "on"), [("#ffffff", "#000000"), ("#000000", "#ffffff"), ("#1f9cee", "#000000")])
def test_letters_on_a_colour_stand_out(color: str, on: str) -> None:
    assert readable_on(color) == on


def test_interests_are_set_from_the_page(rob: Member, client: Client) -> None:
    client.force_login(rob.account)
    page = client.post("/posts/change/interests/", {"interests": "Python, maps"}, follow=True).content.decode()
    assert "Your interests are saved." in page
    assert 'value="python, maps"' in page
    page = client.post("/posts/change/interests/", {"interests": "<i>"}, follow=True).content.decode()
    assert "Nothing was saved: interests: interests/0 may hold letters" in page
    rob.refresh_from_db()
    assert rob.interests == ["python", "maps"]


def test_nobody_changes_or_sees_another_members_page(cara: Member, rob: Member, client: Client) -> None:
    client.force_login(rob.account)
    assert client.get("/posts/dashboard/", {"person": str(cara.pk)}).status_code == 404
    assert client.get(f"/posts/members/{cara.pk}/theme.css").status_code == 404
    for what in ("interests", "theme"):
        answer = client.post(f"/posts/change/{what}/", {"person": str(cara.pk), "interests": "x", "font_size": "20"})
        assert answer.status_code == 404
    cara.refresh_from_db()
    assert (cara.interests, cara.font_size) == ([], 14)


@pytest.mark.usefixtures("demo")
def test_on_a_demo_anyone_may_act_as_anyone(cara: Member, posts: list[Post], client: Client) -> None:
    assert client.get("/posts/dashboard/", {"person": str(cara.pk)}).status_code == 200
    assert client.get("/posts/insights/", {"user_id": str(cara.pk)}).status_code == 200
    assert client.get("/posts/dashboard/").status_code == 404


def test_a_change_without_the_forms_token_is_refused(rob: Member) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(rob.account)
    assert client.post("/posts/change/theme/", {"accent_color": "#000000", "font_size": "18"}).status_code == 403


def test_a_post_is_public_with_its_comments(rob: Member, posts: list[Post], client: Client) -> None:
    Comment.objects.create(member=rob, post=posts[0], body="<b>Good</b>")
    page = client.get(f"/posts/read/{posts[0].pk}/").content.decode()
    assert "Post 000" in page
    assert "&lt;b&gt;Good&lt;/b&gt;" in page
    assert "<form" not in page
    assert not UserInteraction.objects.filter(kind__name="view").exists()


@pytest.mark.parametrize("number", [10**30, 10**6, 0])
def test_a_post_that_is_not_there_is_not_found(number: int, client: Client) -> None:
    assert client.get(f"/posts/read/{number}/").status_code == 404


def test_a_draft_is_not_found(posts: list[Post], client: Client) -> None:
    Post.objects.filter(pk=posts[0].pk).update(is_published=False)
    assert client.get(f"/posts/read/{posts[0].pk}/").status_code == 404


def test_opening_a_post_from_a_list_counts_as_one_view_of_that_list(rob: Member, posts: list[Post], client: Client) -> None:
    request = blog.was_shown(rob, posts[:3], days_ago=0)
    client.force_login(rob.account)
    for _ in range(3):
        client.get(f"/posts/read/{posts[1].pk}/", {"request_id": str(request)})
    client.get(f"/posts/read/{posts[2].pk}/")  # not out of a list: nothing is recorded
    client.get(f"/posts/read/{posts[2].pk}/", {"request_id": "nonsense"})
    views = UserInteraction.objects.values_list("item__item_id", "kind__name", "request_id")
    assert list(views) == [(str(posts[1].pk), "view", request)]


def test_likes_and_bookmarks_are_given_and_taken_back(rob: Member, posts: list[Post], client: Client) -> None:
    client.force_login(rob.account)
    address = f"/posts/read/{posts[0].pk}/action/"
    assert client.post(address, {"action": "like"}).status_code == 303
    assert Like.objects.count() == UserInteraction.objects.count() == 1
    assert 'value="like" aria-pressed="true"' in client.get(f"/posts/read/{posts[0].pk}/").content.decode()
    client.post(address, {"action": "like"})
    assert Like.objects.count() == UserInteraction.objects.count() == 0


def test_comments_make_threads_one_level_deep(rob: Member, cara: Member, posts: list[Post], client: Client) -> None:
    client.force_login(rob.account)
    address = f"/posts/read/{posts[0].pk}/action/"
    client.post(address, {"action": "comment", "body": "one"})
    first = Comment.objects.get()
    client.force_login(cara.account)
    client.post(address, {"action": "comment", "body": "two", "parent": str(first.pk)})
    second = Comment.objects.get(body="two")
    client.post(address, {"action": "comment", "body": "three", "parent": str(second.pk)})
    assert list(first.replies.values_list("body", flat=True)) == ["two", "three"]
    page = client.get(f"/posts/read/{posts[0].pk}/").content.decode()
    assert page.index("one") < page.index("two") < page.index("three")


@pytest.mark.parametrize(
    "posted",
    [{"action": "shout"}, {"action": "comment", "body": ""}, {"action": "comment", "body": "x", "parent": "nonsense"}, {}],
)
def test_what_cannot_be_done_is_told_and_changes_nothing(
    posted: dict[str, str], rob: Member, posts: list[Post], client: Client
) -> None:
    client.force_login(rob.account)
    page = client.post(f"/posts/read/{posts[0].pk}/action/", posted, follow=True).content.decode()
    assert "Nothing was saved:" in page
    assert not Comment.objects.exists()


def test_every_category_of_a_post_has_a_picture_and_nothing_else_has(client: Client) -> None:
    author = blog.make_member("Cara", is_creator=True)
    for name in ("python", "machine learning"):
        Post.objects.create(title=name, body="x", category=name, author=author)
        answer = client.get(f"/media/posts/{name.replace(' ', '-')}.svg")
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")
        assert f">{name}</text>" in answer.content.decode()
    assert client.get("/media/posts/nothing.svg").status_code == 404


@pytest.mark.usefixtures("demo")
def test_the_shared_page_leads_to_the_dashboard_and_to_each_post_with_the_list_it_was_shown_in(
    cara: Member, posts: list[Post], client: Client
) -> None:
    page = client.get("/posts/", {"person": str(cara.pk)}).content.decode()
    assert f'<a href="/posts/dashboard/?person={cara.pk}">Insights, interests and theme</a>' in page
    address = re.search(rf'href="(/posts/read/{posts[0].pk}/\?person={cara.pk}&amp;request_id=[0-9a-f-]+)"', page)
    assert address is not None
    assert client.get(address.group(1).replace("&amp;", "&")).status_code == 200
    assert UserInteraction.objects.get().item.item_id == str(posts[0].pk)


@pytest.mark.parametrize(("count", "said"), [(0, "cold"), (1, "warm"), (40, "warm")])
def test_where_newcomers_alone_are_met_in_another_way_nobody_is_called_hot(count: int, said: str) -> None:
    assert segment_of(bound_surface("posts", "hybrid-recommendations").surface, count) == said
