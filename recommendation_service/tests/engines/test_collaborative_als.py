from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse
from threadpoolctl import threadpool_limits

from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.engines.base import Engine
from recommendation_service.engines.collaborative_als import CollaborativeALS, fold_in
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.store import Artifact
from recommendation_service.tests.engines import board
from recommendation_service.tests.engines.calls import best_reason, candidates
from recommendation_service.tests.engines.contract import EngineContract


class TestCollaborativeALS(EngineContract):
    def build(self, catalogue: Catalogue, order: Sequence[int]) -> Engine:
        return CollaborativeALS("als", board.als(order), catalogue)


EXACT = {"solver": "exact", "frequency_scaling": 1.0}


class TestExactALS(EngineContract):
    def build(self, catalogue: Catalogue, order: Sequence[int]) -> Engine:
        return CollaborativeALS("als", told(board.als(order), **EXACT), catalogue)


def told(artifact: Artifact, **more: object) -> Artifact:
    """The artifact with more parameters in its manifest."""
    manifest = replace(artifact.manifest, parameters={**artifact.manifest.parameters, **more})
    return replace(artifact, manifest=manifest)


def engine(**words) -> tuple[CollaborativeALS, Catalogue]:  # type: ignore[no-untyped-def]
    catalogue = board.catalogue()
    return CollaborativeALS("als", board.als(**words), catalogue), catalogue


@pytest.fixture(scope="module")
def fitted() -> AlternatingLeastSquares:
    rng = np.random.default_rng(7)
    taste = sparse.random(60, 40, density=0.2, random_state=rng, format="csr", dtype=np.float32)
    with threadpool_limits(1):
        model = AlternatingLeastSquares(
            factors=16, regularization=0.05, alpha=10.0, iterations=5, random_state=3, num_threads=1
        )
        model.fit(taste, show_progress=False)
    return model


@settings(max_examples=25, deadline=None)
@given(
    liked=st.dictionaries(st.integers(0, 39), st.floats(0.0625, 12.0, width=32), min_size=1, max_size=20),
    regularization=st.sampled_from([0.01, 0.05, 5.0]),
)
def test_folding_in_equals_what_implicit_recalculates(fitted, liked, regularization) -> None:  # type: ignore[no-untyped-def]
    rows, weights = np.array(sorted(liked)), np.array([liked[row] for row in sorted(liked)], dtype=np.float32)
    fitted.regularization, fitted._YtY = regularization, None
    person = sparse.csr_matrix((weights, (np.zeros(rows.size, dtype=int), rows)), shape=(1, 40))
    factors = np.asarray(fitted.item_factors)
    ours = fold_in(factors, factors.T @ factors, rows, 10.0 * weights, regularization).vector
    with threadpool_limits(1):
        theirs = fitted.recalculate_user(0, person)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_contributions_sum_to_the_score(fitted: AlternatingLeastSquares) -> None:
    factors = np.asarray(fitted.item_factors)
    rows = np.array([3, 9, 21])
    folded = fold_in(factors, factors.T @ factors, rows, np.array([10, 20, 5], dtype=np.float32), 0.05)
    added = folded.contributions(factors, np.arange(40))
    assert added.shape == (3, 40)
    np.testing.assert_allclose(added.sum(axis=0), factors @ folded.vector, atol=1e-4)


def test_items_nobody_liked_in_training_are_unknown() -> None:
    als, catalogue = engine(untrained=(6, 8))
    scores = als.scores(board.query(catalogue, (0, 2)))
    assert scores is not None
    assert np.flatnonzero(np.isnan(scores)).tolist() == [6, 8]


def test_someone_whose_likes_are_all_untrained_is_unknown() -> None:
    als, catalogue = engine(untrained=(6, 8))
    assert als.scores(board.query(catalogue, (6, 8))) is None
    assert best_reason(als, board.query(catalogue, (6, 8)), 0) is None


def test_dislikes_and_mere_looks_do_not_count_as_likes() -> None:
    als, catalogue = engine()
    assert als.scores(board.query(catalogue, (1, 3), weights=(-3, 0))) is None
    mixed = als.scores(board.query(catalogue, (0, 1, 3), weights=(1, -3, 0)))
    np.testing.assert_array_equal(mixed, als.scores(board.query(catalogue, (0,))))


def test_the_reason_is_the_liked_item_that_adds_most() -> None:
    als, catalogue = engine()
    reason = best_reason(als, board.query(catalogue, (1, 0), weights=(5, 0.1)), 6)
    assert reason is not None
    assert reason.text == "Because you liked “Tile 0”"  # black tile 1 weighs more but adds nothing to a white one


