"""Measures engines on the users of a validation or test part: their scores, their lists, and the metrics of both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import Bools, Floats, Ints, unit_rows
from recommendation_service.datasets.reader import Events
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Retrieved
from recommendation_service.training.data import TrainingData
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.report import Progress

SEGMENTS = {"all": (0, None), "0-4": (0, 4), "5-19": (5, 19), "20+": (20, None)}
SCORED_USERS = 100  # users whose scores are read to count the items that an engine knows
DIVERSITY_FACETS = ("category", "tags")


class Scorer(Protocol):
    """What scoring needs of an engine."""

    def scores(self, query: Query) -> Floats | None:
        """One score per catalogue row, NaN where unknown; None: no prediction."""


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationUsers:
    """The users of a validation or test part, and the new items that each of them liked in it."""

    material: TrainingData  # as of the beginning of the part
    users: Ints  # (p,) user rows
    relevant: sparse.csr_array  # (p, n_items) of 1 where a new item was liked in the part
    eligible: Bools  # (p, n_items) False for items that the user had seen before

    def __len__(self) -> int:
        return int(self.users.size)

    def some(self, most: int) -> "EvaluationUsers":
        """At most `most` of these users, taken evenly."""
        if len(self) <= most:
            return self
        kept = np.linspace(0, len(self) - 1, most).astype(np.int64)
        return EvaluationUsers(self.material, self.users[kept], sparse.csr_array(self.relevant[kept]), self.eligible[kept])

    def query(self, index: int) -> Query:
        """The request of the user at `index`, as the service would make it at that time."""
        user, material = int(self.users[index]), self.material
        return Query(
            catalogue=material.catalogue,
            history=material.histories.of(user),
            limit=10,
            now=material.now,
            eligible=self.eligible[index],
            user_id=material.user_ids.id(user),
            profile=material.profiles[user],
        )


def build_evaluation_users(
    material: TrainingData, part: Events, *, most: int | None = None, with_history: bool = False
) -> EvaluationUsers:
    """All users who liked a new item in `part`; at most `most` of them, taken evenly over the user rows.

    `with_history` leaves out users without a liked item before the part, whom no model can know.
    """
    shape = (len(material.histories), len(material.catalogue))
    liked = sparse.csr_array((np.maximum(part.weights, 0), (part.users, part.items)), shape=shape)
    seen = material.histories.matrix()
    seen.data = np.ones_like(seen.data)
    fresh = _positive(liked)
    fresh = _positive(fresh - fresh.multiply(seen))
    people = np.flatnonzero(np.diff(fresh.indptr))
    if with_history:
        people = people[np.diff(material.histories.liked().indptr)[people] > 0]
    if most is not None and people.size > most:
        people = people[np.linspace(0, people.size - 1, most).astype(np.int64)]
    eligible = np.asarray(seen[people].toarray() == 0, dtype=np.bool_)
    return EvaluationUsers(material, people.astype(np.int64), sparse.csr_array(fresh[people]), eligible)


def _positive(matrix: sparse.csr_array) -> sparse.csr_array:
    result = sparse.csr_array(matrix)
    result.data = (result.data > 0).astype(np.float32)
    result.eliminate_zeros()
    result.sort_indices()
    return result


def score_people(scorer: Scorer, panel: EvaluationUsers) -> Floats:
    """(p, n_items) scores of all users of the panel; a row of NaN: no prediction."""
    known = np.full((len(panel), len(panel.material.catalogue)), np.nan, dtype=np.float32)
    for index in range(len(panel)):
        measured = scorer.scores(panel.query(index))
        if measured is not None:
            known[index] = measured
    return known


class Answering(Scorer, Protocol):
    """What `ask` needs of an engine."""

    def retrieve(self, query: Query, limit: int) -> Retrieved | None:
        """The best eligible rows; None or no candidates: no prediction."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """The lists of one engine for all users of a panel: enough to measure every engine and every chain of engines."""

    lists: Ints  # (p, k) rows, best first, -1 where it has fewer
    known: int  # items of the catalogue that it can score for at least one user

    @property
    def answered(self) -> Bools:
        """(p,) True for users with a list."""
        return np.asarray(self.lists[:, 0] >= 0)

    def share(self, among: Bools | None = None) -> float:
        """Share of the users with a list; 0 without users."""
        answered = self.answered if among is None else self.answered[among]
        return float(answered.mean()) if answered.size else 0.0


def ask(engine: Answering, panel: EvaluationUsers, progress: Progress | None = None, *, k: int = 10) -> Answers:
    """Request a list from the engine for each user of the panel, as the service would."""
    lists = np.full((len(panel), k), metrics.NO_ROW, dtype=np.int64)
    known = np.zeros(len(panel.material.catalogue), dtype=np.bool_)
    stride = max(1, len(panel) // SCORED_USERS)
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
    """(p, k) lists, filled up with the rows of other (p, k) lists, without duplicates.

    k rows of the other lists are enough: at most as many of them are duplicates as the first list has rows.
    """
    k = lists.shape[1]
    twice = (more[:, :, None] == lists[:, None, :]).any(axis=2)
    both = np.concatenate([lists, np.where(twice, metrics.NO_ROW, more)], axis=1)
    order = np.argsort(both < 0, axis=1, kind="stable")[:, :k]
    return np.asarray(np.take_along_axis(both, order, axis=1), dtype=np.int64)


def in_chains(lists: Mapping[str, Ints], chains: Sequence[tuple[str, ...]]) -> Ints:
    """(p, k) the list of each user under their chain of engine names; engines without lists are skipped."""
    n_people, k = len(chains), next(iter(lists.values())).shape[1]
    result = np.full((n_people, k), metrics.NO_ROW, dtype=np.int64)
    for chain in set(chains):
        users = np.array([user_chain == chain for user_chain in chains], dtype=np.bool_)
        for name in chain:
            if name in lists:
                result[users] = filled(result[users], lists[name][users])
    return result


@dataclass(frozen=True, slots=True)
class Figures:
    """One row of an evaluation table."""

    model: str
    segment: str
    people: int
    answered: float  # share of the users with a prediction; the others count as no hit
    precision: float
    recall: float
    ndcg: float
    map: float
    coverage: float
    diversity: float | None
    interval: tuple[float, float]  # 95 % of the mean NDCG


def measure_all(scores: Mapping[str, Floats], panel: EvaluationUsers, *, k: int = 10) -> list[Figures]:
    """Figures of (p, n_items) scores of every model, on every segment with users, in the given order."""
    return measure_lists({name: metrics.top_k(measured, panel.eligible, k) for name, measured in scores.items()}, panel)


def measure_lists(lists: Mapping[str, Ints], panel: EvaluationUsers) -> list[Figures]:
    """As `measure_all`, for (p, k) lists of rows, best first, -1 where a user has fewer."""
    likeness = item_likeness(panel.material)
    counts = panel.material.histories.counts[panel.users]
    rows = []
    for name, measured in lists.items():
        for segment, (low, high) in SEGMENTS.items():
            inside = np.flatnonzero((counts >= low) & (counts <= (high if high is not None else counts.max(initial=0))))
            if inside.size:
                rows.append(_figures(name, segment, measured[inside], panel.relevant[inside], likeness))
    return rows


def _figures(name: str, segment: str, lists: Ints, relevant: sparse.csr_array, likeness: Floats) -> Figures:
    measured = metrics.measure(lists, sparse.csr_array(relevant), likeness)
    varied = measured.diversity[~np.isnan(measured.diversity)]
    return Figures(
        model=name,
        segment=segment,
        people=lists.shape[0],
        answered=float((lists[:, 0] >= 0).mean()),
        precision=float(measured.precision.mean()),
        recall=float(measured.recall.mean()),
        ndcg=float(measured.ndcg.mean()),
        map=float(measured.map.mean()),
        coverage=metrics.catalogue_coverage(lists, likeness.shape[0]),
        diversity=float(varied.mean()) if varied.size else None,
        interval=metrics.bootstrap(measured.ndcg),
    )


def item_likeness(material: TrainingData) -> Floats:
    """(n_items, n_features) unit rows of category and tags; their product is the similarity of two items."""
    facets = [material.catalogue.facets[name].matrix for name in DIVERSITY_FACETS if name in material.catalogue.facets]
    return unit_rows(np.asarray(sparse.hstack(facets).todense(), dtype=np.float32))
