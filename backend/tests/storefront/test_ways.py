"""Who answers may be chosen on the page, and what one click did to the list is marked on it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from tests.support.board import make_developer, make_startups
from tests.support.paging import answer_to, clicked, hidden, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo")]
Served = Callable[..., list[dict[str, Any]]]


def turned(answer: dict[str, Any]) -> dict[str, Any]:
    """The same answer from its last item to its first."""
    items = list(reversed(answer["recommendations"]))
    return {**answer, "recommendations": [{**item, "position": place} for place, item in enumerate(items, start=1)]}


class TestWhoAnswers:
    def test_may_be_chosen_and_stays_chosen_after_aclicked(self, client: Client, served: Served) -> None:
        asked = served("next_item")
        make_startups(3)
        ada = make_developer("Ada")
        page = client.get(f"/startups/?person={ada.pk}&by=next_item")
        assert f'href="?person={ada.pk}&amp;by=next_item#list" aria-current="true">what comes next</a>' in page.content.decode()
        answer = clicked(client, page, "like", by=hidden(page, "by"))
        assert answer["Location"] == f"/startups/?person={ada.pk}&by=next_item#list"
        assert [one["strategy"] for one in asked] == ["next_item", "next_item"]

    @pytest.mark.parametrize("by", ["", "nonsense", "<b>"])
    def test_is_the_sites_own_choice_otherwise(self, client: Client, served: Served, by: str) -> None:
        asked = served()
        make_startups(1)
        page = client.get("/startups/", {"person": make_developer("Ada").pk, "by": by})
        assert re.search(r'#list" aria-current="true">chosen by the site</a>', page.content.decode())
        assert asked[0]["strategy"] is None

    def test_is_no_choice_of_a_visitors(self, client: Client, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings, "STOREFRONT_DEMO", False)
        asked = served()
        make_startups(1)
        user = User.objects.create_user("ada")
        make_developer("Ada", account=user)
        client.force_login(user)
        assert "chosen by the site" not in text_of(client.get("/startups/?by=next_item"))
        assert asked[0]["strategy"] is None


class TestAClick:
    def test_that_left_the_others_as_they_were_says_so(self, client: Client, served: Served) -> None:
        served()
        make_startups(12)
        answer = clicked(client, client.get(f"/startups/?person={make_developer('Ada').pk}"), "like", htmx=True)
        assert "The other items kept their positions." in text_of(answer)
        assert re.findall(r'class="moved">([^<]*)', answer.content.decode()) == [
            "new"
        ]  # it fills the place of the one that left

    def test_that_turned_the_list_around_marks_every_place(
        self, client: Client, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        served()
        make_startups(5)
        page = client.get(f"/startups/?person={make_developer('Ada').pk}")
        monkeypatch.setattr("tests.storefront.conftest.answer_to", lambda *about: turned(answer_to(*about)))
        answer = clicked(client, page, "like", htmx=True)
        assert re.findall(r'class="moved">([^<]*)', answer.content.decode()) == ["was 4", "was 3", "was 2", "was 1"]
        assert "Without any training: 4 moved, 0 new." in text_of(answer)

    def test_says_nothing_of_places_where_the_list_was_another_persons(self, client: Client, served: Served) -> None:
        served()
        make_startups(5)
        eves = client.get(f"/startups/?person={make_developer('Eve').pk}")
        answer = clicked(client, eves, "like", htmx=True, person=str(make_developer("Ada").pk))
        assert "kept their places" not in text_of(answer)
        assert 'class="moved"' not in answer.content.decode()
