"""Asks engines for real people's scores and measures the answers. Knows no engine: anything with `scores` will do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import Bools, Floats, Ints, unit_rows
from recommendation_service.datasets.reader import Events
from recommendation_service.domain.query import Query
from recommendation_service.training.data import TrainingData
from recommendation_service.training.evaluation import metrics

SEGMENTS = {"all": (0, None), "0-4": (0, 4), "5-19": (5, 19), "20+": (20, None)}
PEOPLE_AT_ONCE = 256
DIVERSITY_FACETS = ("category", "tags")


class Scorer(Protocol):
    """What evaluation needs of an engine."""

    def scores(self, query: Query) -> Floats | None:
        """One score per catalogue row, NaN where unknown; None when the engine passes."""


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationUsers:
    """The people a part of the events is measured on, and what each of them went for."""

    material: TrainingData  # as of the moment the part begins
    users: Ints  # (p,) user rows
    relevant: sparse.csr_array  # (p, n_items) of 1 where a new item was liked in the part
    eligible: Bools  # (p, n_items) False where the person had already seen the item

    def __len__(self) -> int:
        return int(self.users.size)

    def query(self, index: int) -> Query:
        """The request of the person at `place`, as the service would make it at that moment."""
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
    """Everyone who liked something new in `part`; at most `most` of them, taken evenly over the user rows.

    `with_history` leaves out people with no liked item before the part, whom no model of the past can know.
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
    """(p, n_items) scores of everyone on the panel; a whole row of NaN where the engine passed."""
    known = np.full((len(panel), len(panel.material.catalogue)), np.nan, dtype=np.float32)
    for index in range(len(panel)):
        measured = scorer.scores(panel.query(index))
        if measured is not None:
            known[index] = measured
    return known


@dataclass(frozen=True, slots=True)
class Figures:
    """One row of an evaluation table."""

    model: str
    segment: str
    people: int
    answered: float  # share of the people the model could say anything for; the others count as no hit
    precision: float
    recall: float
    ndcg: float
    map: float
    coverage: float
    diversity: float | None
    interval: tuple[float, float]  # 95 % of the mean NDCG


def evaluate(scorers: Mapping[str, Scorer], panel: EvaluationUsers, *, k: int = 10) -> list[Figures]:
    """Figures of every model on every segment that has people, in the order given."""
    return measure_all({name: score_people(scorer, panel) for name, scorer in scorers.items()}, panel, k=k)


def measure_all(scores: Mapping[str, Floats], panel: EvaluationUsers, *, k: int = 10) -> list[Figures]:
    """As `evaluate`, for (p, n_items) scores that were asked for already."""
    return measure_lists({name: metrics.top_k(measured, panel.eligible, k) for name, measured in scores.items()}, panel)


def measure_lists(lists: Mapping[str, Ints], panel: EvaluationUsers) -> list[Figures]:
    """As `evaluate`, for (p, k) lists that were made already: rows, best first, -1 where a person has fewer."""
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
    """(n_items, n_features) unit rows of category and tags: what makes two items alike to the eye."""
    facets = [material.catalogue.facets[name].matrix for name in DIVERSITY_FACETS if name in material.catalogue.facets]
    return unit_rows(np.asarray(sparse.hstack(facets).todense(), dtype=np.float32))
