"""Words as places in one table, the same for training and serving."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.datasets.pair_vocabulary import NONE, UNKNOWN, places, vocabulary

tokens = st.lists(st.text(max_size=5), min_size=1, max_size=20)


def column(*told: str) -> np.ndarray:
    return np.array(told, dtype=np.str_)


def test_words_of_two_columns_are_told_apart_and_ascend() -> None:
    found = vocabulary({"kind": column("villa", "flat", "villa"), "mood": column("flat", "", "")})
    assert found.tolist() == [b"kind=flat", b"kind=villa", b"mood=flat"]


def test_a_word_is_found_under_its_own_column_only() -> None:
    known = vocabulary({"kind": column("flat", "villa")})
    rows = places({"kind": column("villa", "castle", ""), "mood": column("flat", "flat", "flat")}, known)
    assert rows.tolist() == [[1, UNKNOWN], [UNKNOWN, UNKNOWN], [UNKNOWN, UNKNOWN]]


def test_without_a_word_there_is_one_row_that_nobody_finds() -> None:
    known = vocabulary({"kind": column("", "")})
    assert known.tolist() == [NONE]
    assert places({"kind": column("", "flat")}, known).tolist() == [[UNKNOWN], [UNKNOWN]]
    assert places({}, known).shape == (0, 0)


@given(tokens)
def test_every_word_of_a_column_is_found_again(told: list[str]) -> None:
    told = [word.replace("\x00", "") for word in told]
    known = vocabulary({"kind": column(*told)})
    for word, row in zip(told, places({"kind": column(*told)}, known)[:, 0].tolist(), strict=True):
        assert row == UNKNOWN if not word else known[row].decode() == f"kind={word}"
