import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from recommendation_service.training.evaluation import metrics


def naive(scores, eligible, relevant, k):
    """One person's metrics, written as the definitions read."""
    order = [row for row in range(len(scores)) if eligible[row] and not math.isnan(scores[row])]
    order.sort(key=lambda row: (-scores[row], row))
    shown = order[:k]
    hits = [1 if row in relevant else 0 for row in shown]
    dcg = sum(hit / math.log2(place + 2) for place, hit in enumerate(hits))
    ideal = sum(1 / math.log2(place + 2) for place in range(min(k, len(relevant))))
    average = sum(sum(hits[: place + 1]) / (place + 1) for place, hit in enumerate(hits) if hit)
    return sum(hits) / k, sum(hits) / len(relevant), dcg / ideal, average / min(k, len(relevant))


@pytest.mark.parametrize(("people", "items", "k"), [(1, 5, 3), (17, 40, 10), (30, 200, 10), (4, 6, 10)])
def test_metrics_equal_a_naive_loop_over_people(people, items, k):
    rng = np.random.default_rng(people * items)
    scores = rng.normal(size=(people, items)).astype(np.float32)
    scores[rng.random(scores.shape) < 0.2] = np.nan
    eligible = rng.random(scores.shape) < 0.8
    wanted = rng.random(scores.shape) < 0.1
    wanted[np.arange(people), rng.integers(0, items, people)] = True
    relevant = sparse.csr_array(wanted.astype(np.float32))
    found = metrics.measure(metrics.top_k(scores, eligible, k), relevant)
    for person in range(people):
        expected = naive(scores[person], eligible[person], set(np.flatnonzero(wanted[person])), k)
        assert (found.precision[person], found.recall[person], found.ndcg[person], found.map[person]) == pytest.approx(
            expected, abs=1e-6
        )


@given(arrays(np.float32, (3, 60), elements=st.floats(-5, 5, width=32), unique=True), st.integers(1, 12))
def test_the_partitioned_ranking_equals_the_full_sort(scores, k):
    eligible = scores > -3
    assert np.array_equal(metrics.top_k(scores, eligible, k), metrics.ranked(scores, eligible, k))


def test_nothing_eligible_gives_an_empty_list_and_no_hit():
    lists = metrics.top_k(np.ones((1, 4), dtype=np.float32), np.zeros((1, 4), dtype=np.bool_), 3)
    assert lists.tolist() == [[-1, -1, -1]]
    assert metrics.measure(lists, sparse.csr_array(np.ones((1, 4), dtype=np.float32))).ndcg[0] == 0


def test_a_perfect_list_scores_one_even_when_fewer_than_k_are_relevant():
    scores = np.array([[3.0, 2.0, 1.0, 0.0]], dtype=np.float32)
    relevant = sparse.csr_array(np.array([[1, 1, 0, 0]], dtype=np.float32))
    found = metrics.measure(metrics.top_k(scores, np.ones((1, 4), dtype=np.bool_), 3), relevant)
    assert (found.ndcg[0], found.map[0], found.recall[0]) == (1, 1, 1)


def test_diversity_is_zero_among_twins_and_one_among_strangers():
    lists = np.array([[0, 1], [0, 2], [3, -1]])
    likeness = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=np.float32)
    relevant = sparse.csr_array(np.ones((3, 4), dtype=np.float32))
    assert np.allclose(metrics.measure(lists, relevant, likeness).diversity, [0, 1, np.nan], equal_nan=True)


def test_coverage_counts_each_shown_item_once():
    assert metrics.catalogue_coverage(np.array([[0, 1], [1, -1]]), 8) == 0.25


def test_the_bootstrap_interval_holds_the_mean_and_repeats_for_a_seed():
    figures = np.random.default_rng(1).random(300).astype(np.float32)
    low, high = metrics.bootstrap(figures)
    assert low < figures.mean() < high
    assert (low, high) == metrics.bootstrap(figures)
