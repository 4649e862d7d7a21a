"""Which outside ids are let in."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.domain.ids import MAX_ID_LENGTH, clean_id
from recommendation_service.errors import InvalidInput

GOOD = [
    "a",
    "42",
    "_x",
    "550e8400-e29b-41d4-a716-446655440000",
    "user@example.com",
    "a.b:c~d+e=f",
    "Zo\u00eb",
    "\u5f20\u4e09",
    "a" * 64,
    str(2**63),
]
BAD = [
    "", " ", "a b", "-1", "=cmd()", "../x", "a/b", "a\\b", "a\x00b", "a\nb", "\u202eabc", "\U0001f600", "'; DROP TABLE x; --",
    "{{7*7}}", "<img>", "%00", "a" * 65, "\ud800", "a\u200bb", "\u0301", ".hidden", "a,b", "a;b", 'a"b', "a|b", "a*b", "a?b",
]  # fmt: skip


@pytest.mark.parametrize("raw", GOOD)
def test_a_plain_id_comes_through(raw: str) -> None:
    assert clean_id(raw) == raw


@pytest.mark.parametrize("raw", BAD)
def test_anything_else_is_refused_and_the_field_is_named(raw: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        clean_id(raw, field="user_id")
    assert list(refused.value.fields) == ["/user_id"]
    assert refused.value.message.startswith("user_id ")
    assert refused.value.message.isprintable()


def test_combining_forms_become_one_id() -> None:
    assert clean_id("Zoe\u0308") == clean_id("Zo\u00eb")


@given(st.text(max_size=80))
def test_what_is_let_in_is_normal_bounded_and_let_in_again(raw: str) -> None:
    try:
        clean = clean_id(raw)
    except InvalidInput:
        return
    assert 1 <= len(clean) <= MAX_ID_LENGTH
    assert unicodedata.is_normalized("NFC", clean)
    assert clean_id(clean) == clean
    assert clean.isprintable()
    clean.encode("utf-8")
