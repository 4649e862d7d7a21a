"""What engines answer real people, kept as short lists: enough to measure every engine, and every chain of engines.

A list of k rows of each engine suffices to know what a chain would show: of the k places an engine leaves empty, at most
as many rows of the next one stand in its list already.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Retrieved
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import EvaluationUsers
from recommendation_service.training.evaluation.metrics import NO_ROW
from recommendation_service.training.report import Progress

K = 10
LOOKED_THROUGH = 100  # people whose scores are read for the items an engine knows


class Answering(Protocol):
    """What is asked of an engine here."""

    def scores(self, query: Query) -> Floats | None:
        """One score per catalogue row, NaN where unknown; None when the engine passes."""

    def retrieve(self, query: Query, limit: int) -> Retrieved | None:
        """The best eligible rows; None or no candidates: no prediction."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Of one engine to everybody on a panel."""

    lists: Ints  # (p, k) rows, best first, NO_ROW where it has fewer
    known: int  # items of the catalogue that it can score for somebody

    @property
    def answered(self) -> Bools:
        """(p,), True for people it had something to say for."""
        return np.asarray(self.lists[:, 0] >= 0)

    def share(self, among: Bools | None = None) -> float:
        """Of people answered; 0 where there are none."""
        answered_share = self.answered if among is None else self.answered[among]
        return float(answered_share.mean()) if answered_share.size else 0.0


def ask(engine: Answering, panel: EvaluationUsers, progress: Progress | None = None, *, k: int = K) -> Answers:
    """What one engine recommends to everybody on the panel, exactly as it would when it serves."""
    lists = np.full((len(panel), k), NO_ROW, dtype=np.int64)
    known = np.zeros(len(panel.material.catalogue), dtype=np.bool_)
    stride = max(1, len(panel) // LOOKED_THROUGH)
    for index in range(len(panel)):
        query = panel.query(index)
        retrieved = engine.retrieve(query, k)
        answered = retrieved is not None and len(retrieved.candidates) > 0
        if retrieved is not None:
            lists[index, : len(retrieved.candidates)] = retrieved.candidates.rows
        if answered and index % stride == 0:
            scores = engine.scores(query)
            known |= False if scores is None else ~np.isnan(scores)
        if progress:
            progress(index + 1, len(panel), "people")
    return Answers(lists, int(known.sum()))


def filled(lists: Ints, more: Ints) -> Ints:
    """(p, k) lists with the rows of other (p, k) lists below their own, none twice."""
    k = lists.shape[1]
    twice = (more[:, :, None] == lists[:, None, :]).any(axis=2)
    both = np.concatenate([lists, np.where(twice, NO_ROW, more)], axis=1)
    order = np.argsort(both < 0, axis=1, kind="stable")[:, :k]
    return np.asarray(np.take_along_axis(both, order, axis=1), dtype=np.int64)


def in_chains(lists: Mapping[str, Ints], chains: Sequence[tuple[str, ...]]) -> Ints:
    """(p, k) what each person is shown whose chain of engine names is given; an engine without lists is passed over."""
    n_people, k = len(chains), next(iter(lists.values())).shape[1]
    retrieved = np.full((n_people, k), NO_ROW, dtype=np.int64)
    for chain in set(chains):
        answered_share = np.array([user_chain == chain for user_chain in chains], dtype=np.bool_)
        for name in chain:
            if name in lists:
                retrieved[answered_share] = filled(retrieved[answered_share], lists[name][answered_share])
    return retrieved


def list_ndcg(lists: Ints, relevant: sparse.csr_array) -> AnyArray:
    """(p,) NDCG at k of each person's list, float64."""
    return metrics.measure(lists, relevant).ndcg
