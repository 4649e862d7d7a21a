"""What the service reads of the site's database is what Django writes there."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import StaticPool

from recommendation_service.histories import database, interactions, outcomes, tables
from recommendation_service.histories.outcomes import NOTHING, Played, Scope
from tandem.models import CatalogueKey, EventKey, Impression, ItemKey, UserInteraction, UserKey

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SCOPE = Scope("courses", ("home",), "courses", NOW - timedelta(days=30), NOW)
REWARDS = {"enroll": 1.0, "click": 0.3}
CHANCES = {"hybrid": 0.925, "content": 0.075}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def opened() -> Iterator[Engine]:
    """The test's own database, opened as the service opens one."""
    told = connection.settings_dict
    if connection.vendor == "sqlite":  # in memory, shared by name within this process
        name = str(told["NAME"])
        engine = create_engine(
            "sqlite://", creator=lambda: sqlite3.connect(name, uri=True, check_same_thread=False), poolclass=StaticPool
        )
    else:
        url = f"postgresql://{told['USER']}:{told['PASSWORD']}@{told['HOST']}:{told['PORT'] or 5432}/{told['NAME']}"
        engine = database.open_database(url, connections=1, statement_timeout_ms=5_000)
    yield engine
    engine.dispose()


def shown(method: str, user: UserKey | None, hours_ago: float, **more: object) -> Impression:
    catalogue, _ = CatalogueKey.objects.get_or_create(name="courses")
    made: Impression = Impression.objects.create(
        request_id=uuid4(),
        user=user,
        catalogue=catalogue,
        use_case="courses",
        surface="home",
        method_used=method,
        time=NOW - timedelta(hours=hours_ago),
        **{"probabilities": CHANCES, **more},
    )
    return made


def did(user: UserKey, event: str, answers: Impression, hours_ago: float) -> None:
    catalogue = CatalogueKey.objects.get(name="courses")
    item, _ = ItemKey.objects.get_or_create(catalogue=catalogue, item_id="course_python_basic")
    kind, _ = EventKey.objects.get_or_create(name=event)
    when = NOW - timedelta(hours=hours_ago)
    UserInteraction.objects.create(
        user=user, item=item, catalogue=catalogue, kind=kind, time=when, request_id=answers.request_id
    )


def test_shown_lists_and_what_came_of_them_are_read_as_django_wrote_them(opened: Engine) -> None:
    ada = UserKey.objects.create(user_id="ada")
    enrolled, silent = shown("hybrid", ada, 48), shown("content", None, 3)
    skipped = [{"engine": "hybrid", "code": "not_trained", "detail": ""}]
    shown("content", ada, 2, degradation=skipped, degraded=True)
    did(ada, "click", enrolled, 47)
    did(ada, "enroll", enrolled, 1)
    did(ada, "view", silent, 2)
    found = sorted(outcomes.played(opened, SCOPE, REWARDS), key=lambda one: one.arm)
    assert found == [Played("content", 0.075, NOTHING), Played("hybrid", 0.925, "enroll")]
    assert outcomes.answers_since(opened, SCOPE, list(REWARDS), NOW - timedelta(hours=24)) == 1


def test_an_erased_person_is_gone_from_what_is_learned(opened: Engine) -> None:
    ada = UserKey.objects.create(user_id="ada")
    did(ada, "enroll", shown("hybrid", ada, 5), 4)
    ada.delete()
    assert outcomes.played(opened, SCOPE, REWARDS) == []


def test_interactions_are_read_with_outside_ids_oldest_first(opened: Engine) -> None:
    ada = UserKey.objects.create(user_id="ada")
    list_shown = shown("hybrid", ada, 5)
    did(ada, "enroll", list_shown, 1)
    did(ada, "click", list_shown, 4)
    found = list(interactions.recorded(opened, "courses"))
    assert [(one.user_id, one.item_id, one.event) for one in found] == [
        ("ada", "course_python_basic", "click"),
        ("ada", "course_python_basic", "enroll"),
    ]
    assert found[0].time == NOW - timedelta(hours=4)


def test_every_table_and_column_that_is_read_exists() -> None:
    assert len(tables.METADATA.tables) == 7
    with connection.cursor() as cursor:
        for table in tables.METADATA.tables.values():
            there = {column.name for column in connection.introspection.get_table_description(cursor, table.name)}
            assert {column.name for column in table.columns} <= there
