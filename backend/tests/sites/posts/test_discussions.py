"""Talks about insights: opened once a day with the figures of that moment, written in by the creator and by staff."""

import uuid

import pytest
from django.contrib.auth.models import User
from django.test import Client

from recommendation_service.errors import InvalidInput
from sites.posts import services
from sites.posts.models import Discussion, Member, Note, Post
from sites.posts.services import add_note, clean_text, open_discussion
from tests.support import blog

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk(cara: Member, rob: Member, posts: list[Post]) -> Discussion:
    blog.did(rob, posts[0], "view")
    return open_discussion(cara, "views", weeks=4)


def test_it_keeps_the_sentence_and_the_numbers_of_its_moment(cara: Member, posts: list[Post], talk: Discussion) -> None:
    blog.did("reader-2", posts[0], "view")
    assert talk.sentence == "Your posts were viewed once in the last 4 weeks, and not once in the time before."
    assert talk.numbers == {"views": 1, "views_before": 0, "change": None}
    assert open_discussion(cara, "views", weeks=4).pk == talk.pk
    assert Discussion.objects.count() == 1


def test_an_insight_that_is_not_there_cannot_be_discussed(cara: Member, posts: list[Post]) -> None:
    with pytest.raises(InvalidInput, match="views, reach"):
        open_discussion(cara, "world-peace", weeks=4)
    assert not Discussion.objects.exists()


def test_what_is_said_is_kept_in_order_with_the_writers_name(talk: Discussion) -> None:
    add_note(talk, "  First.\n", account=None, written_by="Cara")
    add_note(talk, "Second.", account=None, written_by="Staff")
    assert list(talk.notes.values_list("written_by", "body")) == [("Cara", "First."), ("Staff", "Second.")]


@pytest.mark.parametrize("text", ["", "   ", "\x00", "x" * 2001, None, 7])
def test_empty_and_endless_remarks_are_refused(text: object, talk: Discussion) -> None:
    with pytest.raises(InvalidInput):
        add_note(talk, text, account=None, written_by="Cara")
    assert not Note.objects.exists()


def test_control_and_direction_characters_are_left_out_and_lines_stay() -> None:
    assert clean_text("a\x00b\u202ec\nd\te") == "abc\nd\te"


def test_a_talk_has_an_end(talk: Discussion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MAX_NOTES", 1)
    add_note(talk, "one", account=None, written_by="Cara")
    with pytest.raises(InvalidInput, match="full"):
        add_note(talk, "two", account=None, written_by="Cara")


def test_a_creator_opens_a_talk_from_the_dashboard_and_writes_in_it(
    cara: Member, rob: Member, posts: list[Post], client: Client
) -> None:
    client.force_login(cara.account)
    opened = client.post("/posts/discuss/", {"insight": "views", "weeks": "4"})
    talk = Discussion.objects.get()
    assert opened.status_code == 303
    assert opened["Location"] == f"/posts/discussions/{talk.pk}/?person={cara.pk}#discussion"
    assert client.post(f"/posts/discussions/{talk.pk}/", {"body": "Why <b>so</b>?"}).status_code == 303
    note = Note.objects.get()
    assert (note.written_by, note.account) == ("Cara", cara.account)
    page = client.get(f"/posts/discussions/{talk.pk}/").content.decode()
    assert "Why &lt;b&gt;so&lt;/b&gt;?" in page
    assert talk.sentence in page


def test_staff_write_under_their_own_name(talk: Discussion, client: Client) -> None:
    client.force_login(User.objects.create_user("sam", is_staff=True))
    assert client.post(f"/posts/discussions/{talk.pk}/", {"body": "Looks right."}).status_code == 303
    assert Note.objects.get().written_by == "sam"


def test_a_bad_remark_is_told_on_the_page_and_nothing_is_stored(talk: Discussion, client: Client) -> None:
    client.force_login(talk.creator.account)
    client.post(f"/posts/discussions/{talk.pk}/", {"body": " "})
    assert "Nothing was saved: the text must have 1 to 2000 characters." in client.get(
        f"/posts/discussions/{talk.pk}/"
    ).content.decode()  # fmt: skip
    assert not Note.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_readers_other_creators_and_strangers_find_no_talk(method: str, talk: Discussion, rob: Member, client: Client) -> None:
    carl = blog.make_member("Carl", is_creator=True, account=True)
    for account in (None, rob.account, carl.account):
        client.logout()
        if account is not None:
            client.force_login(account)
        assert getattr(client, method)(f"/posts/discussions/{talk.pk}/", {"body": "hello"}).status_code == 404
        assert client.post("/posts/discuss/", {"insight": "views", "person": str(talk.creator.pk)}).status_code == 404
    assert not Note.objects.exists()
    assert client.get(f"/posts/discussions/{uuid.uuid4()}/").status_code == 404


def test_an_unknown_insight_is_told_on_the_dashboard(cara: Member, client: Client) -> None:
    client.force_login(cara.account)
    answer = client.post("/posts/discuss/", {"insight": "nonsense"}, follow=True)
    assert "There is nothing to discuss" in answer.content.decode()
