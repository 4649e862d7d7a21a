"""Vectors of products' texts in a Python program, from a sentence-transformers model in a local folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from recommendation_service.core.numeric import Floats
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.training.models.embedding import text_of
from recommendation_service.training.models.sentence_models import open_embedder


class EmbeddingService:
    """Embeds texts in batches, and compares vectors. The stated model gives vectors of DIMENSION numbers."""

    MODEL: ClassVar[str] = "sentence-transformers/all-MiniLM-L6-v2"
    DIMENSION: ClassVar[int] = 384
    BATCH: ClassVar[int] = 50

    def __init__(self, folder: Path) -> None:
        """`folder` has a downloaded model, such as MODEL. Raises ModelUnusable if it cannot be opened."""
        self._embed = open_embedder(folder)

    def text_of(self, product: ItemRecord) -> str:
        """Return the text that stands for a product: name, description, category, tags and attributes."""
        return text_of(product)

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return (len(texts), d) float32, one unit vector per text; the model gets BATCH texts at a time."""
        if not texts:
            return np.empty((0, self.DIMENSION), dtype=np.float32)
        return np.concatenate([self._embed(texts[start : start + self.BATCH]) for start in range(0, len(texts), self.BATCH)])

    def embed_products(self, products: Sequence[ItemRecord]) -> Floats:
        """Return `embed` of the products' texts."""
        return self.embed([self.text_of(product) for product in products])

    def similarity(self, left: Floats, right: Floats) -> Floats:
        """Return the cosines of two sets of unit vectors, (n, d) and (m, d), as (n, m)."""
        return np.asarray(left @ right.T, dtype=np.float32)
