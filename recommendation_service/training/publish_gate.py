"""The checks that a new model must pass before it replaces the published one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommendation_service.core.numeric import AnyArray

WORSE_BY = 0.02  # relative loss of validation NDCG@10 compared with the published settings that is still noise
REFIT_FALL = 0.50  # popularity drifts, so a refit may score lower on older events; a fall by half means an error
LEAST_PEOPLE = 10  # with fewer validation users, results and chosen settings would be random
SHRUNK_TO = 0.50  # an export with less than this share of the last one's interactions is treated as a mistake, unless forced


@dataclass(frozen=True, slots=True)
class Measured:
    """Validation NDCG@10; None if there are no users to measure on, or nothing to compare with."""

    candidate: float | None
    refit: float | None
    current: float | None
    popularity: float | None
    few: bool = False  # fewer than LEAST_PEOPLE users: reported, but not used for decisions


@dataclass(frozen=True, slots=True)
class Verdict:
    """`refusals` prevent publishing, unless forced; `warnings` are written to the manifest."""

    refusals: tuple[str, ...]
    warnings: tuple[str, ...]
    only_lost: bool = False  # the one reason is that the published settings are better: no error, and they serve on

    @property
    def accepted(self) -> bool:
        """True if there is no reason not to publish."""
        return not self.refusals


def judge(
    arrays: Mapping[str, AnyArray], measured: Measured, *, interactions: int, current_dataset: Mapping[str, Any] | None = None
) -> Verdict:
    """Check the arrays of a refit model, and compare its metrics with those of the published model."""
    lost = _lost(measured)
    refusals = [*_unusable(arrays), *lost, *_fallen(measured), *_shrunk(interactions, current_dataset or {})]
    return Verdict(tuple(refusals), tuple(_warnings(measured)), only_lost=bool(lost) and refusals == lost)


def _unusable(arrays: Mapping[str, AnyArray]) -> list[str]:
    problems = []
    for name, array in sorted(arrays.items()):
        if array.size == 0:
            problems.append(f"{name} is empty")
        elif array.dtype.kind == "f" and not np.isfinite(array).all():
            problems.append(f"{name} holds NaN or infinity")
    for name in ("item_factors", "item_vectors"):
        if name in arrays and arrays[name].size and arrays[name].min() == arrays[name].max():
            problems.append(f"{name} holds one number only, so it cannot rank")
    return problems


def _lost(measured: Measured) -> list[str]:
    candidate, current = measured.candidate, measured.current
    if measured.few or candidate is None or current is None or candidate >= current * (1 - WORSE_BY):
        return []
    return [f"validation NDCG@10 {candidate:.4f} is more than {WORSE_BY:.0%} below today's {current:.4f}"]


def _fallen(measured: Measured) -> list[str]:
    candidate, refit = measured.candidate, measured.refit
    if measured.few or candidate is None or refit is None or refit >= candidate * (1 - REFIT_FALL):
        return []
    return [f"the refit fell from NDCG@10 {candidate:.4f} to {refit:.4f} on the same people"]


def _shrunk(interactions: int, current: Mapping[str, Any]) -> list[str]:
    before = int(current.get("interactions", 0))
    if interactions < before * SHRUNK_TO:
        return [f"the export has {interactions:,} interactions; today's model was made from {before:,}"]
    return []


def _warnings(measured: Measured) -> list[str]:
    if measured.candidate is None:
        return ["nobody to validate on: published without having been measured"]
    if measured.few:
        return [f"fewer than {LEAST_PEOPLE} people to validate on: published without having been compared"]
    if measured.popularity is not None and measured.candidate < measured.popularity:
        return [
            f"loses to popularity: validation NDCG@10 {measured.candidate:.4f} against {measured.popularity:.4f};"
            " served alone it is no better than a list of bestsellers"
        ]
    return []


@dataclass(frozen=True, slots=True)
class Lost:
    """Losses of a pair model on held-out pairs, lower is better; None: nothing to compare with."""

    own: float
    baseline: float  # of predicting the usual value for every pair
    usual: str  # description of the baseline, for messages
    anew: float | None = None  # of the new and the published model, on pairs that neither was trained on
    today: float | None = None

    @property
    def hopeless(self) -> bool:
        """True if it is clearly worse than the baseline, or not a number."""
        return not self.own <= self.baseline * (1 + WORSE_BY)


def judge_pairs(
    arrays: Mapping[str, AnyArray], lost: Lost, *, matches: int, current_dataset: Mapping[str, Any] | None = None
) -> Verdict:
    """Check a pair model: refused if it is worse than the baseline or than the published model."""
    refusals = _unusable(arrays)
    if lost.hopeless:
        refusals.append(f"loss {lost.own:.4f} is more than {WORSE_BY:.0%} above {lost.baseline:.4f} of {lost.usual}")
    worse = lost.anew is not None and lost.today is not None and lost.anew > lost.today * (1 + WORSE_BY)
    if worse:
        refusals.append(f"loss {lost.anew:.4f} is more than {WORSE_BY:.0%} above today's {lost.today:.4f} on the same pairs")
    before = int((current_dataset or {}).get("matches", 0))
    if matches < before * SHRUNK_TO:
        refusals.append(f"the export has {matches:,} matches; today's model was made from {before:,}")
    return Verdict(tuple(refusals), (), only_lost=worse and len(refusals) == 1)
