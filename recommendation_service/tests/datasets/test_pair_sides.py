"""What pairs are scored by, from the lines of an export to columns: unknown is NaN, and nonsense is refused by name."""

from typing import Any

import numpy as np
import pytest

from recommendation_service.datasets.pair_sides import side_of
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