def test_a_subject_takes_the_place_of_the_history() -> None:
    als, catalogue = engine()
    asked = board.query(catalogue, (0, 2), subject=(1,))
    found = candidates(als, asked, 3)
    assert found is not None
    assert all(row % 2 for row in found.rows.tolist())
    reason = best_reason(als, asked, 5)
    assert reason is not None
    assert reason.text == "Goes with “Tile 1”"


def test_confidence_is_alpha_times_weight() -> None:
    als, catalogue = engine(alpha=4.0)
    factors, gram = board.als().arrays["item_factors"], board.als().arrays["gram"]
    folded = fold_in(factors, gram, np.array([0, 1]), np.array([12.0, 2.0], dtype=np.float32), 0.01)
    scores = als.scores(board.query(catalogue, (0, 1), weights=(3.0, 0.5)))
    np.testing.assert_allclose(scores, factors @ folded.vector, rtol=1e-5)


def test_a_manifest_that_tells_of_no_solver_keeps_its_meaning() -> None:
    catalogue, asked = board.catalogue(), board.query(board.catalogue(), (0, 1))
    before = CollaborativeALS("als", board.als(), catalogue).scores(asked)
    named = told(board.als(), solver="implicit", frequency_scaling=0.0)
    np.testing.assert_array_equal(before, CollaborativeALS("als", named, catalogue).scores(asked))
    other = CollaborativeALS("als", told(board.als(), **EXACT), catalogue).scores(asked)
    assert before is not None
    assert not np.allclose(before, other)


def test_the_exact_solver_holds_down_by_confidence_and_trained_items() -> None:
    catalogue, untrained = board.catalogue(), (6, 8)
    artifact = told(board.als(untrained=untrained, alpha=4.0), **EXACT, regularization=0.5)
    scores = CollaborativeALS("als", artifact, catalogue).scores(board.query(catalogue, (0, 1), weights=(3, 0.5)))
    factors = board.als().arrays["item_factors"].astype(np.float64)
    near, trust = factors[[0, 1]], np.array([12.0, 2.0])
    system = factors.T @ factors + near.T @ np.diag(trust) @ near + 0.5 * (14 + board.N - 2) * np.eye(2)
    wanted = factors @ np.linalg.solve(system, near.T @ trust)
    wanted[list(untrained)] = np.nan
    np.testing.assert_allclose(scores, wanted, rtol=1e-5)


def test_a_solver_nobody_knows_is_refused() -> None:
    with pytest.raises(ArtifactRefused, match="solver 'other' is none of implicit, exact, spark"):
        CollaborativeALS("als", told(board.als(), solver="other"), board.catalogue())
    with pytest.raises(ArtifactRefused, match="parameter frequency_scaling is None"):
        CollaborativeALS("als", told(board.als(), frequency_scaling=None), board.catalogue())


def test_an_item_no_like_speaks_for_has_no_reason() -> None:
    als, catalogue = engine()
    assert best_reason(als, board.query(catalogue, (0,)), 1) is None


def test_fresh_likes_count_without_training() -> None:
    als, catalogue = engine()
    white = als.scores(board.query(catalogue, (0,)))
    both = als.scores(board.query(catalogue, (1, 0)))
    assert white is not None
    assert both is not None
    assert both[3] > white[3]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("item_factors", np.ones((24, 2), dtype=np.float32), "one number only"),
        ("item_factors", np.zeros((24, 2), dtype=np.float32), "one number only"),
        ("item_factors", np.eye(23, 2, dtype=np.float32), r"\(23, 2\), not f\(24"),
        ("gram", np.ones((3, 3), dtype=np.float32), r"\(3, 3\), not f\(2, 2\)"),
        ("gram", np.ones((2, 2), dtype=np.int32), "int32"),
        ("item_counts", np.ones(5, dtype=np.int32), r"\(5,\)"),
        ("item_ids", np.array([b"item-000"] * 24), "repeat"),
    ],
)
def test_an_artifact_that_does_not_fit_is_refused_with_both_shapes(name: str, value: np.ndarray, told: str) -> None:
    wrong = board.artifact("als", {**board.als().arrays, name: value}, {"alpha": 1.0, "regularization": 0.1})
    with pytest.raises(ArtifactRefused, match=told):
        CollaborativeALS("als", wrong, board.catalogue())


def test_a_missing_array_or_parameter_is_named() -> None:
    arrays = dict(board.als().arrays)
    with pytest.raises(ArtifactRefused, match="parameter alpha is None"):
        CollaborativeALS("als", board.artifact("als", arrays), board.catalogue())
    del arrays["gram"]
    with pytest.raises(ArtifactRefused, match="gram is missing"):
        CollaborativeALS("als", board.artifact("als", arrays, {"alpha": 1}), board.catalogue())
