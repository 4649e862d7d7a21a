"""What an ensemble's members say of the people on a panel: what its weights are learned from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import Bools, Floats
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import Panel, Scorer, score_people
from recommendation_service.use_cases.blends import members_of
from recommendation_service.use_cases.schema import UseCase


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Raw scores and stated weights of the members that are there; the weights sum to 1, or there are none."""

    scores: Mapping[str, Floats]  # (p, n_items) each
    stated: Mapping[str, float]
    candidates: Bools | None  # (p, n_items) what the ensemble ranks; None: everything

    @property
    def comparable(self) -> bool:
        """Two members or more, one of them with a stated weight: there is something to weigh."""
        return len(self.scores) >= 2 and bool(self.stated)


def ask_members(
    use_case: UseCase, name: str, engines: Mapping[str, Scorer], panel: Panel, known: Mapping[str, Floats] | None = None
) -> Members:
    """The members of one ensemble, those it may learn to weigh included; `known` are scores that were asked for already."""
    options, asked = use_case.engines[name].options, known or {}
    scores = {
        member: asked[member] if member in asked else score_people(engines[member], panel)
        for member in members_of(use_case)[name]
        if member in asked or member in engines
    }
    stated = {member: float(options["members"].get(member, 0.0)) for member in scores}
    total = sum(stated.values())
    weights = {member: weight / total for member, weight in stated.items()} if total > 0 else {}
    return Members(scores, weights, _candidates(options.get("generate") or {}, scores, engines, panel))


def kinds_of(use_case: UseCase, name: str) -> set[str]:
    """The kinds of models behind an ensemble, through every ensemble inside it."""
    members, found, waiting = members_of(use_case), set[str](), [name]
    while waiting:
        one = waiting.pop()
        found.add(use_case.engines[one].kind)
        waiting += members.get(one, ())
    return found


def _candidates(
    generate: Mapping[str, int], scores: Mapping[str, Floats], engines: Mapping[str, Scorer], panel: Panel
) -> Bools | None:
    """As the engine chooses them: the best rows of every member that proposes, above what it has nothing to say for."""
    if not generate:
        return None
    chosen = np.zeros(panel.eligible.shape, dtype=np.bool_)
    people = np.arange(len(panel))[:, None]
    for member in set(generate) & set(scores):
        rows = metrics.top_k(scores[member], panel.eligible, generate[member])
        least = getattr(engines.get(member), "least", -np.inf)
        worth = (rows >= 0) & (scores[member][people, np.maximum(rows, 0)] > least)
        chosen[np.broadcast_to(people, rows.shape)[worth], rows[worth]] = True
    return chosen
