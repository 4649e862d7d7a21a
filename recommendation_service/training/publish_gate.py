"""What a model must be before it may replace today's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommendation_service.core.numeric import AnyArray

WORSE_BY = 0.02  # relative loss of validation NDCG@10 against today's recipe that is still noise
REFIT_FALL = 0.50  # popularity drifts, so a refit may score lower on older events; half means that something broke
LEAST_PEOPLE = 10  # fewer validation people than this would judge, and choose settings, by chance
SHRUNK_TO = 0.50  # an export with less than this share of the last one's interactions is a mistake until said otherwise


@dataclass(frozen=True, slots=True)
class Measured:
    """Validation NDCG@10; None where there was nobody to measure on, or nothing to compare with."""

    candidate: float | None
    refit: float | None
    current: float | None
    popularity: float | None
    few: bool = False  # of fewer than LEAST_PEOPLE people: told, and no reason for anything


@dataclass(frozen=True, slots=True)
class Verdict:
    """`refusals` keep a model from being published unless forced; `warnings` go with it into the manifest."""

    refusals: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        """True when nothing speaks against publishing."""
        return not self.refusals


def judge(
    arrays: Mapping[str, AnyArray], measured: Measured, *, interactions: int, current_dataset: Mapping[str, Any] | None = None
) -> Verdict:
    """Weigh a refit model's arrays and figures against today's model's."""
    refusals = [*_unusable(arrays), *_worse(measured), *_shrunk(interactions, current_dataset or {})]
    return Verdict(tuple(refusals), tuple(_warnings(measured)))


def _unusable(arrays: Mapping[str, AnyArray]) -> list[str]:
    found = []
    for name, array in sorted(arrays.items()):
        if array.size == 0:
            found.append(f"{name} is empty")
        elif array.dtype.kind == "f" and not np.isfinite(array).all():
            found.append(f"{name} holds NaN or infinity")
    for name in ("item_factors", "item_vectors"):
        if name in arrays and arrays[name].size and arrays[name].min() == arrays[name].max():
            found.append(f"{name} holds one number only, so it cannot rank")
    return found


def _worse(measured: Measured) -> list[str]:
    found: list[str] = []
    candidate = measured.candidate
    if measured.few:
        return found
    if candidate is not None and measured.current is not None and candidate < measured.current * (1 - WORSE_BY):
        found.append(f"validation NDCG@10 {candidate:.4f} is more than {WORSE_BY:.0%} below today's {measured.current:.4f}")
    if candidate is not None and measured.refit is not None and measured.refit < candidate * (1 - REFIT_FALL):
        found.append(f"the refit fell from NDCG@10 {candidate:.4f} to {measured.refit:.4f} on the same people")
    return found


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
    """Losses of a model of pairs on what it did not learn from, less is better; None: nothing to compare with."""

    own: float
    baseline: float  # of saying what is usual, whatever the pair
    usual: str  # in words: what the baseline says
    anew: float | None = None  # of the new and of today's model, on the pairs that neither learned from
    today: float | None = None

    @property
    def hopeless(self) -> bool:
        """Clearly worse than saying what is usual, or no number at all."""
        return not self.own <= self.baseline * (1 + WORSE_BY)


def judge_pairs(
    arrays: Mapping[str, AnyArray], lost: Lost, *, matches: int, current_dataset: Mapping[str, Any] | None = None
) -> Verdict:
    """Weigh a model of pairs. Worse than saying what is usual is no model, worse than today's no progress."""
    refusals = _unusable(arrays)
    if lost.hopeless:
        refusals.append(f"loss {lost.own:.4f} is more than {WORSE_BY:.0%} above {lost.baseline:.4f} of {lost.usual}")
    if lost.anew is not None and lost.today is not None and lost.anew > lost.today * (1 + WORSE_BY):
        refusals.append(f"loss {lost.anew:.4f} is more than {WORSE_BY:.0%} above today's {lost.today:.4f} on the same pairs")
    before = int((current_dataset or {}).get("matches", 0))
    if matches < before * SHRUNK_TO:
        refusals.append(f"the export has {matches:,} matches; today's model was made from {before:,}")
    return Verdict(tuple(refusals), ())
