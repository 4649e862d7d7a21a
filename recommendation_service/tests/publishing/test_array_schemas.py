"""A set whose arrays do not fit each other is refused with the two numbers."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.errors import ArtifactRefused
from recommendation_service.kinds import KINDS
from recommendation_service.publishing.array_schemas import check
from recommendation_service.tests.support.service import ARRAYS


def good(kind: str) -> dict[str, Any]:
    """Arrays of this kind; kinds with the same schema share one example."""
    schema = KINDS[kind].arrays
    example = next(name for name in (kind, *ARRAYS) if name in ARRAYS and KINDS[name].arrays == schema)
    arrays: dict[str, Any] = ARRAYS[example]()  # type: ignore[operator]  # each makes its own arrays
    return arrays


ALONE = {
    ("two_tower_index", "index"),
    ("two_tower_index", "item_ids"),
    ("ensemble", "members"),
    ("content", "terms"),
    ("learned", "features"),
    ("learned", "tree_roots"),
    ("bid", "reaches"),
    ("bid", "reference"),
    ("next_item", "indptr"),  # as many rows as there are windows, which its engine checks
    ("next_item", "window_0"),
    ("sasrec", "positions"),
    ("neural", "content1_weights"),  # as wide as what the use-case file lets it read, which its engine checks
}  # no fellow
REQUIRED = {kind: row.arrays for kind, row in KINDS.items() if row.arrays}
NAMES = [(kind, name) for kind, arrays in REQUIRED.items() for name in arrays]


@pytest.mark.parametrize("kind", REQUIRED)
def test_a_set_that_fits_is_accepted(kind: str) -> None:
    check(kind, good(kind), where="x_v1")
    check(kind, {**good(kind), "something_more": np.ones(3)}, where="x_v1")


def test_kinds_nobody_described_are_not_checked() -> None:
    check("weather", {"arms": np.zeros(3)}, where="x_v1")


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_a_missing_array_is_named(kind: str, name: str) -> None:
    arrays = good(kind)
    del arrays[name]
    with pytest.raises(ArtifactRefused, match=f"x_v1: .*{name}"):
        check(kind, arrays, where="x_v1")


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_an_array_of_another_type_is_refused(kind: str, name: str) -> None:
    arrays = good(kind)
    arrays[name] = np.zeros(arrays[name].shape, dtype=np.bool_)
    with pytest.raises(ArtifactRefused, match=name):
        check(kind, arrays, where="x_v1")


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_an_array_with_one_dimension_more_is_refused(kind: str, name: str) -> None:
    arrays = good(kind)
    arrays[name] = arrays[name][None]
    with pytest.raises(ArtifactRefused, match=name):
        check(kind, arrays, where="x_v1")


@pytest.mark.parametrize(("kind", "name"), [pair for pair in NAMES if pair not in ALONE])
def test_an_array_one_row_longer_than_its_fellows_is_refused(kind: str, name: str) -> None:
    arrays = good(kind)
    last = arrays[name][-1:]
    arrays[name] = np.concatenate([arrays[name], np.char.add(last, b"z") if last.dtype.kind == "S" else last])
    with pytest.raises(ArtifactRefused):
        check(kind, arrays, where="x_v1")


def test_the_message_has_both_numbers() -> None:
    arrays = good("als")
    arrays["item_counts"] = arrays["item_counts"][:-3]
    with pytest.raises(ArtifactRefused, match=r"item_counts is \(21,\), which does not fit item_ids of size 24"):
        check("als", arrays, where="als_v1")


@given(order=st.permutations(range(24)).filter(lambda order: order != sorted(order)))
def test_ids_out_of_order_are_refused(order: list[int]) -> None:
    arrays = good("als")
    arrays["item_ids"][:24] = arrays["item_ids"][:24][order]
    with pytest.raises(ArtifactRefused, match="item_ids must be unique and ascending"):
        check("als", arrays, where="als_v1")


def test_repeated_ids_are_refused() -> None:
    arrays = good("als")
    arrays["item_ids"][4] = arrays["item_ids"][3]
    with pytest.raises(ArtifactRefused, match="rows 3 and 4"):
        check("als", arrays, where="als_v1")


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, row in KINDS.items() for name in row.not_constant])
@given(value=st.floats(-1e6, 1e6, width=32))
def test_vectors_that_are_all_the_same_number_tell_nothing_and_are_refused(kind: str, name: str, value: float) -> None:
    arrays = good(kind)
    arrays[name] = np.full_like(arrays[name], value)
    with pytest.raises(ArtifactRefused, match=f"{name} holds one value"):
        check(kind, arrays, where="x_v1")


@pytest.mark.parametrize(("kind", "name"), [("content", "values"), ("ensemble", "weights"), ("ensemble", "configured_weights")])
def test_only_zeros_are_refused_where_they_say_nothing(kind: str, name: str) -> None:
    arrays = good(kind)
    arrays[name] = np.zeros_like(arrays[name])
    with pytest.raises(ArtifactRefused, match=f"{name} holds only zeros"):
        check(kind, arrays, where="x_v1")


@pytest.mark.parametrize(
    ("name", "place", "value"), [("indptr", 0, 1), ("indptr", -1, 99), ("indptr", 3, 0), ("indices", 2, -1), ("indices", 2, 2)]
)
def test_a_sparse_matrix_that_points_outside_itself_is_refused(name: str, place: int, value: int) -> None:
    arrays = good("content")
    arrays[name][place] = value
    with pytest.raises(ArtifactRefused, match=name):
        check("content", arrays, where="content_v1")


def test_big_endian_numbers_are_refused() -> None:
    arrays = good("als")
    arrays["gram"] = arrays["gram"].astype(">f4")
    with pytest.raises(ArtifactRefused, match="gram is of type >f4"):
        check("als", arrays, where="als_v1")


SEGMENTS = {"segment_weights": np.ones((3, 2), dtype=np.float32), "segment_bounds": np.array([0, 5, 20])}


def test_an_ensemble_may_hold_weights_by_segment_and_needs_none() -> None:
    check("ensemble", good("ensemble"), where="ensemble_v1")
    check("ensemble", {**good("ensemble"), **SEGMENTS}, where="ensemble_v1")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"segment_weights": SEGMENTS["segment_weights"]}, "needs segment_bounds"),
        ({"segment_bounds": SEGMENTS["segment_bounds"]}, "needs segment_weights"),
        ({**SEGMENTS, "segment_weights": np.ones((3, 4), dtype=np.float32)}, r"segment_weights is \(3, 4\)"),
        ({**SEGMENTS, "segment_bounds": np.array([0, 5])}, r"segment_bounds is \(2,\)"),
        ({**SEGMENTS, "segment_bounds": np.array([0.0, 5.0, 20.0])}, "segment_bounds is of type"),
    ],
)
def test_weights_by_segment_come_together_and_fit(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ArtifactRefused, match=named):
        check("ensemble", {**good("ensemble"), **changes}, where="ensemble_v1")
