"""A creator, a reader, and thirty posts."""

import pytest

from sites.posts.models import Member, Post
from tests.support import blog


@pytest.fixture
def cara() -> Member:
    """A creator with an account."""
    return blog.make_member("Cara", is_creator=True, account=True)


@pytest.fixture
def rob() -> Member:
    """A reader with an account."""
    return blog.make_member("Rob", account=True)


@pytest.fixture
def posts(cara: Member) -> list[Post]:
    """Cara's posts, the newest first."""
    return blog.make_posts(30, cara)
