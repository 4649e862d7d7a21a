from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recommendation_service.engines.collaborative_als import fold_in
from recommendation_service.errors import DatasetError
from recommendation_service.training.models import als
from recommendation_service.training.models.als import ALSParameters, factorise, half_step

PEOPLE, ITEMS = 23, 17


def exact(regularization, scaling, **settings):
    return ALSParameters(solver="exact", regularization=regularization, frequency_scaling=scaling, **settings)


def likings(seed=0, *, people=PEOPLE, items=ITEMS):
    """Confidences from 0.3 to 12; everybody and everything occurs, some far more than others."""
    rng = np.random.default_rng(seed)
    there = rng.random((people, items)) < rng.random(people)[:, None]
    there[np.arange(people), np.arange(people) % items] = True
    return sparse.csr_array(np.where(there, rng.uniform(0.3, 12, there.shape), 0).astype(np.float32))


def ridges(dense, terms):
    """How Rendle et al. regularise rows, in our scale: by the sum of their confidence and one for each column."""
    return terms.regularization * (dense.sum(axis=1) + dense.shape[1]) ** terms.frequency_scaling


def loss(dense, rows, columns, terms):
    scores = rows.astype(np.float64) @ columns.astype(np.float64).T
    held = ridges(dense, terms) @ (rows**2).sum(axis=1) + ridges(dense.T, terms) @ (columns**2).sum(axis=1)
    return (dense * (scores - 1) ** 2).sum() + (scores**2).sum() + held


def by_hand(dense, fixed, terms):
    wide, found = fixed.astype(np.float64), []
    for own, ridge in zip(dense.astype(np.float64), ridges(dense, terms), strict=True):
        system = wide.T @ np.diag(1 + own) @ wide + ridge * np.eye(wide.shape[1])
        found.append(np.linalg.solve(system, wide.T @ own))
    return np.array(found)


@pytest.mark.parametrize("scaling", [0.0, 0.5, 1.0])
def test_a_half_step_is_the_dense_normal_equations_solved_by_hand(scaling):
    matrix, terms = likings(), exact(0.02, scaling)
    fixed = np.random.default_rng(1).standard_normal((ITEMS, 6)).astype(np.float32)
    np.testing.assert_allclose(half_step(matrix, fixed, terms), by_hand(matrix.toarray(), fixed, terms), rtol=1e-3, atol=1e-4)


def test_with_weights_of_one_it_is_the_equation_of_the_paper():
    """(sum of h h' over I_u + alpha0 G + lambda (|I_u| + alpha0 |I|)^nu) w = sum of h over I_u."""
    alpha0, own_lambda, nu = 0.1, 0.03, 0.5
    there = np.asarray(likings().toarray() > 0, dtype=np.float64)
    fixed = np.random.default_rng(1).standard_normal((ITEMS, 6))
    paper = []
    for own in there:
        held = own_lambda * (own.sum() + alpha0 * ITEMS) ** nu
        system = fixed.T @ np.diag(own) @ fixed + alpha0 * fixed.T @ fixed + held * np.eye(6)
        paper.append(np.linalg.solve(system, fixed.T @ own))
    confidence = sparse.csr_array((there / alpha0).astype(np.float32))
    ours = half_step(confidence, fixed.astype(np.float32), exact(own_lambda * (1 / alpha0) ** (1 - nu), nu))
    np.testing.assert_allclose(ours, paper, rtol=1e-3, atol=1e-4)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1_000), scaling=st.sampled_from([0.0, 0.5, 1.0]), regularization=st.sampled_from([0.003, 0.3]))
def test_what_is_minimised_never_rises(seed, scaling, regularization):
    matrix, terms = likings(seed), exact(regularization, scaling)
    dense = matrix.toarray().astype(np.float64)
    losses = [
        loss(dense, *factorise(matrix, replace(terms, factors=4, iterations=count, seed=seed)), terms) for count in range(1, 8)
    ]
    for before, after in pairwise(losses):
        assert after <= before * (1 + 1e-5)
    assert losses[-1] < losses[0]


def test_folding_somebody_in_gives_the_trained_vector():
    matrix, terms = likings(), exact(0.02, 1.0)
    rows, columns = factorise(matrix, replace(terms, factors=6, iterations=5, seed=3))
    for person in range(PEOPLE):
        held = ridges(matrix.toarray(), terms)[person]
        own = slice(matrix.indptr[person], matrix.indptr[person + 1])
        known = (matrix.indices[own].astype(np.int64), matrix.data[own])
        folded = fold_in(columns, columns.T @ columns, *known, float(held), on_top=True)
        np.testing.assert_allclose(folded.vector, rows[person], atol=1e-4)


def test_threads_change_no_byte_and_blocks_nothing_that_counts(monkeypatch):
    matrix = likings(people=60)
    settings = exact(0.01, 1.0, factors=8, iterations=3, seed=5)
    whole = factorise(matrix, settings)
    monkeypatch.setattr(als, "NUMBERS_AT_ONCE", 500)
    alone = factorise(matrix, settings)
    many = factorise(matrix, settings, threads=3)
    assert [one.tobytes() for one in alone] == [one.tobytes() for one in many]
    np.testing.assert_allclose(alone[0] @ alone[1].T, whole[0] @ whole[1].T, atol=1e-4)


def test_blocks_hold_every_row_once_and_rows_of_like_size_together():
    sizes = np.array([1, 900, 3, 2, 40, 1, 5])
    blocks = list(als._blocks(sizes, 128))
    assert sorted(np.concatenate(blocks).tolist()) == list(range(7))
    assert all(block.size * max(128, sizes[block].max()) * 128 <= als.NUMBERS_AT_ONCE for block in blocks)
    assert sizes[np.concatenate(blocks)].tolist() == sorted(sizes, reverse=True)


def test_a_row_longer_than_is_gathered_at_once_is_summed_in_pieces(monkeypatch):
    matrix, terms = likings(), exact(0.02, 1.0)
    fixed = np.random.default_rng(1).standard_normal((ITEMS, 6)).astype(np.float32)
    whole = half_step(matrix, fixed, terms)
    monkeypatch.setattr(als, "LONGEST", 2)
    np.testing.assert_allclose(half_step(matrix, fixed, terms), whole, rtol=1e-3, atol=1e-5)


def test_another_seed_begins_elsewhere():
    one, other = (factorise(likings(), exact(0.02, 1.0, factors=6, iterations=1, seed=seed)) for seed in (1, 2))
    assert not np.array_equal(one[0], other[0])


def test_progress_tells_each_iteration():
    told = []
    settings = exact(0.02, 1.0, factors=4, iterations=3)
    factorise(likings(), settings, progress=lambda done, most, word: told.append((done, most, word)))
    assert told == [(1, 3, "solving"), (2, 3, "solving"), (3, 3, "solving")]


def test_vectors_that_nothing_holds_down_are_an_error_that_tells_the_fix():
    with pytest.raises(DatasetError, match="so little regularization; raise it"):
        half_step(likings(), np.zeros((ITEMS, 4), dtype=np.float32), exact(0.0, 1.0))


def test_a_system_that_32_bits_cannot_solve_is_solved_in_64():
    steep = np.array([[42, 32], [32, np.nextafter(np.float32(32 * 32 / 42), np.float32(25))]], dtype=np.float32)
    assert als.lapack.sposv(steep, np.ones(2, dtype=np.float32), lower=1)[2] == 2
    found = als._positive_solved(steep, np.ones(2, dtype=np.float32))
    np.testing.assert_allclose(found, np.linalg.solve(steep.astype(np.float64), np.ones(2)), rtol=1e-5)
