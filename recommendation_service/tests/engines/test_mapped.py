"""Engines over published artifacts: the arrays stay in the files' own pages."""

from pathlib import Path

import numpy as np
import pytest

from recommendation_service.engines.base import Engine
from recommendation_service.engines.co_occurrence import CoOccurrence
from recommendation_service.engines.collaborative_als import CollaborativeALS
from recommendation_service.engines.content import Content
from recommendation_service.engines.similar_users import SimilarUsers
from recommendation_service.engines.two_tower import TwoTower
from recommendation_service.publishing.store import Artifact, ArtifactStore
from recommendation_service.tests.engines import board

BUILDS = {
    "als": (board.als, CollaborativeALS, "item_factors"),
    "two_tower": (board.two_tower, TwoTower, "item_vectors"),
    "content": (board.content, Content, "values"),
    "co_occurrence": (board.co_occurrence, CoOccurrence, "values"),
    "similar_users": (board.similar_users, SimilarUsers, "values"),
}


def published(root: Path, kind: str) -> Artifact:
    made = BUILDS[kind][0]()
    parameters = made.manifest.parameters
    return ArtifactStore(root).publish(kind, made.arrays, catalogue="board", parameters=parameters, dataset={}, metrics={})


def vectors(engine: Engine) -> np.ndarray:
    if isinstance(engine, CollaborativeALS):
        return engine._item_factors
    if isinstance(engine, CoOccurrence):
        return np.asarray(engine._pairs.data)
    if isinstance(engine, SimilarUsers):
        return np.asarray(engine._users.rows.data)
    return engine._item_vectors if isinstance(engine, TwoTower) else engine._rows.data  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", sorted(BUILDS))
def test_a_published_model_scores_as_the_one_in_memory_and_is_not_copied(kind: str, tmp_path: Path) -> None:
    make, build, heavy = BUILDS[kind]
    artifact, catalogue = published(tmp_path, kind), board.catalogue()
    engine = build(kind, artifact, catalogue)
    asked = board.query(catalogue, (0, 2))
    np.testing.assert_array_equal(engine.scores(asked), build(kind, make(), catalogue).scores(asked))
    assert isinstance(artifact.arrays[heavy], np.memmap)
    assert np.shares_memory(vectors(engine), artifact.arrays[heavy])
    assert engine.version == f"{kind}_v1"


@pytest.mark.parametrize("bounds", [np.int32, np.int64])
def test_a_sparse_model_stays_mapped_whatever_type_its_bounds_have(bounds: type, tmp_path: Path) -> None:
    made = board.content()
    arrays = {name: np.asarray(stored) for name, stored in made.arrays.items()}
    arrays |= {"indptr": arrays["indptr"].astype(bounds), "indices": arrays["indices"].astype(np.int32)}
    parameters = made.manifest.parameters
    store = ArtifactStore(tmp_path)
    artifact = store.publish("content", arrays, catalogue="board", parameters=parameters, dataset={}, metrics={})
    rows = Content("content", artifact, board.catalogue())._rows
    assert np.shares_memory(rows.indices, artifact.arrays["indices"])
    assert np.shares_memory(rows.data, artifact.arrays["values"])
    assert rows.indptr.tolist() == arrays["indptr"].tolist()
