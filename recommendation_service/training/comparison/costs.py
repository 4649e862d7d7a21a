"""The relative cost of each kind of engine: a more expensive kind must be better than the cheaper ones."""

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
    "popularity": Cost(0, "nothing is trained, and the order is the same for all users"),
    "co_occurrence": Cost(1, "counted in one pass, and an answer sums a few sparse rows"),
    "similar_users": Cost(1, "counted in one pass, and an answer sums the histories of a few users"),
    "ease": Cost(1, "solved in closed form within seconds, and an answer sums a few sparse rows"),
    "next_item": Cost(1, "solved in closed form within seconds, and a new click counts without training"),
    "content": Cost(2, "needs maintained texts, and an answer compares them with every item"),
    "als": Cost(3, "trained in rounds, its best settings differ between sites, and every item is scored by vectors"),
    "embedding": Cost(4, "needs texts and a text model, and every item is scored by vectors"),
    "margin": Cost(4, "a network trained by gradient steps, for which torch is needed"),
    "sasrec": Cost(4, "a network trained by gradient steps for minutes, for which torch is needed; a new click counts at once"),
    "two_tower": Cost(4, "a network trained by gradient steps, for which torch is needed, and maintained profiles"),
    "ensemble": Cost(5, "trains and asks every one of its members"),
}


def cost_of(use_case: UseCase, name: str) -> tuple[int, int] | None:
    """An engine's position in the cost order, nested ensembles after their members; None: its kind has no cost."""
    cost = COSTS.get(use_case.engines[name].kind)
    return None if cost is None else (cost.rank, _depth(members_of(use_case), name))


def _depth(members: Mapping[str, tuple[str, ...]], name: str) -> int:
    return 1 + max((_depth(members, member) for member in members[name]), default=0) if name in members else 0
