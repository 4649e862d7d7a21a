"""EmbeddingService and RerankerService, with models that the tests make."""

from pathlib import Path

import numpy as np
import pytest

from recommendation_service.datasets.records import ItemRecord
from recommendation_service.domain.slate import Candidates
from recommendation_service.rankers.cross_encoder import document_text, query_text
from recommendation_service.services.embedding import EmbeddingService
from recommendation_service.services.reranker import ORIGINAL, RerankerService
from recommendation_service.tests.engines import board
from recommendation_service.tests.rankers.test_cross_encoder import shelf
from recommendation_service.tests.support.tiny_models import COLOURS, cross_encoder, sentence_model
from recommendation_service.training.models.sentence_models import open_cross_encoder


@pytest.fixture(scope="module")
def embeddings(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingService:
    return EmbeddingService(sentence_model(tmp_path_factory.mktemp("sentences") / "model"))


def test_texts_are_embedded_fifty_at_a_time_as_unit_vectors(
    embeddings: EmbeddingService, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    embed = embeddings._embed
    monkeypatch.setattr(embeddings, "_embed", lambda texts: sizes.append(len(texts)) or embed(texts))
    texts = [COLOURS[number % len(COLOURS)] for number in range(120)]
    vectors = embeddings.embed(texts)
    assert sizes == [50, 50, 20]
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-5)
    same = embeddings.similarity(vectors, vectors)
    np.testing.assert_allclose(same[0, 0], 1.0, rtol=1e-5)
    assert same[0, 1] < 0.999
    assert embeddings.embed([]).shape == (0, 384)
    assert (embeddings.MODEL, embeddings.DIMENSION) == ("sentence-transformers/all-MiniLM-L6-v2", 384)


def test_a_product_is_its_name_description_category_and_price_range(embeddings: EmbeddingService) -> None:
    product = ItemRecord(
        item_id="1", title="Kettle", text="Boils water.", category="kitchen", attributes={"price_range": ("20-40",)}
    )
    assert embeddings.text_of(product) == "Kettle. Boils water. kitchen. price range: 20-40"
    np.testing.assert_array_equal(embeddings.embed_products([product]), embeddings.embed([embeddings.text_of(product)]))


def test_the_best_are_ordered_by_the_model_and_keep_their_scores(tmp_path: Path) -> None:
    folder = cross_encoder(tmp_path / "model")
    reranker = RerankerService(folder)
    catalogue = shelf()
    query = board.query(catalogue, likes=[0])
    rows = np.arange(1, 23)
    before = Candidates(
        rows, np.linspace(1.0, 0.0, rows.size).astype(np.float32), {"als": np.ones(rows.size, dtype=np.float32)}
    )
    after = reranker.rerank(query, before)
    assert sorted(after.rows.tolist()) == rows.tolist()
    assert after.rows[20:].tolist() == before.rows[20:].tolist()
    assert np.all(np.diff(after.scores) <= 0)
    assert set(after.parts) == {"als", ORIGINAL}
    np.testing.assert_array_equal(after.parts[ORIGINAL], before.scores[after.rows - 1])
    score = open_cross_encoder(folder)
    scores = score([(query_text(query), document_text(catalogue, row)) for row in rows[:20].tolist()])
    assert after.rows[:20].tolist() == rows[np.argsort(-scores, kind="stable")].tolist()
    nobody = board.query(catalogue)
    assert reranker.rerank(nobody, before) is before
