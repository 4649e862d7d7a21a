"""Ids and rows, both ways."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.domain.idmap import IdMap
from recommendation_service.errors import DatasetError

plain = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)


@given(st.lists(plain, max_size=40), plain)
def test_it_numbers_sorted_ids_and_finds_only_them(ids: list[str], other: str) -> None:
    numbered = IdMap.of(ids)
    assert numbered.ids() == sorted(set(ids))
    for row, one in enumerate(numbered.ids()):
        assert numbered.row(one) == row
        assert numbered.id(row) == one
    assert (other in numbered) == (other in ids)
    assert numbered.row(other) == (numbered.ids().index(other) if other in ids else None)


@given(st.lists(plain, max_size=40), st.lists(plain, max_size=20))
def test_many_rows_are_the_single_rows_with_minus_one_for_the_unknown(ids: list[str], asked: list[str]) -> None:
    numbered = IdMap.of(ids)
    singles = [numbered.row(one) for one in asked]
    assert numbered.rows(asked).tolist() == [-1 if row is None else row for row in singles]


def test_an_id_that_only_begins_alike_is_another_id() -> None:
    numbered = IdMap.of(["abc"])
    assert numbered.rows(["ab", "abc", "abcd", "xabc"]).tolist() == [-1, 0, -1, -1]
    assert numbered.row("abcd") is None
    assert numbered.row("ab") is None
    assert numbered.row("abc\x00") is None


def test_an_empty_map_knows_nobody() -> None:
    numbered = IdMap.of([])
    assert len(numbered) == 0
    assert numbered.row("a") is None
    assert numbered.rows(["a", "b"]).tolist() == [-1, -1]
    assert numbered.rows([]).size == 0


def test_a_negative_row_is_an_error_never_the_last_id() -> None:
    with pytest.raises(IndexError):
        IdMap.of(["a", "b"]).id(-1)


@pytest.mark.parametrize("wrong", [[b"b", b"a"], [b"a", b"a"]])
def test_unsorted_or_repeated_ids_are_refused_with_the_pair(wrong: list[bytes]) -> None:
    with pytest.raises(DatasetError, match="rows 0 and 1 are"):
        IdMap(np.array(wrong))


def test_ids_of_another_shape_or_type_are_refused() -> None:
    with pytest.raises(DatasetError, match="array of bytes"):
        IdMap(np.array([[b"a"]]))
    with pytest.raises(DatasetError, match="array of bytes"):
        IdMap(np.array(["a"]))  # type: ignore[arg-type]  # that is the point


@given(st.lists(plain, min_size=1, max_size=40), st.data())
def test_many_rows_have_the_ids_that_each_has_alone(ids: list[str], data: st.DataObject) -> None:
    numbered = IdMap.of(ids)
    rows = data.draw(st.lists(st.integers(0, len(numbered) - 1), max_size=20))
    assert numbered.ids_at(np.array(rows, dtype=np.int64)) == [numbered.id(row) for row in rows]


def test_a_negative_row_among_many_is_refused() -> None:
    with pytest.raises(IndexError, match="row -1 is negative"):
        IdMap.of(["a", "b"]).ids_at(np.array([0, -1]))
