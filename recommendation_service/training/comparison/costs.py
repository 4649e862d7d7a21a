"""What each kind of engine costs a site beside the others: the order in which a dearer one has to earn its place."""

from collections.abc import Mapping
from dataclasses import dataclass

from recommendation_service.use_cases.blends import members_of
from recommendation_service.use_cases.schema import UseCase


@dataclass(frozen=True, slots=True)
class Cost:
    """`rank` orders kinds, cheapest first; kinds of one rank need not beat each other."""

    rank: int
    reason: str


COSTS: Mapping[str, Cost] = {
    "popularity": Cost(0, "nothing is trained, and everybody's order is the same"),
    "co_occurrence": Cost(1, "counted in one pass, and an answer sums a few sparse rows"),
    "similar_users": Cost(1, "counted in one pass, and an answer sums the pasts of a few people"),
    "ease": Cost(1, "solved in closed form within seconds, and an answer sums a few sparse rows"),
    "next_item": Cost(1, "solved in closed form within seconds, and a new click counts without training"),
    "content": Cost(2, "needs texts that somebody keeps, and an answer compares them with every item"),
    "als": Cost(3, "trained in rounds, its settings differ from site to site, and every item is scored by vectors"),
    "embedding": Cost(4, "needs texts and a text model, and every item is scored by vectors"),
    "margin": Cost(4, "a network trained by gradient steps, for which torch is needed"),
    "sasrec": Cost(4, "a network trained by gradient steps for minutes, for which torch is needed; a new click counts at once"),
    "two_tower": Cost(4, "a network trained by gradient steps, for which torch is needed, and profiles that are kept"),
    "ensemble": Cost(5, "trains and asks every one of its members"),
}


def cost_of(use_case: UseCase, name: str) -> tuple[int, int] | None:
    """An engine's place in the order, an ensemble of ensembles after its members; None: its kind is not in the order."""
    cost = COSTS.get(use_case.engines[name].kind)
    return None if cost is None else (cost.rank, _depth(members_of(use_case), name))


def _depth(members: Mapping[str, tuple[str, ...]], name: str) -> int:
    return 1 + max((_depth(members, one) for one in members[name]), default=0) if name in members else 0
