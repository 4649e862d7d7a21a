"""The table that pairs are learned from: what goes in comes out, and what does not fit is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.datasets.pair_outcomes import MATCHES, Matches, ordered, read_matches, write_matches
from recommendation_service.errors import DatasetError
from recommendation_service.tests.support.pairs import CLEANING, table
from recommendation_service.use_cases.loader import load

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


def test_a_written_table_reads_back(tmp_path: Path) -> None:
    told = table(5)
    write_matches(tmp_path, told)
    found = read_matches(tmp_path)
    assert found.names == told.names
    assert set(found.text_columns) == set(told.text_columns)
    for name, column in told.arrays().items():
        np.testing.assert_array_equal(found.arrays()[name], column)


def test_the_same_table_makes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write_matches(tmp_path / name, table(4))
    assert (tmp_path / "one" / MATCHES).read_bytes() == (tmp_path / "other" / MATCHES).read_bytes()


def test_a_table_without_rows_is_a_table(tmp_path: Path) -> None:
    write_matches(tmp_path, table(0))
    assert len(read_matches(tmp_path)) == 0
    assert read_matches(tmp_path).counts() == dict.fromkeys(("matches", "decisions", "chosen", "rated", "verdicts"), 0)


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_words_of_every_script_survive(text_columns: list[str]) -> None:
    told = replace(table(len(text_columns)), text_columns={"property_type": np.array(text_columns, dtype=np.str_)})
    assert Matches.from_arrays(told.arrays()).text_columns["property_type"].tolist() == text_columns


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"groups": np.zeros(3, dtype=np.int64)}, "groups holds 3, times hold 5"),
        ({"text_columns": {"property_type": np.array(["a"])}}, "text_property_type holds 1, times hold 5"),
        ({"names": ("size_m2",)}, r"numbers are \(5, \d+\), names are 1"),
        ({"chosen": np.zeros(5, dtype=np.int64)}, "chosen are int64"),
        ({"groups": np.zeros(5, dtype=np.float64)}, "groups are float64"),
        ({"ratings": np.full(5, np.inf, dtype=np.float32)}, "ratings hold a number without end"),
        ({"times": np.full(5, np.nan)}, "a time is unknown"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(DatasetError, match=told):
        replace(table(5), **change)


@pytest.mark.parametrize("name", ["number_names", "numbers", "verdicts", "times"])
def test_an_array_that_is_missing_is_named(name: str) -> None:
    arrays = {key: column for key, column in table(3).arrays().items() if key != name}
    with pytest.raises(DatasetError, match=f"matches: {name} is missing; export again"):
        Matches.from_arrays(arrays)


def test_an_export_with_the_array_names_of_version_0_2_is_refused() -> None:
    arrays = {key.replace("text_", "word_"): column for key, column in table(3).arrays().items()}
    with pytest.raises(DatasetError, match=r"array word_.+ is not of this version's format; export again"):
        Matches.from_arrays(arrays)


def test_a_file_that_is_no_table_is_refused_without_running_anything(tmp_path: Path) -> None:
    (tmp_path / MATCHES).write_bytes(b"PK\x03\x04 and nothing of it")
    with pytest.raises(DatasetError, match="cannot be read"):
        read_matches(tmp_path)
    np.savez(tmp_path / MATCHES, **{**table(3).arrays(), "times": np.array([object()] * 3)})  # type: ignore[arg-type]  # a pickle inside
    with pytest.raises(DatasetError, match="cannot be read"):
        read_matches(tmp_path)


def test_an_export_writes_them_oldest_first_and_keeps_ties_as_they_came() -> None:
    told = replace(table(4), times=np.array([3.0, 1.0, 3.0, 2.0]), groups=np.arange(4))
    found = ordered(told, CLEANING)
    assert found is not None
    assert found.groups.tolist() == [1, 3, 0, 2]


def test_a_column_that_the_pairing_reads_and_neither_side_has_is_named() -> None:
    told = table(3)
    lacking = replace(told, names=tuple("area" if name == "size_m2" else name for name in told.names))
    with pytest.raises(DatasetError, match=r"reads 'size_m2', which neither side has; name one of .*area.* in cleaning\.toml"):
        ordered(lacking, CLEANING)
    with pytest.raises(DatasetError, match="reads 'property_type'"):
        ordered(
            replace(told, text_columns={name: one for name, one in told.text_columns.items() if name != "property_type"}),
            CLEANING,
        )


def test_a_use_case_without_pairs_has_no_table() -> None:
    assert ordered(table(3), load("startups")) is None
    assert ordered(None, CLEANING) is None


def test_rows_are_taken_with_everything_that_is_known_of_them() -> None:
    told = table(5)
    some = told.take(np.array([4, 0]))
    assert some.groups.tolist() == [int(told.groups[4]), int(told.groups[0])]
    assert some.text_columns["left_owner"].tolist() == [told.text_columns["left_owner"][4], told.text_columns["left_owner"][0]]
    np.testing.assert_array_equal(some.numbers, told.numbers[[4, 0]])


def test_a_column_may_be_made_unknown_in_some_rows_and_the_first_table_stays() -> None:
    told, rows = table(4), np.array([True, False, False, True])
    bids = told.names.index("bid")
    hidden = told.without("bid", rows)
    assert np.isnan(hidden.numbers[:, bids]).tolist() == rows.tolist()
    assert not np.isnan(told.numbers[:, bids]).any()


def test_as_pairs_it_has_every_column_by_name() -> None:
    told = table(4)
    pairs = told.pairs()
    assert pairs.n == 4
    np.testing.assert_array_equal(pairs.number("bid"), told.numbers[:, told.names.index("bid")])
    assert pairs.text("right_owner").tolist() == told.text_columns["right_owner"].tolist()


def test_what_there_is_to_learn_from_is_counted() -> None:
    nothing = np.full(5, np.nan, dtype=np.float32)
    told = replace(
        table(5),
        groups=np.array([1, 1, 2, 2, -1]),
        decided=np.array([True, True, False, False, False]),
        chosen=np.array([True, False, False, False, False]),
        ratings=np.array([0.9, *nothing[:4]], dtype=np.float32),
        verdicts=np.array([*nothing[:4], 1.0], dtype=np.float32),
    )
    assert told.counts() == {"matches": 5, "decisions": 1, "chosen": 1, "rated": 1, "verdicts": 1}
