"""Kept lists of the blog: ten minutes, one member's each, hits counted beside them and gone with them; in memory and Redis."""

import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as SETTINGS  # noqa: N812 - `settings` is the fixture of pytest-django
from django.test import Client

from sites.posts.models import Member, Post
from tandem import cache as lists
from tandem.selectors.cache_statistics import Reuse, reuse_by_day
from tandem.service_client.client import RecommendationClient
from tandem.services.recommend import recommend
from tests.support import blog
from tests.support.caching import cache
from tests.support.faults import FaultServer

pytestmark = pytest.mark.django_db(transaction=True)
Point = Callable[[str], RecommendationClient]
# a process of a parallel run has a database of its own, since the others empty theirs
REDIS = SETTINGS.CACHES["tandem"].get("LOCATION") if os.environ.get("CACHE_URL") else "redis://127.0.0.1:6379/5"
MEMORY = "django.core.cache.backends.locmem.LocMemCache"
WHERE = "posts:hybrid-recommendations"
POINT: dict[str, Any] = {"use_case": "posts", "surface": "hybrid-recommendations"}


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.services)], autouse=True)
def kept_in(request: pytest.FixtureRequest, settings: Any) -> Iterator[str]:
    """Each test with both caches; a prefix of its own keeps runs side by side apart."""
    prefix = uuid.uuid4().hex
    if request.param == "memory":
        settings.CACHES = {**settings.CACHES, "tandem": {"BACKEND": MEMORY, "LOCATION": prefix}}
        yield prefix
        return
    redis = pytest.importorskip("redis")
    options = {"serializer": "tandem.cache.JSONSerializer"}
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {
        **settings.CACHES,
        "tandem": {"BACKEND": backend, "LOCATION": REDIS, "KEY_PREFIX": prefix, "OPTIONS": options},
    }
    with redis.Redis.from_url(REDIS, socket_connect_timeout=1) as client:
        try:
            client.ping()
        except redis.RedisError:
            pytest.skip("no Redis answers")
        yield prefix
        for name in client.scan_iter(f"{prefix}:*"):
            client.delete(name)


def key_of(member: Member, limit: int = 5) -> str:
    return lists.key_of("posts", "posts", "hybrid-recommendations", str(member.pk), limit, {}, False)


def ask(member: Member, limit: int = 5) -> dict[str, Any]:
    return recommend(**POINT, user_id=str(member.pk), limit=limit)


@pytest.fixture
def server(service_at: Point, posts: list[Post]) -> Iterator[FaultServer]:
    with FaultServer(blog.serves_posts(posts)) as running:
        service_at(running.url)
        yield running


def test_hits_are_counted_once_per_list_shown_again(server: FaultServer, rob: Member) -> None:
    ask(rob)
    assert lists.hits_of(key_of(rob)) == 0
    for times in (1, 2, 3):
        ask(rob)
        assert lists.hits_of(key_of(rob)) == times
    assert len(server.asked) == 1


def test_hits_stand_at_the_lists_own_key(server: FaultServer, rob: Member) -> None:
    ask(rob)
    ask(rob)
    assert cache.get(f"recs:fresh:{key_of(rob)}:hits") == 1


def test_every_question_has_a_count_of_its_own(server: FaultServer, rob: Member, cara: Member) -> None:
    for member, limit, times in ((rob, 5, 3), (rob, 6, 2), (cara, 5, 1)):
        for _ in range(times + 1):
            ask(member, limit)
    assert [lists.hits_of(key_of(*one)) for one in ((rob, 5), (rob, 6), (cara, 5))] == [3, 2, 1]


def test_two_members_never_share_an_entry(server: FaultServer) -> None:
    members = [blog.make_member(f"M{place}") for place in range(8)]
    requests: dict[str, set[str]] = {}
    for _ in range(3):
        for member in members:
            answer = ask(member)
            assert answer["user_id"] == str(member.pk)
            requests.setdefault(str(member.pk), set()).add(answer["request_id"])
    assert {len(own) for own in requests.values()} == {1}
    assert len(set().union(*requests.values())) == len(members) == len(server.asked)


