"""Interests: what is kept, what is refused, and who may set whose."""

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.errors import InvalidInput
from sites.posts.forms import InterestsForm
from sites.posts.models import Member, Post
from sites.posts.services import MAX_INTEREST_LENGTH, MAX_INTERESTS, clean_interests
from tests.support import blog, board

PATH = "/recommend/interests/"


def put(client: Client, body: Any, **more: Any) -> Any:
    return client.put(PATH, data=json.dumps(body), content_type="application/json", **more)


def test_words_are_kept_in_their_order_each_once_in_small_letters() -> None:
    assert clean_interests(["Python", " machine   learning ", "python", "C++", "R&D"]) == [
        "python", "machine learning", "c++", "r&d",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        ("python", "/interests"),
        (None, "/interests"),
        (["x"] * (MAX_INTERESTS + 1), "/interests"),
        (["ok", 7], "/interests/1"),
        (["ok", "ok2", ""], "/interests/2"),
        (["y" * (MAX_INTEREST_LENGTH + 1)], "/interests/0"),
        (["<script>"], "/interests/0"),
        (["a\x00b"], "/interests/0"),
        (["\u202egnp"], "/interests/0"),
    ],
)
def test_what_is_no_word_is_refused_by_its_place(raw: Any, pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        clean_interests(raw)
    assert list(caught.value.fields) == [pointer]


@given(st.lists(st.text(max_size=MAX_INTEREST_LENGTH), max_size=MAX_INTERESTS))
def test_what_was_accepted_once_is_accepted_unchanged_again(raw: list[str]) -> None:
    try:
        words = clean_interests(raw)
    except InvalidInput:
        return
    assert clean_interests(words) == words
    assert len(words) <= MAX_INTERESTS


def test_a_typed_line_is_split_at_commas() -> None:
    form = InterestsForm({"interests": " python, machine learning ,, maps"})
    assert form.is_valid()
    assert form.cleaned_data["interests"] == ["python", "machine learning", "maps"]


@pytest.mark.django_db(transaction=True)
def test_interests_can_be_set_and_are_saved(rob: Member, posts: list[Post], client: Client) -> None:
    client.force_login(rob.account)
    assert client.get(PATH).json()["interests"] == []
    answer = put(client, {"interests": ["Python", "Knitting"]})
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"
    assert answer.json() == {
        "user_id": str(rob.pk), "interests": ["python", "knitting"], "unmatched": ["knitting"],
        "known": ["cooking", "maps", "python", "testing", "travel", "typing"],
    }  # fmt: skip
    rob.refresh_from_db()
    assert rob.interests == ["python", "knitting"]
    assert client.get(PATH).json() == answer.json()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"interests": ["<b>"]}, "/interests/0"),
        ({"interests": "python"}, "/interests"),
        ({}, "/interests"),
        ([], "/interests"),
        ({"interests": [], "is_creator": True}, "/is_creator"),
    ],
)
def test_a_bad_body_is_a_problem_that_names_the_place_and_changes_nothing(
    body: Any, pointer: str, rob: Member, client: Client
) -> None:
    rob.interests = ["python"]
    rob.save()
    client.force_login(rob.account)
    answer = put(client, body)
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    rob.refresh_from_db()
    assert rob.interests == ["python"]


@pytest.mark.django_db
def test_a_body_that_is_no_json_is_a_problem(rob: Member, client: Client) -> None:
    client.force_login(rob.account)
    answer = client.put(PATH, data="{", content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


@pytest.mark.django_db
def test_nobody_sets_another_members_interests_but_a_service_may(rob: Member, cara: Member, client: Client) -> None:
    client.force_login(cara.account)
    theirs = f"{PATH}?user_id={rob.pk}"
    answer = client.put(theirs, data='{"interests": ["python"]}', content_type="application/json")
    assert answer.status_code == 404
    answer = Client().put(
        theirs, data='{"interests": ["maps"]}', content_type="application/json", headers=board.service_header()
    )
    assert answer.status_code == 200
    rob.refresh_from_db()
    assert rob.interests == ["maps"]
    assert Client().get(PATH, headers=board.service_header()).status_code == 404  # a service is nobody in particular
    assert blog.make_member("Zoe").interests == []
