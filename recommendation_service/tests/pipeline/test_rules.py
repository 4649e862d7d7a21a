from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.domain.catalogue import Facet
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates
from recommendation_service.errors import InvalidInput
from recommendation_service.pipeline.rules import apply_caps, exclude_disliked, exclude_rows, exclude_seen, wanted
from recommendation_service.tests.engines import board
from recommendation_service.use_cases.schema import Part


def ranked(rows: list[int]) -> Candidates:
    return Candidates(np.array(rows, dtype=np.int64), np.linspace(1, 0, len(rows), dtype=np.float32))


def test_everything_in_the_history_is_seen_liked_or_not() -> None:
    allowed = np.ones(6, dtype=np.bool_)
    exclude_seen(board.query(board.catalogue(6), (0, 2, 3), weights=(1, 0, -2)), allowed)
    assert np.flatnonzero(~allowed).tolist() == [0, 2, 3]


def test_of_what_was_seen_only_dislikes_stay_out_for_good() -> None:
    allowed = np.ones(6, dtype=np.bool_)
    exclude_disliked(board.query(board.catalogue(6), (0, 2, 3), weights=(1, 0, -2)), allowed)
    assert np.flatnonzero(~allowed).tolist() == [3]


def test_the_subject_is_never_its_own_recommendation() -> None:
    allowed = exclude_rows(board.query(board.catalogue(6), subject=(1,)), np.array([4]))
    assert np.flatnonzero(~allowed).tolist() == [1, 4]


def test_a_filter_takes_any_of_its_values_and_all_of_the_facets() -> None:
    query = board.query(board.catalogue(12))
    white = wanted(query, {"category": ("White",)})
    both = wanted(query, {"category": ("white",), "tags": ("tone0", "tone1")})
    assert np.flatnonzero(white).tolist() == [0, 2, 4, 6, 8, 10]
    assert np.flatnonzero(both).tolist() == [0, 4, 6, 10]
    assert not wanted(query, {"category": ("green",)}).any()


def test_an_unknown_filter_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="board can be filtered by category, tags") as refused:
        wanted(board.query(board.catalogue(4)), {"colour": ("white",)})
    assert list(refused.value.fields) == ["/filters/colour"]


def capped(query: Query, candidates: Candidates, **options: Any) -> Candidates:
    """The candidates that one cap allows, as a cap that is never relaxed."""
    rules = [Part(kind="max_per_category", options=options)]
    return apply_caps(replace(query, limit=100), candidates, rules, ())[0]


def test_a_category_is_capped_and_the_order_kept() -> None:
    query = board.query(board.catalogue(12))
    kept = capped(query, ranked([0, 2, 4, 1, 6, 3, 5]), limit=2)
    assert kept.rows.tolist() == [0, 2, 1, 3]


@given(
    owners=st.lists(st.lists(st.sampled_from("abc"), max_size=2, unique=True), min_size=1, max_size=20),
    limit=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_no_value_exceeds_the_cap_and_only_full_values_lose(owners: list[list[str]], limit: int, seed: int) -> None:
    catalogue = board.catalogue(len(owners))
    catalogue.facets["category"] = Facet.build(owners)  # type: ignore[index]
    rows = np.random.default_rng(seed).permutation(len(owners)).tolist()
    kept = capped(board.query(catalogue), ranked(rows), limit=limit).rows.tolist()
    for value in "abc":
        assert sum(value in owners[row] for row in kept) <= limit
    assert [row for row in rows if row in kept] == kept
    for row in set(rows) - set(kept):
        above = rows[: rows.index(row)]
        assert any(sum(value in owners[other] for other in above) >= limit for value in owners[row])


def test_the_cap_is_three_unless_the_file_says_otherwise() -> None:
    assert len(capped(board.query(board.catalogue(12)), ranked(list(range(12))))) == 6


def test_items_without_a_category_and_unknown_facets_are_not_capped() -> None:
    catalogue = board.catalogue(4)
    catalogue.facets["category"] = Facet.build([[], [], [], []])  # type: ignore[index]
    query = board.query(catalogue)
    assert len(capped(query, ranked([0, 1, 2, 3]), limit=1)) == 4
    assert len(capped(query, ranked([0, 1, 2, 3]), limit=1, facet="brand")) == 4
    assert len(capped(query, ranked([]), limit=1)) == 0


CUPS = [Part(kind="max_per_category", options={"limit": 2})]


def relaxing(rows: list[int], limit: int, **more: Any) -> tuple[list[int], list[str]]:
    query = replace(board.query(board.catalogue(12)), limit=limit)
    kept, relaxed = apply_caps(query, ranked(rows), more.pop("rules", CUPS), **more)
    return kept.rows.tolist(), [each.rule for each in relaxed]


def test_a_cap_is_relaxed_only_if_too_few_pass_and_the_answer_says_so() -> None:
    assert relaxing([0, 2, 4, 1, 6, 3], 4) == ([0, 2, 1, 3], [])
    assert relaxing([0, 2, 4, 1, 6, 8], 5) == ([0, 2, 4, 1, 6], ["max_per_category"])
    assert relaxing([0, 2, 4, 6], 10) == ([0, 2, 4, 6], ["max_per_category"])
    assert relaxing([0, 2], 10) == ([0, 2], [])


def test_a_cap_is_relaxed_for_the_items_that_are_needed_not_for_spare_ones() -> None:
    assert relaxing([0, 2, 4, 1, 6, 3], 6, needed=4) == ([0, 2, 1, 3], [])
    assert relaxing([0, 2, 4, 6], 4, needed=3) == ([0, 2, 4], ["max_per_category"])


def test_caps_are_relaxed_in_the_configured_order() -> None:
    tags = Part(kind="max_per_category", options={"limit": 1, "facet": "tags"})
    rules = [*CUPS, tags]
    assert relaxing([0, 2, 4], 3, rules=rules, relax=())[1] == []
    assert len(relaxing([0, 2, 4], 3, rules=rules, relax=())[0]) < 3
    first_tags = relaxing([0, 2, 4], 3, rules=rules, relax=("tags", "category"))
    assert first_tags == relaxing([0, 2, 4], 3, rules=rules)
    assert first_tags[0] == [0, 2, 4]
