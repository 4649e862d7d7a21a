"""The columns of one side, read from the lines of an export, and the tokens of its text columns."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.datasets.pair_features import side_of, token_rows, tokens_of
from recommendation_service.domain.idmap import IdMap
from recommendation_service.errors import DatasetError


def line(item_id: str, numbers: Any = None, text_columns: Any = None) -> dict[str, Any]:
    """One line of a catalogue; what is None is not in it."""
    told = {"numbers": numbers, "text_columns": text_columns}
    return {"item_id": item_id, **{name: one for name, one in told.items() if one is not None}}


def test_columns_hold_every_item_in_order_and_nan_where_it_lacks_one() -> None:
    side = side_of([line("a", {"size": 80, "hours": 2.5}), line("b"), line("c", {"size": 20.25}, {"kind": "villa"})])
    assert side is not None
    assert side.ids == ("a", "b", "c")
    np.testing.assert_array_equal(side.numbers["size"], np.array([80, np.nan, 20.25], dtype=np.float32))
    np.testing.assert_array_equal(side.numbers["hours"], np.array([2.5, np.nan, np.nan], dtype=np.float32))
    assert side.numbers["size"].dtype == np.float32
    assert side.text_columns["kind"].tolist() == ["", "", "villa"]


def test_a_catalogue_that_declares_nothing_has_no_side() -> None:
    assert side_of([line("a"), line("b", {}, {})]) is None
    assert side_of([]) is None


@pytest.mark.parametrize("value", ["80", True, [80], {"m2": 80}, float("nan"), float("inf"), -float("inf"), 1e39, 10**400])
def test_a_number_that_cannot_be_compared_is_refused_with_item_and_column(value: Any) -> None:
    with pytest.raises(DatasetError, match=r"item 'b': 'size' is .{1,40}, which cannot be compared; mend its side"):
        side_of([line("a", {"size": 1.0}), line("b", {"size": value})])


@pytest.mark.parametrize("value", [7, None, ["villa"]])
def test_a_word_that_is_no_text_is_refused_with_item_and_column(value: Any) -> None:
    with pytest.raises(DatasetError, match="item 'b': 'kind' is"):
        side_of([line("a", {"size": 1.0}), line("b", text_columns={"kind": value})])


@pytest.mark.parametrize(
    ("numbers", "text_columns", "told"), [([1, 2], None, "numbers are list"), (None, "villa", "text_columns are str")]
)
def test_columns_must_have_names(numbers: Any, text_columns: Any, told: str) -> None:
    with pytest.raises(DatasetError, match=f"item 'b': {told}, not columns by name"):
        side_of([line("a", {"size": 1.0}), line("b", numbers, text_columns)])


def test_an_export_with_the_column_names_of_version_0_2_is_refused() -> None:
    with pytest.raises(DatasetError, match=r"items carry 'words', the name of 'text_columns' up to version 0\.2\.0"):
        side_of([line("a", {"size": 1.0}), {**line("b"), "words": {"kind": "villa"}}])


def test_the_largest_number_there_is_passes() -> None:
    largest = float(np.finfo(np.float32).max)
    side = side_of([line("a", {"size": largest}), line("b", {"size": -largest})])
    assert side is not None
    assert side.numbers["size"].tolist() == [largest, -largest]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)


def texts(*values: str) -> np.ndarray:
    return np.array(values, dtype=np.str_)


def test_tokens_of_two_columns_differ_and_unknown_values_have_none() -> None:
    tokens = tokens_of({"kind": texts("villa", "flat", "villa"), "mood": texts("flat", "", "")})
    assert tokens == {"kind=flat", "kind=villa", "mood=flat"}


def test_a_token_is_known_in_its_own_column_only() -> None:
    tokens = IdMap.of(tokens_of({"kind": texts("flat", "villa")}))
    rows = token_rows({"kind": texts("villa", "castle", ""), "mood": texts("flat", "flat", "flat")}, tokens, 3)
    assert rows.tolist() == [[1, -1], [-1, -1], [-1, -1]]


def test_without_columns_every_row_is_empty() -> None:
    assert token_rows({}, IdMap.of(["="]), 4).shape == (4, 0)
    assert token_rows({"kind": texts("", "flat")}, IdMap.of(["="]), 2).tolist() == [[-1], [-1]]


def test_a_broadcast_column_has_the_same_row_everywhere() -> None:
    column = np.broadcast_to(texts("villa"), (3,))
    assert token_rows({"kind": column}, IdMap.of(["kind=flat", "kind=villa"]), 3).tolist() == [[1], [1], [1]]


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5), min_size=1, max_size=20)
)
def test_every_value_of_a_column_has_its_token(values: list[str]) -> None:
    tokens = IdMap.of(tokens_of({"kind": texts(*values)}))
    for value, row in zip(values, token_rows({"kind": texts(*values)}, tokens, len(values))[:, 0].tolist(), strict=True):
        assert row == -1 if not value else tokens.id(row) == f"kind={value}"
