"""Every column by hand on the checkerboard, where item 0 is white, item 1 black, and tones go round by three."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.core.numeric import Floats
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.features import MAX_RECENT, Features, names_for, noted, unknown_names
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates
from recommendation_service.tests.engines.board import N, catalogue, query

BOARD = catalogue()
NAMES = names_for(BOARD, ["als"])


def candidates(*rows: int, scores: tuple[float, ...] | None = None, **parts: tuple[float, ...]) -> Candidates:
    given_scores = scores or tuple(float(len(rows) - place) for place in range(len(rows)))
    arrays = {name: np.array(part, dtype=np.float32) for name, part in parts.items()}
    return Candidates(np.array(rows, dtype=np.int64), np.array(given_scores, dtype=np.float32), arrays)


def columns(asked: Query, found: Candidates, of: Catalogue = BOARD) -> dict[str, list[float]]:
    table = Features(of, NAMES).of(asked, found)
    assert table.dtype == np.float32
    return {name: table[:, place].tolist() for place, name in enumerate(NAMES)}


def test_the_columns_follow_the_catalogue_and_the_engines() -> None:
    plain = ("standing", "likeness", "popularity", "age_days", "history")
    assert (*plain, "part:als", "taste:category", "taste:tags", "lately:category") == NAMES
    bare = replace(BOARD, facets={})
    assert names_for(bare, []) == plain
    priced = replace(BOARD, facets={**BOARD.facets, "price_range": BOARD.facets["tags"]})
    assert "taste:price_range" in names_for(priced, [])


def test_no_column_knows_the_position() -> None:
    assert not [name for name in NAMES if "position" in name]
    upwards = Features(BOARD, NAMES).of(query(BOARD, [0, 3]), noted(query(BOARD), candidates(4, 7, 9)))
    found = noted(query(BOARD), candidates(4, 7, 9)).take(np.array([2, 1, 0]))
    np.testing.assert_array_equal(Features(BOARD, NAMES).of(query(BOARD, [0, 3]), found), upwards[::-1])


def test_standing_is_the_score_within_the_list_unless_a_wider_list_was_noted() -> None:
    assert columns(query(BOARD), candidates(4, 7, 9, scores=(5.0, 4.0, 1.0)))["standing"] == [1.0, 0.75, 0.0]
    told = candidates(4, 7, scores=(5.0, 4.0), standing=(0.9, 0.8))
    assert columns(query(BOARD), told)["standing"] == pytest.approx([0.9, 0.8])
    kept = candidates(4, 7, scores=(9.0, 8.0), score=(1.0, 3.0))
    assert columns(query(BOARD), kept)["standing"] == [0.0, 1.0]


def test_taste_is_the_share_of_what_was_liked() -> None:
    found = columns(query(BOARD, [0, 2, 3, 5], weights=[1.0, 2.0, 1.0, -4.0]), candidates(6, 7, 8))
    assert found["taste:category"] == [0.75, 0.25, 0.75]
    assert found["taste:tags"] == [0.5, 0.0, 0.5]


def test_lately_counts_the_newest_items_whatever_was_thought_of_them() -> None:
    newest = list(range(0, 2 * MAX_RECENT, 2))
    past = [*newest[: MAX_RECENT - 1], 1, 3, 5, 7]
    found = columns(query(BOARD, past, weights=[-1.0] * len(past)), candidates(20, 21))
    assert found["lately:category"] == pytest.approx([0.9, 0.1])


def test_someone_without_a_past_has_no_taste_and_a_history_of_nothing() -> None:
    found = columns(query(BOARD), candidates(1, 2))
    for name in ("taste:category", "taste:tags", "lately:category"):
        assert np.isnan(found[name]).all()
    assert found["history"] == [0.0, 0.0]


def test_popularity_is_in_terms_of_the_usual_item_and_age_in_days() -> None:
    asked = replace(query(BOARD), now=query(BOARD).now + 86_400.0)
    found = columns(asked, candidates(0, 9))
    usual = np.mean([2 * N - number for number in range(N)])
    assert found["popularity"] == pytest.approx(np.log1p([48 / usual, 39 / usual]), rel=1e-6)
    assert found["age_days"] == pytest.approx([1.0, 10.0], abs=0.01)
    doubled = replace(BOARD, popularity=BOARD.popularity * 2)
    assert columns(asked, candidates(0, 9), doubled)["popularity"] == pytest.approx(found["popularity"])


def test_unknown_births_and_parts_that_no_engine_told_stay_unknown() -> None:
    born = replace(BOARD, created=np.full(N, np.nan, dtype=np.float32))
    found = columns(query(BOARD), candidates(0, 1), born)
    assert np.isnan(found["age_days"]).all()
    assert np.isnan(found["part:als"]).all()
    assert columns(query(BOARD), candidates(0, 1, als=(0.5, np.nan)))["part:als"][0] == 0.5


def test_a_facet_that_the_catalogue_lost_is_unknown_and_not_an_error() -> None:
    table = Features(replace(BOARD, facets={}), NAMES).of(query(BOARD, [0]), candidates(2, 4))
    assert np.isnan(table[:, NAMES.index("taste:tags")]).all()


def test_likeness_is_noted_only_where_the_request_is_about_items() -> None:
    about = noted(query(BOARD, subject=[0, 3]), candidates(6, 7, 8))
    assert about.parts["likeness"].tolist() == pytest.approx([0.75, 0.25, 0.25])
    assert columns(query(BOARD, subject=[0, 3]), about)["likeness"] == pytest.approx([0.75, 0.25, 0.25])
    assert "likeness" not in noted(query(BOARD), candidates(6, 7)).parts


def test_what_is_noted_keeps_what_was_there() -> None:
    found = noted(query(BOARD), candidates(6, 7, scores=(3.0, 1.0), als=(0.2, 0.1)))
    assert found.parts["als"].tolist() == pytest.approx([0.2, 0.1])
    assert found.parts["score"].tolist() == [3.0, 1.0]
    assert found.parts["standing"].tolist() == [1.0, 0.0]


def test_words_of_another_program_are_told() -> None:
    assert unknown_names([*NAMES, "taste:anything"]) == []
    assert unknown_names(["standing", "weather", "mood:today"]) == ["weather", "mood:today"]


def _by_hand(of: Catalogue, facet: str, past: list[int], row: int) -> float:
    """The share of the past that carries a value of the row, without arrays."""
    values = of.facets[facet].of(row)
    shares = [sum(value in of.facets[facet].of(one) for one in past) / len(past) for value in values]
    return sum(shares) / len(shares)


@given(
    past=st.lists(st.integers(0, N - 1), min_size=1, max_size=9, unique=True),
    rows=st.lists(st.integers(0, N - 1), min_size=1, max_size=9, unique=True),
)
def test_taste_agrees_with_counting_by_hand(past: list[int], rows: list[int]) -> None:
    table: Floats = Features(BOARD, NAMES).of(query(BOARD, past), candidates(*rows))
    for facet in ("category", "tags"):
        expected = [_by_hand(BOARD, facet, past, row) for row in rows]
        assert table[:, NAMES.index(f"taste:{facet}")].tolist() == pytest.approx(expected, abs=1e-6)
