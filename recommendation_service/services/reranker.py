"""The cross-encoder in a Python program. The running service asks a process of its own: `tandem serve-cross-encoder`."""

from pathlib import Path
from typing import ClassVar

import numpy as np

from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates
from recommendation_service.rankers.cross_encoder import document_text, query_text
from recommendation_service.training.models.sentence_models import open_cross_encoder

ORIGINAL = "original"


class RerankerService:
    """Orders candidates by how well their texts answer the text of the user's context."""

    TOP: ClassVar[int] = 20

    def __init__(self, folder: Path) -> None:
        """`folder` has a downloaded cross-encoder. Raises ModelUnusable if it cannot be opened."""
        self._score = open_cross_encoder(folder)

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        """Return the candidates with the best TOP in the model's order, and the others below them as before.

        Scores of the TOP are the model's; every earlier score stays readable as the part "original". Without anything known
        of the user the candidates are returned as they are.
        """
        text = query_text(query)
        if not text or not len(candidates):
            return candidates
        top = min(self.TOP, len(candidates))
        pairs = [(text, document_text(query.catalogue, row)) for row in candidates.rows[:top].tolist()]
        order = np.argsort(-(scores := self._score(pairs)), kind="stable")
        rest = scores.min() - 1 - np.arange(len(candidates) - top, dtype=np.float32)
        indices = np.concatenate([order, np.arange(top, len(candidates))])
        moved = candidates.take(indices)
        return Candidates(moved.rows, np.concatenate([scores[order], rest]), {**moved.parts, ORIGINAL: moved.scores})
