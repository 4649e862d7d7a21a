"""Every route of the URL conf against everyone who might come. A route without a row here fails."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from sites.posts.models import Post
from tandem.service_client import tokens
from tandem.service_client.client import RecommendationClient
from tests.sites.cleaning import agreed, marketplace
from tests.support import blog, board, campus, store

pytestmark = pytest.mark.django_db

OPEN = {"anonymous": 200, "own": 200, "other": 200, "staff": 200, "service": 200, "expired": 200}
# the description of the API holds nothing of anybody and is in the repository; a token that is not trusted is refused here too
DESCRIPTION = {**OPEN, "expired": 401}
THEIRS = {"anonymous": 401, "own": 200, "other": 404, "staff": 200, "service": 200, "expired": 401}
STAFF_OR_SERVICE = {"anonymous": 401, "own": 403, "other": 403, "staff": 200, "service": 200, "expired": 401}
OPERATORS = {"anonymous": 401, "own": 403, "other": 403, "staff": 200, "service": 403, "expired": 401}
POSTED = {"anonymous": 401, "own": 405, "other": 405, "staff": 405, "service": 405, "expired": 401}  # a GET of it
PAGE_FOR_STAFF = {"anonymous": 302, "own": 302, "other": 302, "staff": 200, "service": 302, "expired": 302}  # to the login page
OWN_PAGE = {"anonymous": 404, "own": 200, "other": 404, "staff": 200, "service": 404, "expired": 404}
# route -> address for user A's things, and the status that each visitor must get
MATRIX: dict[str, tuple[str, dict[str, int]]] = {
    "livez": ("/livez", OPEN),
    "readyz": ("/readyz", OPEN),
    "api/recommendations/<str:use_case>/<str:surface>/<str:subject>": (
        board.PATH,
        {"anonymous": 401, "own": 200, "other": 404, "staff": 200, "service": 200, "expired": 401},
    ),
    "api/schema/": ("/api/schema/", DESCRIPTION),
    "api/docs/": ("/api/docs/", DESCRIPTION),
    # a GET of a POST-only door: 405 for those who may come in, 401 for the others
    "api/v1/interactions": (
        "/api/v1/interactions",
        {"anonymous": 401, "own": 405, "other": 405, "staff": 405, "service": 405, "expired": 401},
    ),
    "api/v1/feedback": (
        "/api/v1/feedback",
        {"anonymous": 401, "own": 405, "other": 405, "staff": 405, "service": 405, "expired": 401},
    ),
    "api/v1/recommendations/home": (campus.HOME + "?user_id={}", THEIRS),
    "api/v1/recommendations/similar/<str:course_id>": (
        campus.SIMILAR.format("course_python_basic"),
        {"anonymous": 401, "own": 200, "other": 200, "staff": 200, "service": 200, "expired": 401},
    ),
    "api/v1/recommendations/stats/user/<str:user_id>": (campus.USER_STATS, THEIRS),
    "api/v1/recommendations/stats/global": (campus.GLOBAL_STATS, STAFF_OR_SERVICE),
    "<slug:site>/statistics/": ("/courses/statistics/", PAGE_FOR_STAFF),
    "api/v1/recommendations/homepage": ("/api/v1/recommendations/homepage?user_id={}", THEIRS),
    "api/v1/recommendations/cart": ("/api/v1/recommendations/cart?user_id={}", THEIRS),
    "api/v1/recommendations/product/<str:product_id>": (f"/api/v1/recommendations/product/{UUID(int=1)}?user_id={{}}", THEIRS),
    "api/v1/recommendations/frequently-bought-together/<str:product_id>": (
        f"/api/v1/recommendations/frequently-bought-together/{UUID(int=1)}?user_id={{}}",
        THEIRS,
    ),
    "api/v1/shop/cart": ("/api/v1/shop/cart?user_id={}", THEIRS),
    "api/v1/shop/cart/lines": ("/api/v1/shop/cart/lines", POSTED),
    "api/v1/shop/cart/lines/<uuid:product_id>": (f"/api/v1/shop/cart/lines/{UUID(int=1)}", POSTED),
    "api/v1/shop/cart/checkout": ("/api/v1/shop/cart/checkout", POSTED),
    "api/v1/shop/mail-preferences": ("/api/v1/shop/mail-preferences?user_id={}", THEIRS),
    "api/v1/analytics/recommendations/performance": ("/api/v1/analytics/recommendations/performance", STAFF_OR_SERVICE),
    "api/v1/analytics/conversion-funnel": ("/api/v1/analytics/conversion-funnel", STAFF_OR_SERVICE),
    # a mail's own token is the right to these; another one is nobody's
    "shop/mail/stop/<str:token>/": ("/shop/mail/stop/forged/", dict.fromkeys(OPEN, 404)),
    "shop/mail/to/<str:token>/": ("/shop/mail/to/forged/", dict.fromkeys(OPEN, 404)),
    "tandem/click/<str:token>": ("/tandem/click/forged", dict.fromkeys(OPEN, 404)),
    "tandem/event/<str:token>": ("/tandem/event/forged", dict.fromkeys(OPEN, 405)),
    "recommend/hybrid-recommendations/": ("/recommend/hybrid-recommendations/?user_id={}", THEIRS),
    "recommend/interests/": ("/recommend/interests/?user_id={}", THEIRS),
    "recommend/cache-hits/": ("/recommend/cache-hits/", STAFF_OR_SERVICE),
    "posts/insights/": ("/posts/insights/?user_id={}", THEIRS),
    # pages know sessions only; tests/sites/posts/test_authorization.py has what is posted to them
    "posts/dashboard/": ("/posts/dashboard/?person={}", OWN_PAGE),
    "posts/members/<str:user_id>/theme.css": ("/posts/members/{}/theme.css", OWN_PAGE),
    "posts/change/interests/": ("/posts/change/interests/", dict.fromkeys(OPEN, 405)),
    "posts/change/theme/": ("/posts/change/theme/", dict.fromkeys(OPEN, 405)),
    "posts/discuss/": ("/posts/discuss/", dict.fromkeys(OPEN, 405)),
    "posts/discussions/<uuid:key>/": (f"/posts/discussions/{UUID(int=1)}/", dict.fromkeys(OPEN, 404)),
    "posts/read/<int:number>/": ("/posts/read/1/?person={}", OWN_PAGE),
    "posts/read/<int:number>/action/": ("/posts/read/1/action/", dict.fromkeys(OPEN, 405)),
    "media/posts/<slug:category>.svg": ("/media/posts/python.svg", OPEN),
    # A's account is client 1, with jobs 1 (open) and 3 (taken), and cleaner 1; B's is client 2 with job 2, and cleaner 2.
    # Who writes for whom is in tests/sites/cleaning/api/test_doors.py
    "recommendations/jobs/<int:job_id>/cleaners/": ("/recommendations/jobs/1/cleaners/", OWN_PAGE),
    "api/v1/cleaning/jobs": ("/api/v1/cleaning/jobs", {**THEIRS, "other": 200}),
    "api/v1/cleaning/jobs/<str:job_id>": ("/api/v1/cleaning/jobs/3", THEIRS),
    "api/v1/cleaning/jobs/<str:job_id>/cleaners": ("/api/v1/cleaning/jobs/1/cleaners", THEIRS),
    "api/v1/cleaning/jobs/<str:job_id>/bid-suggestion": (
        "/api/v1/cleaning/jobs/1/bid-suggestion?cleaner_id=1",
        {**THEIRS, "own": 200},
    ),
    "api/v1/cleaning/jobs/<str:job_id>/bids": ("/api/v1/cleaning/jobs/1/bids", POSTED),
    "api/v1/cleaning/jobs/<str:job_id>/accept": ("/api/v1/cleaning/jobs/1/accept", POSTED),
    "api/v1/cleaning/jobs/<str:job_id>/confirm": ("/api/v1/cleaning/jobs/1/confirm", POSTED),
    "api/v1/cleaning/jobs/<str:job_id>/complete": ("/api/v1/cleaning/jobs/1/complete", POSTED),
    "api/v1/cleaning/jobs/<str:job_id>/cancel": ("/api/v1/cleaning/jobs/1/cancel", POSTED),
    "api/v1/cleaning/jobs/<str:job_id>/fail": ("/api/v1/cleaning/jobs/1/fail", POSTED),
    "api/v1/cleaning/jobs/<str:job_id>/review": ("/api/v1/cleaning/jobs/1/review", POSTED),
    "api/v1/cleaning/cleaners/<str:cleaner_id>/jobs": ("/api/v1/cleaning/cleaners/1/jobs", THEIRS),
    "api/v1/cleaning/recommendations/cleaners/<str:recommendation_id>/contacted": (
        "/api/v1/cleaning/recommendations/cleaners/1/contacted",
        POSTED,
    ),
    "api/v1/cleaning/recommendations/<str:side>/<str:recommendation_id>/viewed": (
        "/api/v1/cleaning/recommendations/jobs/1/viewed",
        POSTED,
    ),
    "api/v1/cleaning/recommendations/<str:side>/<str:recommendation_id>/feedback": (
        "/api/v1/cleaning/recommendations/jobs/1/feedback",
        POSTED,
    ),
    # operations: staff and tokens with the scope recs:admin; the service here has recs:any only
    "admin/recommendations/models": ("/admin/recommendations/models", OPERATORS),
    "admin/recommendations/runs/<uuid:run_id>": (
        f"/admin/recommendations/runs/{UUID(int=1)}",
        {**OPERATORS, "staff": 404},
    ),
    "admin/recommendations/reindex": (
        "/admin/recommendations/reindex",
        {**OPERATORS, "staff": 405},
    ),
}
# Django's own, behind its own login; the shared page and the marketplace's pages have their own tests
ELSEWHERE = ("admin/", "<slug:site>/", "cleaning/")
OURS_ALL_THE_SAME = (
    "admin/recommendations/models",
    "admin/recommendations/reindex",
    "admin/recommendations/runs/",
)  # operations of ours that stand beside Django's own


def routes(patterns: Any = None, before: str = "") -> Iterator[str]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        place = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, place)
        elif isinstance(pattern, URLPattern):
            yield place


@pytest.fixture
def visitors(service_at: Callable[[str], RecommendationClient]) -> dict[str, Callable[[str], int]]:
    """Each visitor's way to fetch an address; A's person is 'own', B's account is 'other'."""
    service_at("http://127.0.0.1:9")
    board.make_startups(12)
    accounts = {name: User.objects.create_user(name, password="x", is_staff=name == "staff") for name in ("a", "b", "staff")}
    own = board.make_developer("A", accounts["a"])
    board.make_developer("B", accounts["b"])
    store.make_products(4)
    store.make_customer("A", accounts["a"], id=own.pk)
    store.make_customer("B", accounts["b"])
    campus.make_courses()
    campus.make_learner(str(own.pk), accounts["a"])
    campus.make_learner("b", accounts["b"])
    member = blog.make_member("A", id=own.pk, account=accounts["a"], is_creator=True)
    blog.make_member("B", account=accounts["b"], is_creator=True)
    Post.objects.filter(pk=blog.make_posts(1, member)[0].pk).update(id=1)
    make_marketplace(accounts)
    expired = board.bearer("service", tokens.ANY, now=1_000_000_000)

    def fetch(account: str | None, headers: dict[str, str] | None = None) -> Callable[[str], int]:
        client = Client()
        if account:
            client.force_login(accounts[account])
        return lambda address: client.get(address.format(own.pk), headers=headers).status_code

    return {
        "anonymous": fetch(None),
        "own": fetch("a"),
        "other": fetch("b"),
        "staff": fetch("staff"),
        "service": fetch(None, board.service_header()),
        "expired": fetch(None, expired),
    }


