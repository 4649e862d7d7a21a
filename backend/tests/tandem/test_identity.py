"""From an account to the ids whose lists it may see."""

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User

from sites.movies.models import Viewer
from tandem import identity, sources
from tandem.api.authentication import TokenUser
from tests.support import board

pytestmark = pytest.mark.django_db


def shouting(user: User) -> str:
    """A site's own way to name people."""
    return user.username.upper()


def test_nobody_has_no_id() -> None:
    assert identity.user_id_of(AnonymousUser()) is None
    assert identity.user_id_of(None) is None


def test_an_account_is_the_people_it_is_linked_to() -> None:
    account = User.objects.create_user("ada")
    developer = board.make_developer("Ada", account)
    viewer = Viewer.objects.create(pk="v1", account=account)
    assert set(identity.user_ids_of(account)) == {str(developer.pk), "v1"}
    assert identity.user_ids_of(account, catalogue="movies") == (viewer.pk,)
    assert identity.user_ids_of(account, catalogue="startups") == (str(developer.pk),)


def test_an_account_without_a_person_has_no_id_where_sites_link_people() -> None:
    assert identity.user_id_of(User.objects.create_user("ada")) is None


def test_where_no_site_links_people_the_id_is_the_accounts_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_registry", {})
    account = User.objects.create_user("ada")
    assert identity.user_id_of(account) == str(account.pk)


def test_a_token_is_its_subject() -> None:
    assert identity.user_id_of(TokenUser("u1")) == "u1"


def test_a_site_may_name_its_own_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.TANDEM, "USER_ID", f"{__name__}.shouting")
    monkeypatch.setattr("tandem.identity.import_string", lambda path: shouting)
    assert identity.user_id_of(User.objects.create_user("ada")) == "ADA"
