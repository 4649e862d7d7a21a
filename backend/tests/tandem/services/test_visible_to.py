"""`visible_to`: items that a user may not see are in none of the user's lists, whatever the service answers."""

from typing import Any

import pytest
from django.db.models import Q
from django.db.utils import OperationalError

from sites.startups.models import Developer, Startup
from tandem.selectors import items as item_selectors
from tandem.services.recommend import recommend
from tandem.sources import ItemSource, source_of
from tests.support.faults import FaultServer, good
from tests.tandem.services.asking import LIMIT, Point, ids, shown

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def blocked(monkeypatch: pytest.MonkeyPatch, startups: list[Startup], ada: Developer) -> list[Startup]:
    """The first three startups, which Ada and users without an account may not see."""
    source: Any = source_of("startups")
    hidden = startups[:3]

    def visible_to(_cls: type[ItemSource], user: str | None) -> Q | None:
        return ~Q(pk__in=[startup.pk for startup in hidden]) if user in (None, str(ada.pk)) else None

    monkeypatch.setattr(source, "visible_to", classmethod(visible_to))
    return hidden


def recommended(user_id: Any) -> list[str]:
    return shown(recommend(use_case="startups", surface="for-developer", user_id=str(user_id), limit=LIMIT))


def test_the_service_is_asked_to_leave_them_out_and_its_answer_is_checked(
    service_at: Point, startups: list[Startup], blocked: list[Startup], ada: Developer
) -> None:
    with FaultServer(good(ids(startups))) as server:
        service_at(server.url)
        items = recommended(ada.pk)
    assert set(server.asked[0]["exclude"]) == set(ids(blocked))
    assert len(items) == LIMIT
    assert not set(items) & set(ids(blocked))


def test_other_users_see_them(service_at: Point, startups: list[Startup], blocked: list[Startup]) -> None:
    with FaultServer(good(ids(startups))) as server:
        service_at(server.url)
        assert set(ids(blocked)) <= set(recommended("another-user"))


def test_without_the_service_they_stay_out(startups: list[Startup], blocked: list[Startup], ada: Developer) -> None:
    items = recommended(ada.pk)
    assert len(items) == LIMIT
    assert not set(items) & set(ids(blocked))


def test_without_the_database_nothing_is_shown_that_cannot_be_checked(
    service_at: Point, startups: list[Startup], blocked: list[Startup], ada: Developer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError("the database is gone")

    monkeypatch.setattr(item_selectors, "_ids_in", fail)
    with FaultServer(good(ids(startups))) as server:
        service_at(server.url)
        assert not set(recommended(ada.pk)) & set(ids(blocked))
