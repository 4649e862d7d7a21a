"""The relative cost of each kind of engine: a more expensive kind must be better than the cheaper ones."""

from collections.abc import Mapping

from recommendation_service.kinds import KINDS
from recommendation_service.use_cases.blends import members_of
from recommendation_service.use_cases.schema import UseCase


def cost_of(use_case: UseCase, name: str) -> tuple[int, int] | None:
    """An engine's position in the cost order, nested ensembles after their members; None: its kind has no cost."""
    cost = KINDS[use_case.engines[name].kind].cost
    return None if cost is None else (cost.rank, _depth(members_of(use_case), name))


def _depth(members: Mapping[str, tuple[str, ...]], name: str) -> int:
    return 1 + max((_depth(members, member) for member in members[name]), default=0) if name in members else 0
