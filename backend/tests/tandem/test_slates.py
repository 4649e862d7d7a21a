"""Lists in templates, the links on their cards, and what a click records. The service is not running: lists are popular."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.db.utils import OperationalError
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.test.utils import override_settings
from django.urls import clear_url_caches, path

from recommendation_service.errors import InvalidInput, NotFound
from sites.startups.models import Developer, Startup
from tandem.event_sync import spool
from tandem.models import Impression, UserInteraction
from tandem.services import clicks, record_interactions
from tandem.slates import Slate, aslate, slate
from tests.support import board

pytestmark = pytest.mark.django_db

urlpatterns = [path("", lambda request: None)]  # a project that does not include tandem.urls


@pytest.fixture
def startups(monkeypatch: pytest.MonkeyPatch) -> list[Startup]:
    monkeypatch.setattr(Startup, "get_absolute_url", lambda startup: f"/one/{startup.pk}", raising=False)
    return board.make_startups(12)


@pytest.fixture
def account() -> User:
    return User.objects.create_user("ada", password="secret-secret")


@pytest.fixture
def ada(startups: list[Startup], account: User) -> Developer:
    return board.make_developer("Ada", account)


def rendered(template: str, user: Any, **context: Any) -> str:
    request = RequestFactory().get("/")
    request.user = user
    return Template("{% load tandem %}" + template).render(Context({"request": request, **context}))


def recorded() -> list[tuple[str, str, str]]:
    rows = UserInteraction.objects.order_by("pk")
    return list(rows.values_list("user__user_id", "item__item_id", "kind__name"))


def test_a_list_has_the_objects_of_the_site(ada: Developer) -> None:
    shown = slate("for-developer", user=ada, limit=3)
    assert [entry.position for entry in shown] == [1, 2, 3]
    assert all(isinstance(entry.object, Startup) and entry.object.name == entry.title for entry in shown)
    assert Impression.objects.get().user.user_id == str(ada.pk)  # type: ignore[union-attr]  # a list of Ada has a user


@pytest.mark.parametrize("how", ["profile", "account", "user id"])
def test_the_user_may_be_given_as(how: str, ada: Developer, account: User) -> None:
    user = {"profile": ada, "account": account, "user id": str(ada.pk)}[how]
    slate("for-developer", user=user, limit=3)
    assert Impression.objects.get().user.user_id == str(ada.pk)  # type: ignore[union-attr]  # a list of Ada has a user


@pytest.mark.parametrize("nobody", [None, "", AnonymousUser()])
def test_without_a_user_id_the_list_is_nobodys(nobody: Any, startups: list[Startup]) -> None:
    assert len(slate("for-developer", user=nobody, limit=3)) == 3
    assert Impression.objects.get().user is None


def test_a_list_about_an_item_takes_the_object_or_its_id(startups: list[Startup]) -> None:
    first = [entry.item_id for entry in slate("startups/similar", item=startups[0], limit=3)]
    assert first == [entry.item_id for entry in slate("startups/similar", item=str(startups[0].pk), limit=3)]
    assert str(startups[0].pk) not in first


@pytest.mark.parametrize("subject", ["00000000-0000-0000-0000-00000000ffff", "no-such-id", "x" * 300, "\x00"])
def test_a_subject_that_is_not_shown_gives_popular_items(subject: str, startups: list[Startup]) -> None:
    shown = slate("startups/similar", item=subject, limit=3)
    assert len(shown) == 3
    assert shown.degraded


def test_a_wrong_surface_breaks_no_page(startups: list[Startup], caplog: pytest.LogCaptureFixture) -> None:
    assert not slate("no-such-list")
    assert "no use case has a surface 'no-such-list'; the surfaces are" in caplog.text
    with override_settings(DEBUG=True), pytest.raises(NotFound):
        slate("no-such-list")


def test_a_surface_is_named_with_its_use_case_where_several_have_it(startups: list[Startup]) -> None:
    assert len(slate("startups/for-developer", limit=2)) == 2
    assert not slate("similar", item=startups[0])  # courses have such a list, too


@pytest.mark.parametrize("arguments", [{"limit": 0}, {"limit": 101}, {"limit": "8"}, {"filters": {"colour": ["red"]}}])
def test_a_wrong_argument_is_an_error_for_the_developer_only(arguments: dict[str, Any], startups: list[Startup]) -> None:
    assert not slate("for-developer", **arguments)
    with override_settings(DEBUG=True), pytest.raises(InvalidInput):
        slate("for-developer", **arguments)


def test_the_template_tag_uses_the_user_of_the_request(ada: Developer, account: User) -> None:
    template = '{% recommendations "for-developer" limit=2 as list %}{% for entry in list %}{{ entry.title }};{% endfor %}'
    assert rendered(template, account).count(";") == 2
    assert Impression.objects.get().user.user_id == str(ada.pk)  # type: ignore[union-attr]  # a list of Ada has a user


def test_other_arguments_of_the_tag_are_filters(startups: list[Startup]) -> None:
    template = '{% recommendations "for-developer" sector="health" as l %}{% for e in l %}{{ e.object.sector }} {% endfor %}'
    assert set(rendered(template, AnonymousUser()).split()) == {"health"}


def test_the_default_cards_show_titles_and_links(ada: Developer, account: User) -> None:
    page = rendered('{% recommendation_list "for-developer" limit=2 title="For you" %}', account)
    assert "<h2>For you</h2>" in page
    assert page.count("tandem-card") == 2
    assert page.count('href="/tandem/click/') == 2


def test_the_default_cards_escape_titles(startups: list[Startup]) -> None:
    Startup.objects.update(name="<script>alert(1)</script>")
    assert "<script>" not in rendered('{% recommendation_list "for-developer" limit=2 %}', AnonymousUser())


def test_an_empty_list_leaves_no_empty_box() -> None:
    assert rendered('{% recommendation_list "for-developer" %}', AnonymousUser()).strip() == ""


def test_a_click_is_recorded_once_and_leads_to_the_item(ada: Developer, account: User, client: Client) -> None:
    client.force_login(account)
    entry = slate("for-developer", user=account, limit=2).items[0]
    for _ in range(2):
        response = client.get(entry.click_url)
        assert response.status_code == 302
        assert response["Location"] == entry.url
    assert recorded() == [(str(ada.pk), entry.item_id, "view")]
    assert str(UserInteraction.objects.get().request_id) == entry.request_id


def test_a_click_before_the_impression_is_written_is_joined_with_it(ada: Developer, account: User, client: Client) -> None:
    client.force_login(account)
    entry = slate("for-developer", user=account, limit=2).items[0]
    Impression.objects.all().delete()  # it is written after the response, and the visitor was faster
    client.get(entry.click_url)
    assert str(UserInteraction.objects.get().request_id) == entry.request_id


def test_a_click_that_the_database_refuses_counts_once_later(
    ada: Developer, account: User, client: Client, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TANDEM = {**settings.TANDEM, "SPOOL_DIR": str(tmp_path)}
    client.force_login(account)
    entry, other = slate("for-developer", user=account, limit=2).items
    with monkeypatch.context() as patch:
        patch.setattr(record_interactions, "insert_interactions", _refuses)
        for _ in range(2):
            assert client.get(entry.click_url)["Location"] == entry.url
    assert recorded() == []
    client.get(other.click_url)
    assert sorted(recorded()) == sorted((str(ada.pk), item.item_id, "view") for item in (entry, other))
    assert {str(one.request_id) for one in UserInteraction.objects.all()} == {entry.request_id}
    assert list(tmp_path.glob("*.jsonl")) == []


def _refuses(*_args: Any, **_options: Any) -> Any:
    raise OperationalError("database is locked")


@pytest.mark.django_db(transaction=True)
def test_a_click_is_recorded_outside_the_transaction_of_the_request(
    ada: Developer, account: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(account)
    entry = slate("for-developer", user=account, limit=2).items[0]
    dismissed = rendered('{{ entry|event_url:"dismiss" }}', account, entry=entry)
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    inside: list[bool] = []
    monkeypatch.setattr(clicks, "record_answer", lambda row, **_options: inside.append(connection.in_atomic_block) or True)
    client.get(entry.click_url)
    client.post(dismissed)
    assert inside == [False, False]


@pytest.fixture
def other_writer() -> Iterator[Any]:
    """A second connection, which can hold the lock for writing; the first one does not wait for it."""
    other = connection.copy()
    with connection.cursor() as cursor:
        waits_ms = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute("PRAGMA busy_timeout = 0")
    yield other
    other.close()
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {waits_ms}")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite has one lock for all writers")
@pytest.mark.django_db(transaction=True)
def test_a_click_while_another_connection_writes_is_recorded_once_later(
    ada: Developer, account: User, client: Client, other_writer: Any, settings: Any, tmp_path: Path
) -> None:
    settings.TANDEM = {**settings.TANDEM, "SPOOL_DIR": str(tmp_path / "spool")}
    client.force_login(account)
    entry, second = slate("for-developer", user=account, limit=2).items
    with other_writer.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        assert client.get(entry.click_url)["Location"] == entry.url
        cursor.execute("ROLLBACK")
    assert recorded() == []
    client.get(second.click_url)  # replays what waits
    client.get(entry.click_url)
    spool.replay()
    assert sorted(item for _, item, _ in recorded()) == sorted([entry.item_id, second.item_id])
    shown = Impression.objects.get().request_id
    assert set(UserInteraction.objects.values_list("request_id", flat=True)) == {shown}


def test_a_click_of_another_user_leads_on_and_records_nothing(ada: Developer, account: User, client: Client) -> None:
    entry = slate("for-developer", user=account, limit=2).items[0]
    assert client.get(entry.click_url)["Location"] == entry.url
    other = User.objects.create_user("bob", password="secret-secret")
    board.make_developer("Bob", other)
    client.force_login(other)
    assert client.get(entry.click_url)["Location"] == entry.url
    assert recorded() == []


@pytest.mark.parametrize("prefetch", ["prefetch", "prefetch;prerender"])
def test_a_prefetch_records_nothing(prefetch: str, ada: Developer, account: User, client: Client) -> None:
    client.force_login(account)
    entry = slate("for-developer", user=account, limit=2).items[0]
    client.get(entry.click_url, headers={"Sec-Purpose": prefetch})
    client.head(entry.click_url)
    assert recorded() == []


@pytest.mark.parametrize("damage", [lambda url: url[:-1] + "x", lambda url: "/tandem/click/abc", lambda url: url + "/.."])
def test_a_changed_link_is_404(damage: Any, ada: Developer, account: User, client: Client) -> None:
    client.force_login(account)
    entry = slate("for-developer", user=account, limit=2).items[0]
    assert client.get(damage(entry.click_url)).status_code == 404
    assert recorded() == []


def test_a_click_on_an_item_that_is_gone_is_404(ada: Developer, account: User, client: Client) -> None:
    entry = slate("for-developer", user=account, limit=2).items[0]
    url = entry.click_url
    Startup.objects.filter(pk=entry.item_id).delete()
    assert client.get(url).status_code == 404


def test_a_page_sends_events_without_a_csrf_token(ada: Developer, account: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(account)
    shown = slate("for-developer", user=account, limit=2)
    url = rendered('{{ entry|event_url:"dismiss" }}', account, entry=shown.items[1])
    assert client.post(url).status_code == 204
    assert recorded() == [(str(ada.pk), shown.items[1].item_id, "dismiss")]
    assert client.get(url).status_code == 405


def test_an_event_that_the_use_case_does_not_have_records_nothing(ada: Developer, account: User, client: Client) -> None:
    client.force_login(account)
    entry = slate("for-developer", user=account, limit=2).items[0]
    assert client.post(entry.event("teleport").url("tandem:event")).status_code == 204
    assert recorded() == []


@override_settings(ROOT_URLCONF=__name__)
def test_a_project_without_the_addresses_links_straight_to_the_items(startups: list[Startup]) -> None:
    clear_url_caches()
    shown = slate("for-developer", limit=2)
    assert [entry.click_url for entry in shown] == [entry.url for entry in shown]
    assert shown.items[0].event("view").url() == ""


def test_an_async_view_awaits_a_list(startups: list[Startup]) -> None:
    shown = async_to_sync(aslate)("for-developer", limit=2)
    assert isinstance(shown, Slate)
    assert len(shown) == 2


def test_lists_of_one_page_do_not_repeat_each_other() -> None:
    board.make_startups(12)
    first = slate("startups/for-developer", limit=4)
    second = slate("startups/for-developer", limit=4, exclude=first)
    third = slate("startups/for-developer", limit=4, exclude=[first, *second])
    ids = [entry.item_id for each in (first, second, third) for entry in each]
    assert len(set(ids)) == len(ids) == 12


def test_popular_items_of_a_page_without_its_subject_leave_out_the_lists_above(startups: list[Startup]) -> None:
    first = slate("startups/similar", item="00000000-0000-0000-0000-00000000ffff", limit=4)
    second = slate("startups/similar", item="00000000-0000-0000-0000-00000000ffff", limit=4, exclude=first)
    assert len(first) == len(second) == 4
    assert not {entry.item_id for entry in first} & {entry.item_id for entry in second}
