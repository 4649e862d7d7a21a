"""Baskets of a test part with one product removed: which engine recommends the removed product for the rest?

Lists for a user say little about which products belong together. This measures engines for product pages and carts.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import Ints
from recommendation_service.datasets.reader import Events
from recommendation_service.domain.history import History
from recommendation_service.domain.query import Query
from recommendation_service.training.data import TrainingData
from recommendation_service.training.evaluation.evaluator import EvaluationUsers
from recommendation_service.training.models.co_occurrence import CoOccurrenceParameters, baskets_of

QUESTIONS_AT_MOST = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class BasketPanel(EvaluationUsers):
    """A panel of baskets instead of users: `users` are the buyers, `subjects` the remaining items of each basket."""

    subjects: tuple[Ints, ...]

    def query(self, index: int) -> Query:
        """The request of a product page or a cart: about these items, for no user."""
        query = EvaluationUsers.query(self, index)  # slots leave super() without its class
        return replace(query, history=History.empty(), user_id=None, profile={}, subject=self.subjects[index])


def build_baskets(
    material: TrainingData, part: Events, parameters: CoOccurrenceParameters, *, most: int = QUESTIONS_AT_MOST
) -> BasketPanel:
    """Remove every item of every basket of `part` once; at most `most` of them, evenly chosen."""
    baskets = baskets_of(part, parameters)
    sizes = np.diff(baskets.indptr)
    owner = np.repeat(np.arange(len(baskets)), sizes)
    positions = np.flatnonzero(sizes[owner] >= 2)
    if positions.size > most:
        positions = positions[np.linspace(0, positions.size - 1, most).astype(np.int64)]
    subjects = []
    for position in positions.tolist():
        start, stop = baskets.indptr[owner[position] : owner[position] + 2].tolist()
        subjects.append(np.concatenate([baskets.items[start:position], baskets.items[position + 1 : stop]]))
    shape = (positions.size, len(material.catalogue))
    eligible = np.ones(shape, dtype=np.bool_)
    for number, subject in enumerate(subjects):
        eligible[number, subject] = False
    ones = np.ones(positions.size, dtype=np.float32)
    left_out = sparse.csr_array((ones, (np.arange(positions.size), baskets.items[positions])), shape=shape)
    return BasketPanel(material, baskets.users[owner[positions]], left_out, eligible, tuple(subjects))
