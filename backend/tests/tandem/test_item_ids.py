"""Keys of any text up to 255 characters: exported, mirrored and looked up by a hash where they are no valid ids."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from recommendation_service.domain.ids import clean_id
from tandem.event_sync.sync import sync_table
from tandem.events import Event
from tandem.item_ids import forget_hashed, public_id
from tandem.selectors.items import available_ids, existing_ids, items_by_id
from tests.library.models import Page, PageView
from tests.library.site import interactions, mirrored

KEYS = (
    "news/2024/a-title", "cafe\u0301", "s" * 80, "/" + "x" * 254, "with space", "h_" + "0" * 40, "\U0001f600",
    "\u1100\u1161", "-begins",
)  # fmt: skip
MOMENT = datetime(2025, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _scanned_again() -> Iterator[None]:
    forget_hashed()
    yield
    forget_hashed()


@pytest.mark.parametrize("key", KEYS)
def test_an_odd_key_has_a_valid_id_that_is_always_the_same(key: str) -> None:
    assert clean_id(public_id(key)) == public_id(key) == public_id(key) != key


@pytest.mark.parametrize("key", ["1", "a-slug", "Ünïcode", "3f0c8b9e-4a52-4b52-9b3e-0a8f0c9d1e2f", ""])
def test_a_valid_id_stays(key: str) -> None:
    assert public_id(key) == key


@pytest.mark.django_db
def test_items_with_odd_keys_are_exported_mirrored_and_looked_up() -> None:
    events = {"view": Event(PageView, user="visitor")}
    with mirrored(events=events, queryset=Page.objects.all()) as mirror:
        pages = [Page.objects.create(path=key, title="Page") for key in (*KEYS, "valid")]
        for page in pages:
            PageView.objects.create(page=page, visitor="session/" + "7" * 100, time=MOMENT)
        source = mirror.source
        ids = {source.id_of(page) for page in pages}
        assert {record.item_id for record in source.records()} == ids
        assert {item for _, item, _ in interactions()} == ids
        assert {user for user, _, _ in interactions()} == {public_id("session/" + "7" * 100)}
        assert existing_ids(source=source, item_ids=ids) == ids
        assert available_ids(source=source, item_ids=ids, user_id=None) == ids
        assert {item.path for item in items_by_id(source=source, item_ids=ids).values()} == {*KEYS, "valid"}
        assert existing_ids(source=source, item_ids=[public_id("no/such/page")]) == set()
        changes = sync_table(mirror)
        assert (changes.added, changes.changed, changes.removed) == (0, 0, 0)
