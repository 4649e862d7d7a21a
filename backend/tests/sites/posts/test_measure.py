"""measure_posts_lists: what it prints is what was asked, with a service and without one."""

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from sites.posts.models import Member, Post
from tandem.service_client.client import RecommendationClient
from tests.support import blog
from tests.support.faults import FaultServer

pytestmark = pytest.mark.django_db(transaction=True)
Point = Callable[[str], RecommendationClient]


def measured(**options: int) -> list[str]:
    out = StringIO()
    call_command("measure_posts_lists", stdout=out, **options)
    return out.getvalue().splitlines()


def test_it_asks_everybody_twice_and_says_who_answered(service_at: Point, rob: Member, posts: list[Post]) -> None:
    with FaultServer(blog.serves_posts(posts)) as server:
        service_at(server.url)
        lines = measured(topn=5)
        assert len(server.asked) == 1 + 2  # one to warm up, and one for each of the two members
    assert lines[:2] == ["lists of 5 for 2 members: 2 by hybrid", "full 100.0%, empty 0"]
    assert lines[2].startswith("made:   ")
    assert lines[3].endswith("; 100.0% of the second requests")


def test_without_the_service_it_says_so_by_the_method(service_at: Point, rob: Member, posts: list[Post]) -> None:
    service_at("http://127.0.0.1:9")
    lines = measured(people=1)
    assert lines[0] == "lists of 12 for 1 members: 1 by popular"
    assert lines[3] == "cached: none; 0.0% of the second requests"


@pytest.mark.parametrize(("options", "told"), [({"topn": 0}, "1 to 100"), ({"people": 0}, "1 or more"), ({}, "no members")])
def test_what_cannot_be_measured_is_told(options: dict[str, int], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        measured(**options)
