from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.core.numeric import unit_rows
from recommendation_service.tests.support.materials import club_panel
from recommendation_service.training.evaluation.list_metrics import (
    categories_in,
    figures,
    fresh_share,
    full_share,
    novelty,
    redundancy,
)

TAGS = unit_rows(np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], dtype=np.float32))


def lists(*rows):
    return np.array(rows, dtype=np.int64)


def test_redundancy_is_the_mean_cosine_of_a_lists_pairs():
    found = redundancy(lists([0, 1, 2], [0, 2, -1], [3, -1, -1]), TAGS)
    assert found[:2].tolist() == pytest.approx([1 / 3, 0.0], abs=1e-6)
    assert np.isnan(found[2])


@given(st.lists(st.integers(0, 3), min_size=2, max_size=4, unique=True), st.randoms())
def test_redundancy_lies_between_none_and_all_and_the_order_changes_nothing(rows, chance):
    shuffled = chance.sample(rows, len(rows))
    one, other = (float(redundancy(lists(order), TAGS)[0]) for order in (rows, shuffled))
    assert -1e-6 <= one <= 1 + 1e-6
    assert one == pytest.approx(other, abs=1e-5)


def test_categories_are_counted_once_a_list():
    carried = np.array([[True, False], [True, False], [False, True]])
    assert categories_in(lists([0, 1, -1], [0, 1, 2]), carried).tolist() == [[True, False], [True, True]]


def test_fresh_is_younger_than_the_days_and_the_future_but_not_the_unknown():
    created = np.array([100, 71, 70, 200, np.nan], dtype=np.float32)
    assert fresh_share(lists([0, 1, 2, 3, 4]), created, 100.0, 30.0) == pytest.approx(3 / 5)
    assert fresh_share(lists([-1, -1]), created, 100.0) == 0.0


def test_novelty_is_the_bits_of_how_few_like_what_is_shown():
    liked_by = np.array([7, 3, 0])
    assert novelty(lists([0]), liked_by, 7) == pytest.approx(0.0)
    assert novelty(lists([1, 2]), liked_by, 7) == pytest.approx((1 + 3) / 2)
    assert novelty(lists([-1]), liked_by, 7) == 0.0


def test_a_list_is_full_when_every_place_is_taken():
    assert full_share(lists([1, 2], [3, -1])) == 0.5
    assert full_share(np.empty((0, 2), dtype=np.int64)) == 0.0


def test_the_figures_of_a_panel_know_the_right_answer_from_a_wrong_one():
    _early, panel, _ = club_panel()
    right = np.array([np.flatnonzero(row)[:1].repeat(3) for row in panel.relevant.toarray()])
    right[:, 1:] = -1
    wrong = np.where(right == -1, -1, (right + 1) % 24)
    best, worst = figures(right, panel), figures(wrong, panel)
    assert best.ndcg > worst.ndcg == 0.0
    assert best.redundancy is None
    assert best.categories == 1.0
    assert best.full == 0.0


def test_a_site_without_categories_has_no_figure_for_them():
    _early, panel, _ = club_panel()
    bare = replace(panel.material.catalogue, facets={"tags": panel.material.catalogue.facets["tags"]})
    own = figures(np.zeros((len(panel), 1), dtype=np.int64), replace(panel, material=replace(panel.material, catalogue=bare)))
    assert (own.categories, own.category_coverage) == (None, None)
