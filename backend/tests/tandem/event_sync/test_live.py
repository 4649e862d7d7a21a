"""A site's own event table is mirrored: saved, changed, deleted, and written past Django's signals."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, models
from django.db.models.signals import post_delete, post_save, pre_delete
from django.test.utils import CaptureQueriesContext

from sites.posts.models import Like
from sites.startups.models import Developer, Startup
from tandem import cache
from tandem.event_sync import refresh, sync
from tandem.event_sync.live import connect
from tandem.event_sync.mirror import Mirror, MirrorError, all_mirrors, build, mirror_of
from tandem.events import Event
from tandem.models import UserInteraction
from tandem.sources import source_of
from tests.support import blog
from tests.support.board import make_developer, make_startups

MOMENT = datetime(2025, 3, 1, tzinfo=UTC)


class Applied(models.Model):
    """An event table as a site might have it; DO_NOTHING keeps it out of other tests' deletions."""

    startup = models.ForeignKey(Startup, models.DO_NOTHING, db_constraint=False, related_name="+")
    developer = models.ForeignKey(Developer, models.DO_NOTHING, db_constraint=False, related_name="+")
    created_at = models.DateTimeField(default=MOMENT)
    value = models.FloatField(null=True)

    class Meta:
        app_label = "mirror_tests"


class Noted(models.Model):
    """An event table whose columns cannot be guessed."""

    about = models.CharField(max_length=64)
    person = models.CharField(max_length=64)

    class Meta:
        app_label = "mirror_tests"


def startups_source() -> Any:
    return source_of("startups")


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch, db: None) -> Iterator[Mirror]:
    """The table exists and is mirrored as applications."""
    if connection.vendor == "mysql":
        pytest.skip("creating a table there ends the test's transaction; test_shapes.py covers MariaDB")
    number = "bigserial" if connection.vendor == "postgresql" else "integer"
    uuid_type = "uuid" if connection.vendor == "postgresql" else "char(32)"
    moment = "timestamptz" if connection.vendor == "postgresql" else "datetime"
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE mirror_tests_applied (id {number} PRIMARY KEY, startup_id {uuid_type}, "
            f"developer_id {uuid_type}, created_at {moment}, value double precision)"
        )
    found = build(startups_source(), "apply", Event(Applied, event="apply"))
    connect(found)
    connect(found)
    monkeypatch.setattr(sync, "all_mirrors", lambda: [found])
    yield found
    for signal in (post_save, post_delete, pre_delete):
        signal.receivers = [one for one in signal.receivers if "mirror_tests" not in str(one[0][0])]
        signal.sender_receivers_cache.clear()


def test_columns_are_found_by_where_they_lead() -> None:
    found = build(startups_source(), "apply", Event(Applied, event="apply"))
    assert found.columns == {"item": "startup", "user": "developer", "time": "created_at", "value": "value"}


def test_columns_that_cannot_be_found_are_asked_for() -> None:
    with pytest.raises(MirrorError, match="no field that is the item"):
        build(startups_source(), "apply", Event(Noted, event="apply"))


def test_declared_columns_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startups_source(), "event_fields", {"apply": {"item": "about"}})
    monkeypatch.setattr(startups_source(), "events", {"apply": Noted})
    assert mirror_of(startups_source(), "apply").columns == {"item": "about", "user": "person"}


def test_a_saved_row_is_an_interaction(mirror: Mirror) -> None:
    (startup,), ada = make_startups(1), make_developer("Ada")
    Applied.objects.create(startup=startup, developer=ada, value=2.0)
    written = UserInteraction.objects.select_related("user", "item", "kind").get()
    assert (written.user.user_id, written.item.item_id, written.kind.name) == (str(ada.pk), str(startup.pk), "apply")
    assert (written.time, written.value) == (MOMENT, 2.0)


def test_a_changed_row_changes_its_interaction(mirror: Mirror) -> None:
    (startup,), ada = make_startups(1), make_developer("Ada")
    applied = Applied.objects.create(startup=startup, developer=ada, value=2.0)
    applied.value = 5.0
    applied.save()
    assert [one.value for one in UserInteraction.objects.all()] == [5.0]


@pytest.mark.django_db(transaction=True)
def test_a_change_that_cannot_be_recorded_keeps_the_old_interaction(monkeypatch: pytest.MonkeyPatch) -> None:
    author, reader = blog.make_member("Author"), blog.make_member("Reader")
    like = Like.objects.create(post=blog.make_posts(1, author)[0], member=reader)
    before = list(UserInteraction.objects.values_list("event_id", "time"))

    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError("the database is gone")

    monkeypatch.setattr(refresh, "insert_interactions", fail)
    like.created_at = MOMENT
    like.save()
    assert list(UserInteraction.objects.values_list("event_id", "time")) == before != []


@pytest.mark.django_db(transaction=True)
def test_a_removed_row_makes_cached_lists_of_its_user_stale() -> None:
    author, reader = blog.make_member("Author"), blog.make_member("Reader")
    like = Like.objects.create(post=blog.make_posts(1, author)[0], member=reader)
    before = cache.cache_version(str(reader.pk))
    like.delete()
    assert cache.cache_version(str(reader.pk)) != before


def test_item_ids_of_another_column_cost_no_query_per_row(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    startups, ada = make_startups(8), make_developer("Ada")
    Applied.objects.bulk_create(Applied(startup=startup, developer=ada) for startup in startups)
    monkeypatch.setattr(startups_source(), "item_id", "founded_at")
    rebuilt = build(startups_source(), "apply", mirror.event)
    monkeypatch.setattr(sync, "all_mirrors", lambda: [rebuilt])
    with CaptureQueriesContext(connection) as queries:
        assert sync.sync_interactions() == {"startups.apply": 8}
    assert sum("startups_startup" in query["sql"] for query in queries) == 1
    assert set(UserInteraction.objects.values_list("item__item_id", flat=True)) == {
        str(startup.founded_at) for startup in startups
    }


def test_a_deleted_row_takes_its_interaction_along(mirror: Mirror) -> None:
    (startup,), ada = make_startups(1), make_developer("Ada")
    kept = Applied.objects.create(startup=startup, developer=ada)
    Applied.objects.create(startup=startup, developer=ada).delete()
    assert [one.event_id for one in UserInteraction.objects.all()] == [mirror.event_id(kept.pk)]


def test_rows_written_past_the_signals_are_caught_up_with_once(mirror: Mirror) -> None:
    startups, ada = make_startups(3), make_developer("Ada")
    Applied.objects.bulk_create(Applied(startup=one, developer=ada) for one in startups)
    assert not UserInteraction.objects.exists()
    out = io.StringIO()
    call_command("sync_interactions", stdout=out)
    call_command("sync_interactions", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0] == "startups.apply: 3 added"
    assert lines[2] == "startups.apply: 0 added"
    assert UserInteraction.objects.count() == 3


def test_without_event_tables_the_command_says_so(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "all_mirrors", list)
    out = io.StringIO()
    call_command("sync_interactions", stdout=out)
    assert "no source declares event tables" in out.getvalue()


def test_a_declaration_that_cannot_be_mirrored_does_not_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startups_source(), "events", {"apply": Noted})
    assert "startups" not in {mirror.source.catalogue for mirror in all_mirrors()}
