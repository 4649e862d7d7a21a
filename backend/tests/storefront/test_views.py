"""The page by itself: who may see whom, what a click records, and what is said when the service is away."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sites.startups.models import Developer, Investor, Startup
from storefront import permissions
from tandem.models import Feedback, Impression, UserInteraction
from tandem.service_client import client as hop
from tandem.service_client.client import RecommendationClient, ServiceFailed
from tests.support.board import did_often, make_developer, make_startups
from tests.support.paging import clicked, hidden, text_of

pytestmark = pytest.mark.django_db
Served = Callable[..., list[dict[str, Any]]]


def test_a_site_with_a_page_of_its_own_is_listed_once_and_the_shared_page_leads_there(client: Client, demo: None) -> None:
    assert client.get("/").content.decode().count('href="/cleaning/"') == 1
    for catalogue in ("cleaners", "jobs"):
        response = client.get(f"/{catalogue}/")
        assert (response.status_code, response["Location"]) == (302, "/cleaning/")
        assert client.get(f"/{catalogue}/item/1/").status_code == 404
        assert client.post(f"/{catalogue}/action/").status_code == 404
    assert [address for address, _ in permissions.listed_sites()].count("/cleaning/") == 1


def test_the_shared_statistics_are_no_page_of_a_site_with_its_own(admin_client: Client) -> None:
    for site in ("cleaners", "jobs", "cleaning"):
        assert admin_client.get(f"/{site}/statistics/").status_code == 404


class TestWhoMaySeeWhom:
    def test_a_stranger_sees_the_sites_and_nobody_of_them(self, client: Client) -> None:
        make_startups(3)
        ada = make_developer("Ada")
        assert "3 items · 1 people · 0 interactions" in text_of(client.get("/"))
        page = client.get("/startups/")
        assert "Sign in to see your recommendations" in text_of(page)
        assert "Ada" not in text_of(page)
        assert client.get(f"/startups/?person={ada.pk}").status_code == 404

    def test_a_visitor_sees_their_own_list_and_no_one_elses(self, client: Client, served: Served) -> None:
        served()
        make_startups(3)
        client.force_login(User.objects.create_user("ada"))
        mine = make_developer("Ada", account=User.objects.get())
        other = make_developer("Eve")
        assert "For Ada" in text_of(client.get("/startups/"))
        assert client.get(f"/startups/?person={mine.pk}").status_code == 200
        answers = [client.get(f"/startups/?person={wanted}") for wanted in (other.pk, uuid.uuid4(), "nobody", "<x>", "'")]
        assert [answer.status_code for answer in answers] == [404] * 5
        assert len({answer.content for answer in answers}) == 1
        assert "Eve" not in text_of(client.get("/startups/?q=eve"))

    def test_a_visitor_cannot_click_for_someone_else(self, client: Client) -> None:
        (startup,) = make_startups(1)
        client.force_login(User.objects.create_user("ada"))
        other = make_developer("Eve")
        answer = client.post("/startups/action/", {"person": str(other.pk), "item_id": str(startup.pk), "event": "like"})
        assert answer.status_code == 404
        assert not UserInteraction.objects.exists()

    def test_an_account_without_a_person_is_told_so(self, client: Client) -> None:
        make_developer("Eve")
        client.force_login(User.objects.create_user("ada"))
        assert "not linked to any person" in text_of(client.get("/startups/"))

    def test_staff_may_choose_anyone(self, client: Client, served: Served) -> None:
        served()
        make_startups(2)
        ada = make_developer("Ada")
        client.force_login(User.objects.create_user("boss", is_staff=True))
        assert "Ada" in text_of(client.get("/startups/"))
        page = client.get(f"/startups/?person={ada.pk}")
        assert "Why it is in this position" in text_of(page)
        assert "Demo:" not in text_of(page)

    def test_parts_are_for_those_who_may_choose(self, client: Client, served: Served) -> None:
        asked = served()
        make_startups(2)
        user = User.objects.create_user("ada")
        make_developer("Ada", account=user)
        client.force_login(user)
        assert "Why it is in this position" not in text_of(client.get("/startups/"))
        assert asked[0]["explain"] is False

    def test_a_site_that_is_not_there_is_a_404(self, client: Client) -> None:
        assert client.get("/nothing/").status_code == 404
        assert client.get("/startups/action/").status_code == 405

    def test_a_click_needs_the_csrf_token(self, demo: None) -> None:
        ada = make_developer("Ada")
        strict = Client(enforce_csrf_checks=True)
        assert strict.post("/startups/action/", {"person": str(ada.pk)}).status_code == 403


@pytest.mark.usefixtures("demo")
class TestTheList:
    def test_developers_and_investors_are_asked_for_on_their_own_surface(self, client: Client, served: Served) -> None:
        asked = served()
        make_startups(2)
        people = make_developer("Ada"), Investor.objects.create(name="Ivan", sectors=["health"], stage="seed", ticket="10k-50k")
        pages = [text_of(client.get(f"/startups/?person={person.pk}")) for person in people]
        assert [one["surface"] for one in asked] == ["for-developer", "for-investor"]
        assert asked[1]["profile"] == {"sectors": ("health",), "stage": ("seed",), "ticket": ("10k-50k",)}
        assert "Apply" in pages[0]
        assert "Invest" not in pages[0]
        assert "Invest" in pages[1]
        assert "Apply" not in pages[1]

    def test_a_card_says_what_where_and_why(self, client: Client, served: Served) -> None:
        served()
        make_startups(2)
        page = text_of(client.get(f"/startups/?person={make_developer('Ada').pk}"))
        for words in (
            "Startup 000",
            "fintech",
            "seed",
            "python",
            "We build things",
            "Matches fintech",
            "0 interactions",
            "cold",
        ):
            assert words in page
        assert "content-based: items with matching text and tags" in page
        assert "content_v3" in page

    def test_skipped_engines_are_told_in_words(self, client: Client, served: Served) -> None:
        served("popular", ({"engine": "als", "code": "not_trained", "detail": "no artifact"},))
        make_startups(1)
        page = text_of(client.get(f"/startups/?person={make_developer('Ada').pk}"))
        assert "als has not been trained yet (no artifact)" in page

    def test_without_the_service_there_is_still_a_list_and_a_quiet_note(self, client: Client) -> None:
        startups = make_startups(4)
        did_often("somebody", [startups[2].pk])
        page = text_of(client.get(f"/startups/?person={make_developer('Ada').pk}"))
        assert page.index("Startup 002") < page.index("Startup 003")
        assert "The recommendation service did not answer, so this site made the list itself." in page

    def test_whoever_has_seen_everything_gets_it_again_with_a_word_on_why(self, client: Client, served: Served) -> None:
        served("none")
        ada, startups = make_developer("Ada"), make_startups(4)
        did_often(str(ada.pk), [one.pk for one in startups], event="view")
        page = text_of(client.get(f"/startups/?person={ada.pk}"))
        assert all(one.name in page for one in startups)
        assert page.count("You have seen everything here; popular again") == 4
        assert "You have seen everything here, so popular items are shown again" in page
        assert "Answered by popular" in page

    def test_an_empty_catalogue_says_so(self, client: Client) -> None:
        assert "There is nothing left to show." in text_of(client.get(f"/startups/?person={make_developer('Ada').pk}"))

    def test_titles_are_escaped(self, client: Client, served: Served) -> None:
        served()
        (startup,) = make_startups(1)
        Startup.objects.filter(pk=startup.pk).update(name="<img src=x onerror=alert(1)>")
        html = client.get(f"/startups/?person={make_developer('<b>Ada').pk}&q=<script>").content.decode()
        assert "<img" not in html
        assert "<b>Ada" not in html
        assert "<script>" not in html

    def test_nothing_is_inline_and_everything_is_local(self, client: Client, served: Served) -> None:
        served()
        make_startups(1)
        for path in ("/", "/startups/", f"/startups/?person={make_developer('Ada').pk}"):
            page = client.get(path)
            html = page.content.decode()
            assert "script-src 'self'" in page["Content-Security-Policy"]
            assert page["Cache-Control"] == "private, no-store"
            assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son[a-z]+=", html)
            assert not re.search(r'(?:src|href)="(?:https?:)?//', html)


@pytest.mark.usefixtures("demo")
class TestAClick:
    def test_is_recorded_with_the_list_it_answers(self, client: Client, served: Served) -> None:
        served()
        make_startups(3)
        ada = make_developer("Ada")
        page = client.get(f"/startups/?person={ada.pk}")
        answer = clicked(client, page, "like", htmx=True)
        row = UserInteraction.objects.select_related("user", "item", "kind").get()
        assert (row.user.user_id, row.item.item_id, row.kind.name) == (str(ada.pk), hidden(page, "item_id"), "like")
        assert str(row.request_id) == hidden(page, "request_id")
        assert Impression.objects.filter(request_id=row.request_id).exists()
        assert "You liked Startup 000; it left the list. 1 interaction now: content-based answers." in text_of(answer)
        assert "<html" not in answer.content.decode()
        assert hidden(answer, "item_id") != hidden(page, "item_id")

    def test_that_changes_the_method_says_which_it_was(self, client: Client, served: Served) -> None:
        served()
        startups = make_startups(8)
        ada = make_developer("Ada")
        did_often(str(ada.pk), [startup.pk for startup in startups[:4]])
        page = client.get(f"/startups/?person={ada.pk}")
        served("als")
        assert "5 interactions now: ALS answers instead of content-based." in text_of(clicked(client, page, "like", htmx=True))

    def test_without_javascript_comes_back_to_the_page_and_says_the_same(self, client: Client, served: Served) -> None:
        served()
        make_startups(3)
        ada = make_developer("Ada")
        answer = clicked(client, client.get(f"/startups/?person={ada.pk}"), "apply")
        assert (answer.status_code, answer["Location"]) == (303, f"/startups/?person={ada.pk}#list")
        assert "You applied to Startup 000; it left the list." in text_of(client.get(answer["Location"]))
        assert "You applied" not in text_of(client.get(answer["Location"]))

    @pytest.mark.parametrize("changes", [{"event": "invest"}, {"event": "fly"}, {"item_id": "x"}, {"request_id": "x"}])
    def test_that_makes_no_sense_records_nothing_and_says_why(
        self, client: Client, served: Served, changes: dict[str, str]
    ) -> None:
        served()
        make_startups(2)
        page = client.get(f"/startups/?person={make_developer('Ada').pk}")
        event = changes.pop("event", "like")
        assert "This was not recorded" in text_of(clicked(client, page, event, htmx=True, **changes))
        assert not UserInteraction.objects.exists()

    @pytest.mark.parametrize(("item_id", "kept"), [(None, 1), ("x", 0)])
    def test_not_for_me_hides_the_item_and_is_no_interaction(
        self, client: Client, served: Served, item_id: str | None, kept: int
    ) -> None:
        served()
        make_startups(3)
        page = client.get(f"/startups/?person={make_developer('Ada').pk}")
        wanted = item_id or hidden(page, "item_id")
        answer = clicked(client, page, "hide", htmx=True, item_id=wanted)
        assert Feedback.objects.filter(verdict=Feedback.Verdict.HIDE).count() == kept
        assert ("You hid Startup 000; it left the list. 0 interactions" in text_of(answer)) is bool(kept)
        assert not UserInteraction.objects.exists()

    def test_goes_on_when_the_service_fails(self, client: Client, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        served()
        make_startups(3)
        page = client.get(f"/startups/?person={make_developer('Ada').pk}")

        def down(*_: object, **__: object) -> None:
            raise ServiceFailed("timeout", "too late")

        monkeypatch.setattr(hop.client(), "recommend", down)
        answer = text_of(clicked(client, page, "view", htmx=True))
        assert "You viewed Startup 000; it left the list." in answer
        assert "did not answer" in answer


@pytest.mark.usefixtures("demo")
class TestPeople:
    def test_those_to_try_come_first_with_count_and_segment(self, client: Client) -> None:
        startups = make_startups(21)
        for name, count in (("Zed", 20), ("Yan", 5), ("Xia", 0)):
            person = Developer.objects.create(name=name, is_demo=True)
            did_often(str(person.pk), [startup.pk for startup in startups[:count]])
        Developer.objects.create(name="Abe")
        page = text_of(client.get("/startups/"))
        assert re.search(r"Xia cold 0 counted .*Yan warm 5 counted .*Zed hot 20 counted", page)
        assert "Abe" not in page
        assert "Abe cold 0 counted" in text_of(client.get("/startups/?q=abe"))

    def test_a_repeat_on_one_day_and_a_dislike_do_not_count(self, client: Client) -> None:
        startups = make_startups(2)
        ada = Developer.objects.create(name="Ada", is_demo=True)
        did_often(str(ada.pk), [startups[0].pk, startups[0].pk], event="view", days_ago=2.5)
        did_often(str(ada.pk), [startups[1].pk], event="dismiss")
        assert "Ada cold 1 counted" in text_of(client.get("/startups/"))

    def test_an_id_is_found_too_and_nobody_is_said(self, client: Client) -> None:
        ada = make_developer("Ada")
        assert "Ada" in text_of(client.get(f"/startups/?q={ada.pk}"))
        assert "No person matches “zzz”" in text_of(client.get("/startups/?q=zzz"))

    @pytest.mark.parametrize("nonsense", ["%00", "%00'ada", "%ED%A0%80", "%E2%80%AE", "%25", "_" * 500])
    def test_nonsense_in_the_search_box_finds_nobody_or_somebody(self, client: Client, nonsense: str) -> None:
        make_developer("Ada")
        assert client.get(f"/startups/?q={nonsense}").status_code == 200

    def test_the_search_box_is_bounded(self, client: Client) -> None:
        assert client.get("/startups/", {"q": "x" * 5000 + "\u202e%00"}).status_code == 200


class TestAnItem:
    def test_shows_what_is_similar_with_the_reason_and_links_on(self, client: Client, served: Served, demo: None) -> None:
        asked = served()
        startups = make_startups(9)
        ada = make_developer("Ada")
        page = client.get(f"/startups/item/{startups[0].pk}/?person={ada.pk}")
        assert (asked[0]["surface"], asked[0]["item_ids"]) == ("similar", (str(startups[0].pk),))
        assert "Similar startups" in text_of(page)
        assert "Matches fintech" in text_of(page)
        assert f"/startups/item/{startups[1].pk}/?person={ada.pk}" in page.content.decode()
        assert f"/startups/item/{startups[0].pk}/" not in page.content.decode(), "it is not beside itself"

    def test_is_reached_from_a_persons_list(self, client: Client, served: Served, demo: None) -> None:
        served()
        (startup, *_) = make_startups(3)
        ada = make_developer("Ada")
        page = client.get(f"/startups/?person={ada.pk}").content.decode()
        assert f"/startups/item/{startup.pk}/?person={ada.pk}" in page

    def test_that_is_not_there_reads_as_one_that_is_not_yours(self, client: Client, served: Served) -> None:
        served()
        (startup,) = make_startups(1)
        answers = [client.get(f"/startups/item/{wanted}/") for wanted in (startup.pk, uuid.uuid4(), "nothing", "%00", "'")]
        assert [answer.status_code for answer in answers] == [404] * 5
        client.force_login(User.objects.create_user("staff", is_staff=True))
        assert client.get(f"/startups/item/{startup.pk}/").status_code == 200
        assert client.get(f"/startups/item/{uuid.uuid4()}/").status_code == 404
        assert client.get(f"/movies/item/{startup.pk}/").status_code == 404, "films have no list around a film"

    def test_shows_something_when_the_service_is_away(
        self, client: Client, service_at: Callable[[str], RecommendationClient], demo: None
    ) -> None:
        service_at("http://127.0.0.1:9")
        startups = make_startups(9)
        page = client.get(f"/startups/item/{startups[0].pk}/")
        assert "did not answer" in text_of(page)
        assert page.content.decode().count('class="position"') == 6