def test_a_list_is_kept_for_ten_minutes_and_its_count_exactly_as_long(
    server: FaultServer, rob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives: dict[str, int] = {}
    real = type(cache._connections["tandem"]).set  # type: ignore[attr-defined]  # the class behind Django's proxy

    def noted(self: Any, key: str, value: Any, timeout: int, **more: Any) -> None:
        lives[key] = timeout
        real(self, key, value, timeout, **more)

    monkeypatch.setattr(type(cache._connections["tandem"]), "set", noted)  # type: ignore[attr-defined]  # as above
    ask(rob)
    fresh = lives[f"recs:fresh:{key_of(rob)}"]
    assert 540 <= fresh <= 660
    assert lives[f"recs:fresh:{key_of(rob)}:hits"] == fresh


def test_a_count_ends_with_its_list_and_begins_again_with_the_next(server: FaultServer, rob: Member, posts: list[Post]) -> None:
    ask(rob)
    ask(rob)
    cache.delete_many([f"recs:fresh:{key_of(rob)}", f"recs:fresh:{key_of(rob)}:hits"])  # as after ten minutes
    ask(rob)
    assert lists.hits_of(key_of(rob)) == 0
    ask(rob)
    blog.did(rob, posts[20], "like", days_ago=0)  # a new deed makes the list stale
    ask(rob)
    assert lists.hits_of(key_of(rob)) == 0
    assert len(server.asked) == 3


def test_a_count_that_went_a_moment_early_is_not_made_again_without_an_end(server: FaultServer, rob: Member) -> None:
    ask(rob)
    cache.delete(f"recs:fresh:{key_of(rob)}:hits")
    ask(rob)
    assert cache.get(f"recs:fresh:{key_of(rob)}:hits") is None


def test_everything_that_is_stored_ends_some_day(
    server: FaultServer, rob: Member, kept_in: str, request: pytest.FixtureRequest
) -> None:
    for _ in range(3):
        ask(rob)
    backend = cache._connections["tandem"]  # type: ignore[attr-defined]  # the cache behind Django's proxy
    if hasattr(backend, "_expire_info"):
        assert len(backend._expire_info) >= 5
        assert all(moment is not None for moment in backend._expire_info.values())
        return
    client = backend._cache.get_client(None)
    names = list(client.scan_iter(f"{kept_in}:*"))
    assert len(names) >= 5
    assert min(client.ttl(name) for name in names) > 0


def test_the_day_counts_every_members_hits_and_a_thousand_hits_are_one_small_number(
    server: FaultServer, rob: Member, cara: Member
) -> None:
    for _ in range(4):
        ask(rob)
        ask(cara)
    (today, yesterday) = reuse_by_day(**POINT, days=2)
    assert (today.made, today.hits, today.rate) == (2, 6, 0.75)
    assert (yesterday.made, yesterday.hits, yesterday.rate) == (0, None, None)
    assert lists.hits_by_day("startups:for-developer", [today.day]) == {}


def test_with_the_cache_gone_lists_are_made_and_no_hit_is_told(
    server: FaultServer, rob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any, **_more: Any) -> None:
        raise ConnectionError("gone")

    for name in ("get", "get_many", "set", "incr", "add"):
        monkeypatch.setattr(type(cache._connections["tandem"]), name, refuse)  # type: ignore[attr-defined]  # as above
    assert ask(rob)["request_id"] != ask(rob)["request_id"]
    assert lists.hits_of(key_of(rob)) == 0
    assert [day.hits for day in reuse_by_day(**POINT, days=3)] == [None, None, None]


def test_staff_see_the_rate_of_each_day_and_of_all(
    server: FaultServer, rob: Member, client: Client, admin_client: Client
) -> None:
    for _ in range(4):
        ask(rob)
    client.force_login(rob.account)
    assert client.get("/recommend/cache-hits/").status_code == 403
    body = admin_client.get("/recommend/cache-hits/").json()
    assert {name: body[name] for name in ("use_case", "surface", "cache_seconds", "made", "hits", "hit_rate")} == {
        **POINT, "cache_seconds": 600, "made": 1, "hits": 3, "hit_rate": 0.75,
    }  # fmt: skip
    assert len(body["days"]) == 7
    assert body["days"][0]["hits"] == 3
    assert body["days"][6] == {"day": body["days"][6]["day"], "made": 0, "hits": None, "hit_rate": None}


def test_a_day_without_lists_has_no_rate() -> None:
    day = reuse_by_day(**POINT, days=1)[0]
    assert day == Reuse(day.day, 0, None)
    assert day.rate is None
