"""The FAISS index behind the two-tower engine: what it finds is what exact search finds, and nothing breaks without it."""

from collections.abc import Sequence
from dataclasses import replace

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendation_service.core.numeric import AnyArray, unit_rows
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.engines.base import Engine
from recommendation_service.engines.two_tower import NO_FAISS, NearestIndex, TwoTower, open_index
from recommendation_service.publishing.store import Artifact
from recommendation_service.tests.engines import board
from recommendation_service.tests.engines.calls import candidates, skips
from recommendation_service.tests.engines.contract import EngineContract


def serialised(vectors: AnyArray) -> AnyArray:
    index = faiss.IndexHNSWFlat(vectors.shape[1], 16, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efSearch = 64
    index.add(np.ascontiguousarray(vectors))
    found: AnyArray = faiss.serialize_index(index)
    return found


def index_of(model: Artifact) -> Artifact:
    arrays = {"index": serialised(model.arrays["item_vectors"]), "item_ids": model.arrays["item_ids"]}
    made = board.artifact("two_tower_index", arrays)
    return replace(made, manifest=replace(made.manifest, parameters={"model_seal": model.manifest.seal}))


def indexed(model: Artifact, catalogue: Catalogue) -> TwoTower:
    return TwoTower("two_tower", model, catalogue, index_of(model), index="faiss")


def hard(items: int = 600, d: int = 8) -> tuple[Artifact, Catalogue]:
    """Random unit vectors, which no graph likes, over the first `items` tiles."""
    rng = np.random.default_rng(4)
    vectors = unit_rows(rng.normal(size=(items, d)).astype(np.float32))
    arrays = {
        **board.two_tower().arrays,
        "item_ids": np.array([one.encode() for one in board.item_ids(items)]),
        "item_vectors": vectors,
        "history_vectors": vectors,
        "attribute_vectors": rng.normal(size=(3, d)).astype(np.float32),
        "layer1_weights": np.eye(2 * d, dtype=np.float32),
        "layer1_bias": np.zeros(2 * d, dtype=np.float32),
        "layer2_weights": np.vstack([np.eye(d), np.eye(d)]).astype(np.float32),
        "layer2_bias": np.zeros(d, dtype=np.float32),
    }
    return board.artifact("two_tower", arrays, {"recent": 5, "decay": 0.9}), board.catalogue(items)


class TestTwoTowerThroughAnIndex(EngineContract):
    def build(self, catalogue: Catalogue, order: Sequence[int]) -> Engine:
        return indexed(board.two_tower(order), catalogue)


def test_it_proposes_what_exact_search_proposes_with_the_exact_scores() -> None:
    model, catalogue = hard()
    exact, near = TwoTower("two_tower", model, catalogue), indexed(model, catalogue)
    for liked in range(40):
        query = board.query(catalogue, (liked, 2 * liked, 3 * liked))
        wanted, found = candidates(exact, query, 50), candidates(near, query, 50)
        assert wanted is not None
        assert found is not None
        assert np.isin(wanted.rows, found.rows).mean() >= 0.98
        both = {int(row): float(score) for row, score in zip(wanted.rows, wanted.scores, strict=True)}
        for row, score in zip(found.rows.tolist(), found.scores.tolist(), strict=True):
            assert score == pytest.approx(both.get(row, score), abs=1e-6)
        assert skips(near, query) == ()


@settings(max_examples=30, deadline=None)
@given(forbidden=st.integers(0, 599), seed=st.integers(0, 50), limit=st.integers(1, 100))
def test_what_may_not_be_shown_never_comes_back_and_the_list_is_full(forbidden: int, seed: int, limit: int) -> None:
    model, catalogue = hard()
    near = indexed(model, catalogue)
    eligible = np.ones(600, dtype=np.bool_)
    eligible[np.random.default_rng(seed).permutation(600)[:forbidden]] = False
    found = candidates(near, board.query(catalogue, (seed,), eligible=eligible), limit)
    assert found is not None
    assert eligible[found.rows].all()
    assert len(found) == min(limit, 600 - forbidden)
    assert (np.diff(found.scores) <= 0).all()


def test_items_gone_from_the_catalogue_are_dropped_and_new_ones_are_no_error() -> None:
    model, _ = hard()
    grown = board.catalogue(620, without=range(100, 200))
    found = candidates(indexed(model, grown), board.query(grown, (3,)), 20)
    assert found is not None
    assert len(found) == 20
    assert all(grown.ids.id(row) in board.item_ids(600) for row in found.rows.tolist())


def test_an_index_that_finds_too_little_leaves_the_list_to_exact_search() -> None:
    class Blind:
        def search(self, _vectors: AnyArray, count: int) -> tuple[AnyArray, AnyArray]:
            return np.zeros((1, count)), np.full((1, count), -1)

    model, catalogue = hard()
    near = indexed(model, catalogue)
    near._index = NearestIndex(Blind(), 600)
    query = board.query(catalogue, (3,))
    wanted, found = candidates(TwoTower("two_tower", model, catalogue), query, 20), candidates(near, query, 20)
    assert wanted is not None
    assert found is not None
    assert found.rows.tolist() == wanted.rows.tolist()


@pytest.mark.parametrize("count", [-3, 0, 1, 24, 25, 10_000])
def test_rows_are_bounded_whatever_is_asked(count: int) -> None:
    model = board.two_tower()
    index = open_index(index_of(model), model, 2)
    assert isinstance(index, NearestIndex)
    rows = index.rows(np.array([1, 0], dtype=np.float32), count)
    assert 1 <= rows.size <= max(1, min(count, 24))
    assert rows.min() >= 0
    assert np.unique(rows).size == rows.size


def _stale(made: Artifact) -> Artifact:
    return replace(made, manifest=replace(made.manifest, parameters={"model_seal": "another"}))


def _cut(made: Artifact) -> Artifact:
    return replace(made, arrays={**made.arrays, "index": made.arrays["index"][:40]})


def _smaller(made: Artifact) -> Artifact:
    return replace(made, arrays={**made.arrays, "index": serialised(np.eye(3, 2, dtype=np.float32))})


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda made: None, "no index is published, or it was refused; run: build_index"),
        (_stale, "made from another model than two_tower_v1"),
        (_cut, "cannot be read"),
        (_smaller, "holds 3 x 2, two_tower_v1 24 x 2"),
    ],
    ids=["missing", "stale", "unreadable", "of another size"],
)
def test_without_a_good_index_exact_search_answers_and_the_answer_tells(spoil, told) -> None:  # type: ignore[no-untyped-def]
    model, catalogue = board.two_tower(), board.catalogue()
    engine = TwoTower("two_tower", model, catalogue, spoil(index_of(model)), index="faiss")
    query = board.query(catalogue, (0, 2))
    found = candidates(engine, query, 5)
    assert found is not None
    assert {row % 2 for row in found.rows.tolist()} == {0}
    (skip,) = skips(engine, query)
    assert (skip.engine, skip.code) == ("two_tower", "partial")
    assert skip.detail.startswith("exact search answers: ")
    assert told in skip.detail


def test_without_the_library_exact_search_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    model = board.two_tower()
    assert open_index(index_of(model), model, 2) == NO_FAISS


def test_an_engine_that_asks_for_exact_search_misses_nothing() -> None:
    catalogue = board.catalogue()
    engine = TwoTower("two_tower", board.two_tower(), catalogue)
    assert skips(engine, board.query(catalogue, (0,))) == ()
