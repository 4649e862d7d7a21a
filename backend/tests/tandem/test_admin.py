"""The admin shows why something was shown, writes nothing, and never counts a table."""

import uuid
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tandem.models import CatalogueKey, Feedback, Impression, ImpressionItem, ItemKey, UserInteraction, UserKey
from tests.support.board import did, hides, make_startups

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def shown() -> Impression:
    did("u1", "i1")
    hides("u1", "i1")
    impression = Impression.objects.create(
        request_id=uuid.uuid4(),
        user=UserKey.objects.get(user_id="u1"),
        catalogue=CatalogueKey.objects.get(name="startups"),
        use_case="startups",
        surface="for-developer",
        method_used="als",
        time=datetime(2025, 3, 1, tzinfo=UTC),
    )
    ImpressionItem.objects.create(impression=impression, item=ItemKey.objects.get(item_id="i1"), position=1, score=0.5)
    return impression


@pytest.mark.parametrize("model", [Impression, UserInteraction, Feedback])
def test_a_list_shows_rows_without_counting(staff: Client, shown: Impression, model: type) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = staff.get(f"/admin/tandem/{model.__name__.lower()}/")
    assert answer.status_code == 200
    assert b"u1" in answer.content
    assert not [one for one in queries.captured_queries if "COUNT(" in one["sql"].upper()]


def test_a_list_that_was_shown_can_be_read_but_not_changed(staff: Client, shown: Impression) -> None:
    path = f"/admin/tandem/impression/{shown.pk}/change/"
    answer = staff.get(path)
    assert answer.status_code == 200
    assert b"i1" in answer.content
    assert b'name="_save"' not in answer.content
    assert staff.post(path, {}).status_code == 403
    assert staff.post(path.replace("change", "delete"), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("page", ["userinteraction", "feedback", "itemkey"])
def test_items_are_shown_by_title_with_a_bounded_number_of_queries(staff: Client, page: str) -> None:
    counts, startups = [], make_startups(6)
    for recorded in (startups[:3], startups[3:]):
        for startup in recorded:
            did("u1", str(startup.pk))
            hides("u1", str(startup.pk))
        with CaptureQueriesContext(connection) as queries:
            answer = staff.get(f"/admin/tandem/{page}/")
        assert f"{startup.name} ({startup.pk})" in answer.content.decode()
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_an_item_that_is_gone_is_shown_by_id(staff: Client, shown: Impression) -> None:
    assert "i1" in staff.get("/admin/tandem/userinteraction/").content.decode()


def test_a_shown_list_has_titles(staff: Client, shown: Impression) -> None:
    (startup,) = make_startups(1)
    key = ItemKey.objects.create(catalogue=CatalogueKey.objects.get(name="startups"), item_id=str(startup.pk))
    ImpressionItem.objects.create(impression=shown, item=key, position=2, score=0.4)
    assert f"{startup.name} ({startup.pk})" in staff.get(f"/admin/tandem/impression/{shown.pk}/change/").content.decode()