def make_marketplace(accounts: dict[str, User]) -> None:
    owners = [marketplace.make_client(name, account=accounts[name], id=place) for place, name in enumerate(("a", "b"), 1)]
    for owner in owners:
        marketplace.make_cleaner(owner.name, account=owner.account, id=owner.pk)
        agreed.job_today(owner, id=owner.pk)
    agreed.job_at("accepted", owners[0], marketplace.make_cleaner(id=3), id=3)


def ours() -> list[str]:
    return [route for route in routes() if route and (route.startswith(OURS_ALL_THE_SAME) or not route.startswith(ELSEWHERE))]


def test_every_route_of_the_api_has_a_row() -> None:
    assert set(ours()) <= set(MATRIX)
    assert {"livez", "readyz"} <= set(ours())


@pytest.mark.parametrize("route", MATRIX)
def test_every_visitor_gets_what_the_row_says(route: str, visitors: dict[str, Callable[[str], int]]) -> None:
    assert route in set(routes()), "the row has no route"
    address, expected = MATRIX[route]
    assert {name: fetch(address) for name, fetch in visitors.items()} == expected


def tokened(subject: str, *scopes: str, **options: Any) -> dict[str, str]:
    return board.bearer(subject, *scopes, **options)


def test_a_token_opens_its_own_subjects_list_and_no_other(
    service_at: Callable[[str], RecommendationClient], client: Client
) -> None:
    service_at("http://127.0.0.1:9")
    board.make_startups(12)
    assert client.get(board.PATH.format("u1"), headers=tokened("u1")).status_code == 200
    assert client.get(board.PATH.format("u2"), headers=tokened("u1")).status_code == 404
    assert client.get(board.PATH.format("u1"), headers=tokened("u1", "recs:nothing")).status_code == 404


def test_not_yours_reads_exactly_as_not_there(client: Client) -> None:
    board.make_startups(3)
    own, other = User.objects.create_user("a"), User.objects.create_user("b")
    board.make_developer("A", own)
    theirs = board.make_developer("B", other)
    client.force_login(own)
    addresses = [
        board.PATH.format(theirs.pk),
        board.PATH.format("nobody-at-all"),
        f"/api/recommendations/startups/nowhere/{theirs.pk}",
        f"/api/recommendations/nothing/for-developer/{theirs.pk}",
        "/api/nothing/here",
    ]
    bodies = []
    for address in addresses:
        response = client.get(address)
        body = response.json()
        assert body.pop("instance") == address
        assert body.pop("request_id")
        bodies.append((response.status_code, body, response["Content-Type"]))
    assert bodies == [bodies[0]] * len(bodies)
    assert bodies[0][0] == 404


def test_an_account_without_a_person_sees_no_list_even_where_its_number_is_someones_id(client: Client) -> None:
    from sites.movies.models import Viewer

    account = User.objects.create_user("newcomer")
    Viewer.objects.create(pk=str(account.pk))
    client.force_login(account)
    assert client.get(f"/api/recommendations/movies/for-you/{account.pk}").status_code == 404
