"""Things as columns: each keeps its own facts, and what is not told is unknown."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.domain.side import PairSide

columns = st.dictionaries(st.sampled_from("abc"), st.floats(-1e6, 1e6, width=32), max_size=3)


def test_a_name_that_a_thing_lacks_is_unknown_of_it() -> None:
    side = PairSide.of(["1", "2"], [{"a": 1.0}, {"b": 2.0}], [{"kind": "flat"}, {}])
    np.testing.assert_array_equal(side.numbers["a"], np.array([1, np.nan], dtype=np.float32))
    np.testing.assert_array_equal(side.numbers["b"], np.array([np.nan, 2], dtype=np.float32))
    assert side.text_columns["kind"].tolist() == ["flat", ""]
    assert side.numbers["a"].dtype == np.float32


def test_words_are_never_cut_short() -> None:
    side = PairSide.of(["1", "2"], [], [{"kind": "a"}, {"kind": "a much longer word"}])
    assert side.text_columns["kind"].tolist() == ["a", "a much longer word"]


def test_nothing_is_a_side_too() -> None:
    assert len(PairSide.of([])) == 0
    assert PairSide.of([]).numbers == {}
    assert len(PairSide.of(["1"])) == 1


@given(told=st.lists(columns, min_size=1, max_size=8))
def test_taken_rows_keep_their_ids_and_facts(told: list[dict[str, float]]) -> None:
    ids = [str(place) for place in range(len(told))]
    side = PairSide.of(ids, told, [{"kind": one} for one in ids])
    rows = np.random.default_rng(0).permutation(len(told))
    taken = side.take(rows)
    assert taken.ids == tuple(ids[row] for row in rows)
    assert taken.text_columns["kind"].tolist() == list(taken.ids)
    for place, row in enumerate(rows.tolist()):
        for name, column in taken.numbers.items():
            assert column[place] == np.float32(told[row][name]) if name in told[row] else np.isnan(column[place])


def test_no_rows_taken_is_an_empty_side() -> None:
    assert len(PairSide.of(["1"], [{"a": 1.0}]).take(np.empty(0, dtype=np.int64))) == 0
