"""Items as arrays, and what they can be filtered by."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.domain.catalogue import Catalogue, Facet
from recommendation_service.domain.history import History
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.slate import Candidates

values = st.lists(st.lists(st.sampled_from(["ai", "Health", "fin-tech", "\u00e9cole"]), max_size=4), max_size=12)


@given(values, st.sets(st.sampled_from(["AI", "health", "FIN-TECH", "\u00c9COLE", "unknown"])))
def test_a_mask_is_true_exactly_where_an_item_carries_a_wanted_value(per_item: list[list[str]], wanted: set[str]) -> None:
    folded = {one.casefold() for one in wanted}
    expected = [any(own.casefold() in folded for own in item) for item in per_item]
    assert Facet.build(per_item).mask(wanted).tolist() == expected


@given(values)
def test_an_items_values_come_back(per_item: list[list[str]]) -> None:
    facet = Facet.build(per_item)
    assert [set(facet.of(row)) for row in range(len(per_item))] == [set(own) for own in per_item]


def test_known_rows_keep_the_order_asked_and_drop_strangers() -> None:
    ids = IdMap.of(["a", "b", "c"])
    ones = np.ones(3, dtype=np.float32)
    catalogue = Catalogue("x", ids, ("A", "B", "C"), ones, ones)
    assert len(catalogue) == 3
    assert catalogue.known_rows(["c", "zz", "a"]).tolist() == [2, 0]


def test_liked_leaves_out_dislikes_and_what_was_only_seen() -> None:
    history = History(np.array([5, 3, 1]), np.array([1.0, 0.0, -2.0], dtype=np.float32), 3)
    rows, weights = history.liked()
    assert (rows.tolist(), weights.tolist()) == ([5], [1.0])
    assert History.empty().count == 0


def test_candidates_carry_their_parts_when_some_are_taken() -> None:
    parts = {"als": np.array([0.1, 0.2, 0.3], dtype=np.float32)}
    found = Candidates(np.array([7, 8, 9]), np.array([3.0, 2.0, 1.0], dtype=np.float32), parts).take(np.array([2, 0]))
    assert found.rows.tolist() == [9, 7]
    assert np.allclose(found.parts["als"], [0.3, 0.1])
    assert len(found) == 2
