"""The scores of an ensemble's members for the users on a panel: the input of the weight search."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import Bools, Floats
from recommendation_service.kinds import KINDS
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import EvaluationUsers, Scorer, score_people
from recommendation_service.use_cases.blends import members_of
from recommendation_service.use_cases.schema import UseCase


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Raw scores and configured weights of the available members. The weights sum to 1, or there are none."""

    scores: Mapping[str, Floats]  # (p, n_items) each
    configured: Mapping[str, float]
    candidates: Bools | None  # (p, n_items) rows that the ensemble ranks; None: all

    @property
    def comparable(self) -> bool:
        """True if there are two or more members, one of them with a configured weight."""
        return len(self.scores) >= 2 and bool(self.configured)


def ask_members(
    use_case: UseCase,
    name: str,
    engines: Mapping[str, Scorer],
    panel: EvaluationUsers,
    known: Mapping[str, Floats] | None = None,
) -> Members:
    """The members of one ensemble, with those whose weight may be learned; `known` holds scores that exist already."""
    options, cached = use_case.engines[name].options, known or {}
    scores = {
        member: cached[member] if member in cached else score_people(engines[member], panel)
        for member in members_of(use_case)[name]
        if member in cached or member in engines
    }
    configured = {member: float(options["members"].get(member, 0.0)) for member in scores}
    total = sum(configured.values())
    weights = {member: weight / total for member, weight in configured.items()} if total > 0 else {}
    return Members(scores, weights, _candidates(options.get("candidate_generators") or {}, scores, engines, panel))


def kinds_of(use_case: UseCase, name: str) -> set[str]:
    """The kinds of all members of an ensemble, those of nested ensembles included."""
    members, kinds, waiting = members_of(use_case), set[str](), [name]
    while waiting:
        member = waiting.pop()
        kinds.add(use_case.engines[member].kind)
        waiting += members.get(member, ())
    return kinds


def costs_of(use_case: UseCase, members: Iterable[str]) -> dict[str, int]:
    """The cost of each member, as `Cost.rank` orders the kinds; of an ensemble, that of its most expensive member."""
    return {
        member: max((cost.rank for kind in kinds_of(use_case, member) if (cost := KINDS[kind].cost)), default=0)
        for member in members
    }


def _candidates(
    candidate_generators: Mapping[str, int], scores: Mapping[str, Floats], engines: Mapping[str, Scorer], panel: EvaluationUsers
) -> Bools | None:
    """The rows the engine would rank: the best rows of every candidate generator, above its lowest useful score."""
    if not candidate_generators:
        return None
    chosen = np.zeros(panel.eligible.shape, dtype=np.bool_)
    people = np.arange(len(panel))[:, None]
    for member in set(candidate_generators) & set(scores):
        rows = metrics.top_k(scores[member], panel.eligible, candidate_generators[member])
        min_score = getattr(engines.get(member), "min_score", -np.inf)
        proposed = (rows >= 0) & (scores[member][people, np.maximum(rows, 0)] > min_score)
        chosen[np.broadcast_to(people, rows.shape)[proposed], rows[proposed]] = True
    return chosen
