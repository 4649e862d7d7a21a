"""Keys of any text up to 255 characters: exported, mirrored and looked up by a hash where they are no valid ids."""

import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from hypothesis import assume, given
from hypothesis import strategies as st

from recommendation_service.domain.ids import HASHED, clean_id, is_nothing, public_id, spelled_id
from recommendation_service.errors import InvalidInput
from sites.startups.models import Startup
from tandem.event_sync.sync import sync_table
from tandem.events import Event
from tandem.identity import spelled_user_id, user_id_or_none
from tandem.item_ids import forget_hashed, typed_key
from tandem.selectors.items import available_ids, existing_ids, items_by_id
from tandem.services.erase_user import erase_user
from tandem.services.merge_users import merge_users
from tandem.services.record_interactions import record_interactions
from tandem.sources import ItemSource
from tests.library.models import Page, PageView, Work
from tests.library.site import interactions, mirrored

KEYS = (
    "news/2024/a-title", "cafe/\u0301", "s" * 80, "/" + "x" * 254, "with space", "h_" + "0" * 40, "\U0001f600",
    "-begins",
)  # fmt: skip
FORMS = ("cafe\u0301", "\u1100\u1161", "e\u0301\u00e9")  # decomposed, and a mix
MOMENT = datetime(2025, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _scanned_again() -> Iterator[None]:
    forget_hashed()
    yield
    forget_hashed()


@pytest.mark.parametrize("key", [*KEYS, "null", "NaN", " undefined"])
def test_an_odd_key_has_a_valid_id_that_is_always_the_same(key: str) -> None:
    assert clean_id(public_id(key)) == public_id(key) == public_id(key) != key


@pytest.mark.parametrize("key", ["cafe\u0301", "\u1100\u1161"])
def test_all_unicode_forms_of_a_key_have_one_id(key: str) -> None:
    forms = [unicodedata.normalize(form, key) for form in ("NFC", "NFD")]
    assert {public_id(each) for each in forms} == {forms[0]}


@pytest.mark.parametrize("key", ["1", "a-slug", "Ünïcode", "3f0c8b9e-4a52-4b52-9b3e-0a8f0c9d1e2f", ""])
def test_a_valid_id_stays(key: str) -> None:
    assert public_id(key) == key


@pytest.mark.django_db
def test_items_with_odd_keys_are_exported_mirrored_and_looked_up() -> None:
    events = {"view": Event(PageView, user="visitor")}
    with mirrored(events=events, queryset=Page.objects.all()) as mirror:
        pages = [Page.objects.create(path=key, title="Page") for key in (*KEYS, *FORMS, "valid")]
        for page in pages:
            PageView.objects.create(page=page, visitor="session/" + "7" * 100, time=MOMENT)
        source = mirror.source
        ids = {source.id_of(page) for page in pages}
        assert {record.item_id for record in source.records()} == ids
        assert {item for _, item, _ in interactions()} == ids
        assert {user for user, _, _ in interactions()} == {public_id("session/" + "7" * 100)}
        assert existing_ids(source=source, item_ids=ids) == ids
        assert available_ids(source=source, item_ids=ids, user_id=None) == ids
        assert {item.path for item in items_by_id(source=source, item_ids=ids).values()} == {*KEYS, *FORMS, "valid"}
        assert existing_ids(source=source, item_ids=[public_id("no/such/page")]) == set()
        changes = sync_table(mirror)
        assert (changes.added, changes.changed, changes.removed) == (0, 0, 0)


@pytest.mark.django_db
def test_a_function_that_returns_an_item_with_an_odd_key_gives_the_id_of_the_item() -> None:
    events = {"view": Event(PageView, user="visitor", item=lambda row: row.page)}
    with mirrored(events=events, queryset=Page.objects.all()) as mirror:
        page = Page.objects.create(path="news/2024/x", title="Page")
        PageView.objects.create(page=page, visitor="anna", time=MOMENT)
        assert {item for _, item, _ in interactions()} == {mirror.source.id_of(page)}


class Numbered(ItemSource):
    """Items with whole numbers as keys."""

    model = Work


class Paths(ItemSource):
    """Items with text as keys."""

    model = Page


class Uuids(ItemSource):
    """Items with UUIDs as keys."""

    model = Startup


@given(number=st.integers(1, 2**31 - 1), zeros=st.integers(0, 3), form=st.sampled_from(["{}", " {} ", "{}.0", "{}\n"]))
def test_every_spelling_of_a_number_is_one_item_and_one_person(number: int, zeros: int, form: str) -> None:
    digits = "0" * zeros + str(number)
    arabic = digits.translate({ord(str(digit)): chr(0x660 + digit) for digit in range(10)})
    for spelling in (form.format(digits), arabic):
        assert Numbered.spelled_item_id(spelling) == public_id(str(number))
        assert typed_key(get_user_model()._meta.pk, spelling) == str(number)


@given(key=st.uuids(), form=st.sampled_from([str, lambda key: key.hex, lambda key: str(key).upper(), lambda key: f" {key}\n"]))
def test_every_spelling_of_a_uuid_is_one_item(key: UUID, form: Callable[[UUID], str]) -> None:
    assert Uuids.spelled_item_id(form(key)) == str(key)


@given(key=st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn", "Cf"]), min_size=1, max_size=80))
def test_a_key_and_its_id_name_the_same_item_and_person(key: str) -> None:
    key = key.strip()
    assume(not is_nothing(key) and not HASHED.fullmatch(key))
    item = public_id(key)
    for spelling in (key, item, f"\t{key} ", *(unicodedata.normalize(form, key) for form in ("NFC", "NFD"))):
        assert Paths.spelled_item_id(spelling) == spelled_id(spelling) == item


@pytest.mark.parametrize("nothing", ["", " ", "None", "null", "NaN", "undefined", "N/A", "\t"])
def test_a_word_for_nothing_is_nobody(nothing: str) -> None:
    assert user_id_or_none(nothing) is None
    for spell in (spelled_user_id, Paths.spelled_item_id):
        with pytest.raises(InvalidInput):
            spell(nothing)


@pytest.mark.django_db
def test_the_history_of_any_spelling_is_one_and_erased_as_one() -> None:
    with mirrored(events={"view": Event(PageView, user="visitor")}, queryset=Page.objects.all()):
        page = Page.objects.create(path="news/2024/x", title="Page")
        PageView.objects.create(page=page, visitor="a visitor/7", time=MOMENT)
        sent = {"user_id": " a visitor/7 ", "item_id": "news/2024/x", "event": "view", "catalogue": "library"}
        (result,) = record_interactions([sent], source="a test", known_items_only=True)
        assert result.status == "accepted", result.errors
        assert len(set(interactions())) == 1
        merge_users("a visitor/8", "a visitor/7")
        assert erase_user(user_id="a visitor/7")["userinteraction"] == 2
