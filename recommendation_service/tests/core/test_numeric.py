"""Laws of the shared arithmetic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recommendation_service.core.numeric import (
    Bools,
    Floats,
    blend,
    dense,
    frequency_scaled,
    standardised,
    top_rows,
    unit_range,
    unit_rows,
)

scores = hnp.arrays(np.float32, st.integers(0, 60), elements=st.one_of(st.just(np.nan), st.floats(-1e6, 1e6, width=32)))


@st.composite
def scores_and_mask(draw: st.DrawFn) -> tuple[Floats, Bools]:
    values = draw(scores)
    return values, draw(hnp.arrays(np.bool_, values.shape))


@given(scores_and_mask(), st.integers(-1, 70))
def test_top_rows_are_those_of_a_full_stable_sort(case: tuple[Floats, Bools], limit: int) -> None:
    values, eligible = case
    known = [row for row in range(values.size) if eligible[row] and not np.isnan(values[row])]
    expected = sorted(known, key=lambda row: (-values[row], row))[: max(limit, 0)]
    assert top_rows(values, limit, eligible).tolist() == expected


@pytest.mark.parametrize("levels", [2, 40, 10**6])
@pytest.mark.parametrize("limit", [1, 60, 200, 9_000])
def test_a_long_row_is_cut_as_a_short_one(levels: int, limit: int) -> None:
    rng = np.random.default_rng(levels + limit)
    values = rng.integers(0, levels, 9_001).astype(np.float32)
    values[rng.random(values.size) < 0.3] = np.nan
    values[rng.random(values.size) < 0.1] = -np.inf
    eligible = rng.random(values.size) < 0.9
    for own in (values, np.sort(values), np.where(eligible & (np.arange(values.size) < 50), values, np.float32(np.nan))):
        rows = np.arange(own.size)
        ordered = np.lexsort((rows, -own))
        expected = [row for row in ordered.tolist() if eligible[row] and not np.isnan(own[row])][:limit]
        assert top_rows(own, limit, eligible).tolist() == expected


@given(scores, st.integers(0, 70))
def test_top_rows_never_names_an_unknown_row_or_one_twice(values: Floats, limit: int) -> None:
    rows = top_rows(values, limit)
    assert len(set(rows.tolist())) == rows.size <= limit
    assert not np.isnan(values[rows]).any()


@given(scores_and_mask())
def test_unit_range_lies_in_0_to_1_and_keeps_the_order(case: tuple[Floats, Bools]) -> None:
    values, eligible = case
    scaled = unit_range(values, eligible)
    known = ~np.isnan(scaled)
    assert np.array_equal(known, eligible & ~np.isnan(values))
    assert ((scaled[known] >= 0) & (scaled[known] <= 1)).all()
    order = np.argsort(values[known], kind="stable")
    assert (np.diff(scaled[known][order]) >= 0).all()


def test_scores_that_are_all_equal_carry_no_preference() -> None:
    assert unit_range(np.array([3, 3, np.nan], dtype=np.float32)).tolist()[:2] == [0.5, 0.5]


@given(hnp.arrays(np.float32, (5, 3), elements=st.floats(-1e3, 1e3, width=32)))
def test_unit_rows_have_length_one_or_stay_zero(matrix: Floats) -> None:
    lengths = np.linalg.norm(unit_rows(matrix), axis=1)
    long = np.linalg.norm(matrix, axis=1) > 1e-6
    assert np.allclose(lengths[long], 1, atol=1e-4)
    assert (lengths <= 1 + 1e-4).all()


def test_a_blend_leaves_the_weight_of_the_silent_to_the_others() -> None:
    first = np.array([1.0, np.nan, np.nan], dtype=np.float32)
    second = np.array([0.0, 0.5, np.nan], dtype=np.float32)
    mixed = blend([first, second], [0.6, 0.4])
    assert np.allclose(mixed[:2], [0.6, 0.5])
    assert np.isnan(mixed[2])


def test_scaling_leaves_the_scores_as_they_were() -> None:
    values = np.array([1, 3, np.nan], dtype=np.float32)
    unit_range(values)
    blend([values, values], [0.5, 0.5])
    assert values[:2].tolist() == [1, 3]


@given(scores)
def test_a_member_of_weight_0_is_not_heard(values: Floats) -> None:
    other = np.zeros_like(values)
    assert np.array_equal(blend([other, values], [1.0, 0.0]), other)


def test_dense_is_an_affine_map() -> None:
    weights, bias = np.array([[1, 2], [3, 4]], dtype=np.float32), np.array([10, 20], dtype=np.float32)
    assert dense(np.array([1, 1], dtype=np.float32), weights, bias).tolist() == [14, 26]


def test_an_unknown_number_stands_at_its_centre_and_is_flagged() -> None:
    table = np.array([[3.0, np.nan], [1.0, 9.0]], dtype=np.float32)
    found = standardised(table, np.array([1, 5], dtype=np.float32), np.array([2, 2], dtype=np.float32))
    assert found.tolist() == [[1.0, 0.0, 0.0, 1.0], [0.0, 2.0, 0.0, 0.0]]


@given(hnp.arrays(np.float32, (5, 3), elements=st.floats(width=32)))
def test_whatever_is_told_stays_within_reach(table: Floats) -> None:
    ones = np.ones(3, dtype=np.float32)
    found = standardised(table, 0 * ones, ones)
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 4


def test_regularization_grows_with_what_somebody_is_met_with() -> None:
    totals = np.array([0.0, 5.0, 20.0])
    np.testing.assert_array_equal(frequency_scaled(0.5, 0.0, totals, 80), [0.5, 0.5, 0.5])
    np.testing.assert_allclose(frequency_scaled(0.5, 1.0, totals, 80), [40, 42.5, 50])
    np.testing.assert_allclose(frequency_scaled(0.5, 0.5, totals, 80), 0.5 * np.sqrt([80, 85, 100]))
