"""Every path of the blog against everyone who might come. A path without a row here fails."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sites.posts.models import Member, Post
from sites.posts.services import open_discussion
from sites.posts.urls import urlpatterns
from tandem.service_client import tokens
from tandem.service_client.client import RecommendationClient
from tests.support import blog, board

pytestmark = pytest.mark.django_db
VISITORS = ("anonymous", "own", "reader", "creator", "staff", "service", "expired")
# path -> address for Cara's things, and what each visitor gets: Cara, a reader, another creator, staff, a service that may
# ask for anyone, and a token of yesterday. Pages know sessions only, so a token there is as good as nothing.
MATRIX: dict[str, tuple[str, str, tuple[int, ...]]] = {
    "hybrid-recommendations": (
        "get",
        "/recommend/hybrid-recommendations/?user_id={member}",
        (401, 200, 404, 404, 200, 200, 401),
    ),
    "interests": ("get", "/recommend/interests/?user_id={member}", (401, 200, 404, 404, 200, 200, 401)),
    "cache-hits": ("get", "/recommend/cache-hits/", (401, 403, 403, 403, 200, 200, 401)),
    "insights": ("get", "/posts/insights/?user_id={member}", (401, 200, 404, 404, 200, 200, 401)),
    "dashboard": ("get", "/posts/dashboard/?person={member}", (404, 200, 404, 404, 200, 404, 404)),
    "stylesheet": ("get", "/posts/members/{member}/theme.css", (404, 200, 404, 404, 200, 404, 404)),
    "change-interests": ("post", "/posts/change/interests/", (404, 303, 404, 404, 303, 404, 404)),
    "change-theme": ("post", "/posts/change/theme/", (404, 303, 404, 404, 303, 404, 404)),
    "discuss": ("post", "/posts/discuss/", (404, 303, 404, 404, 303, 404, 404)),
    "discussion": ("get", "/posts/discussions/{talk}/", (404, 200, 404, 404, 200, 404, 404)),
    "read": ("get", "/posts/read/{post}/?person={member}", (404, 200, 404, 404, 200, 404, 404)),
    "act": ("post", "/posts/read/{post}/action/", (404, 303, 404, 404, 303, 404, 404)),
    "picture": ("get", "/media/posts/python.svg", (200,) * 7),
}


@pytest.fixture
def visit(
    service_at: Callable[[str], RecommendationClient], cara: Member, rob: Member, posts: list[Post]
) -> Callable[[str, str, str], int]:
    """Fetch an address as one of the visitors; a POST is about Cara."""
    service_at("http://127.0.0.1:9")
    carl = blog.make_member("Carl", is_creator=True, account=True)
    staff = User.objects.create_user("staff", is_staff=True)
    words = {"member": cara.pk, "post": posts[0].pk, "talk": open_discussion(cara, "views", weeks=4).pk}
    accounts = {"own": cara.account, "reader": rob.account, "creator": carl.account, "staff": staff}
    headers = {
        "service": board.service_header(),
        "expired": board.bearer("service", tokens.ANY, now=1_000_000_000),
    }
    posted = {"person": str(cara.pk), "insight": "views", "interests": "maps", "accent_color": "#123456", "font_size": "15"}

    def fetch(visitor: str, method: str, address: str) -> int:
        client = Client()
        if visitor in accounts:
            client.force_login(accounts[visitor])
        found = getattr(client, method)
        if method == "post":
            return int(found(address.format(**words), posted, headers=headers.get(visitor)).status_code)
        return int(found(address.format(**words), headers=headers.get(visitor)).status_code)

    return fetch


def test_every_path_has_a_row() -> None:
    assert {pattern.name for pattern in urlpatterns} == set(MATRIX)


@pytest.mark.parametrize("name", MATRIX)
def test_every_visitor_gets_what_the_row_says(name: str, visit: Callable[[str, str, str], int]) -> None:
    method, address, expected = MATRIX[name]
    assert {visitor: visit(visitor, method, address) for visitor in VISITORS} == dict(zip(VISITORS, expected, strict=True))


def test_a_members_own_token_opens_their_own_things_only(
    service_at: Callable[[str], RecommendationClient], cara: Member, rob: Member, posts: list[Post], client: Client
) -> None:
    service_at("http://127.0.0.1:9")
    header = board.bearer(str(cara.pk))
    for path in ("/recommend/hybrid-recommendations/", "/recommend/interests/", "/posts/insights/"):
        assert client.get(path, headers=header).status_code == 200, path
        assert client.get(path, {"user_id": str(rob.pk)}, headers=header).status_code == 404, path
        assert client.get(path, headers=board.bearer(str(cara.pk), "recs:nothing")).status_code == 404, path


def test_a_post_may_be_read_by_everybody(posts: list[Post], client: Client) -> None:
    assert client.get(f"/posts/read/{posts[0].pk}/").status_code == 200
