"""The gain of another order, by hand, and as a law."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.core.numeric import AnyArray
from recommendation_service.training.ranking.trainer import dcg_of, gain_of
from recommendation_service.training.ranking.training_data import ShownLists

ALIKE = np.ones(1)


def lists_of(*weights: tuple[float, ...], people: tuple[int, ...] | None = None) -> ShownLists:
    """Lists shown in the engine's order, whose standing falls from 1."""
    sizes = [len(one) for one in weights]
    flat = np.concatenate([np.array(one, dtype=np.float32) for one in weights])
    standing = np.concatenate([np.linspace(1, 0, size) for size in sizes]).astype(np.float32)
    positions = np.concatenate([np.arange(1, size + 1) for size in sizes])
    who = np.arange(len(sizes)) if people is None else np.array(people)
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    return ShownLists(("standing",), standing[:, None], flat, positions, indptr, who, np.arange(len(sizes)) * 1.0)


def test_gains_are_discounted_by_place() -> None:
    lists = lists_of((0, 5, 1.5), (3, 0))
    standing = lists.features[:, 0]
    assert dcg_of(lists, lists.weights, standing) == pytest.approx([5 / np.log2(3) + 1.5 / 2, 3.0])
    assert dcg_of(lists, lists.weights, -standing) == pytest.approx([1.5 + 5 / np.log2(3), 3 / np.log2(3)])


def test_places_below_the_tenth_count_nothing() -> None:
    lists = lists_of((*[0.0] * 10, 4.0))
    assert dcg_of(lists, lists.weights, lists.features[:, 0]).tolist() == [0.0]


def test_unknown_and_equal_scores_keep_the_order_that_was_shown() -> None:
    lists = lists_of((1, 2, 3))
    shown = dcg_of(lists, lists.weights, lists.features[:, 0])
    for scores in (np.zeros(3), np.full(3, np.nan)):
        assert dcg_of(lists, lists.weights, scores) == pytest.approx(shown)


def test_the_best_order_has_an_ndcg_of_one_and_the_engines_is_what_it_is() -> None:
    lists = lists_of((0, 1), (0, 1), (0, 1))
    gain = gain_of(lists, lists.weights, ALIKE)
    assert gain.learned == pytest.approx(1.0)
    assert gain.engine == pytest.approx(1 / np.log2(3))
    assert (gain.lists, gain.people, gain.sure) == (3, 3, True)
    assert gain.low == pytest.approx(1 - 1 / np.log2(3))


def test_a_click_counts_for_more_where_fewer_look() -> None:
    lists = lists_of((1, 0, 0, 0), (0, 0, 0, 1))
    looked = np.array([1.0, 0.5, 0.25, 0.2])
    turned = -lists.features[:, 0]
    even, corrected = gain_of(lists, turned, ALIKE), gain_of(lists, turned, looked)
    assert even.learned == pytest.approx(even.engine)
    assert corrected.learned > corrected.engine
    assert corrected.engine == pytest.approx((1 + 5 / np.log2(5)) / 6)


def test_places_that_hardly_anybody_looks_at_are_bounded_and_deeper_ones_count_like_the_last_known() -> None:
    lists = lists_of((0, 0, 1), (1, 0, 0))
    gain = gain_of(lists, lists.weights, np.array([1.0, 0.001]))
    assert gain.engine == pytest.approx((10 / 2 + 1) / 11)


def test_one_person_with_many_lists_is_one_person() -> None:
    lucky = ((0.0, 1.0),) * 30
    even = ((1.0, 0.0),) * 4
    turned = np.concatenate([[0.0, 1.0]] * 30 + [[1.0, 0.0]] * 4)
    own = gain_of(lists_of(*lucky, *even, people=(7,) * 30 + (1, 2, 3, 4)), turned, ALIKE)
    assert own.people == 5
    assert not own.sure
    anonymous = gain_of(lists_of(*lucky, *even, people=(-1,) * 34), turned, ALIKE)
    assert anonymous.people == 34
    assert anonymous.sure


def test_what_is_told_names_both_orders_and_the_interval() -> None:
    told = gain_of(lists_of((0, 1), (0, 1)), np.array([0.0, 1.0, 0.0, 1.0]), ALIKE).summary()
    assert told.startswith("NDCG@10 1.0000 against 0.6309 in the engine's own order (+58.5%, 99% +0.3691 to +0.3691")
    assert told.endswith("2 lists of 2 people)")


@given(
    weights=st.lists(st.lists(st.sampled_from([0.0, 1.5, 5.0]), min_size=2, max_size=9), min_size=1, max_size=6),
    seed=st.integers(0, 1000),
)
def test_no_order_beats_the_weights_themselves(weights: list[list[float]], seed: int) -> None:
    kept = [(*one[:-1], 1.5) for one in weights]
    lists = lists_of(*kept)
    scores: AnyArray = np.random.default_rng(seed).normal(size=lists.weights.size)
    gain = gain_of(lists, scores, ALIKE)
    assert 0 < gain.learned <= 1 + 1e-6
    assert gain.low <= gain.high
