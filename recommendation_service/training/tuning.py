"""Searches ALS settings on a validation part: the right ones differ from site to site by more than models do."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from recommendation_service.numeric import Floats
from recommendation_service.training import metrics
from recommendation_service.training.als import ALSParameters, train_als
from recommendation_service.training.evaluation import Panel
from recommendation_service.training.material import Material, Trained
from recommendation_service.training.report import Progress

ALPHAS = (40.0, 10.0, 4.0, 1.0)
REGULARIZATIONS = (100.0, 30.0, 10.0, 300.0, 0.01)  # implicit does not scale it by frequency, so good values look huge
FACTORS = (64, 128, 192)
ITERATIONS = 15
DEFAULT_BUDGET_S = 30.0


@dataclass(frozen=True, slots=True)
class Tuned:
    """The best settings found, and what the search gained over the settings it began with (NDCG@10, validation)."""

    parameters: ALSParameters
    stated_score: float
    score: float
    tried: int
    whole_grid: bool  # False: the budget ended the search, so a quicker machine may find other settings

    @property
    def gain(self) -> float:
        """Relative gain, 0 when nothing was better."""
        return self.score / self.stated_score - 1 if self.stated_score > 0 else 0.0


def tune_als(
    material: Material,
    panel: Panel,
    stated: ALSParameters,
    *,
    budget_s: float = DEFAULT_BUDGET_S,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Tuned:
    """Every alpha with every regularization at the smallest size, then the larger sizes at the best of those.

    The stated settings are tried first and kept unless something is better. Ends after the first model that finishes
    beyond `budget_s` seconds.
    """
    started = clock()
    stated_score = best_score = panel_ndcg(train_als(material, stated), panel)
    best, tried = stated, 1
    small = _small_grid(stated)
    steps = len(small) + len(FACTORS)
    for candidate in small:
        if clock() - started > budget_s:
            break
        score = panel_ndcg(train_als(material, candidate), panel)
        tried += 1
        if progress:
            progress(tried, steps, f"alpha {candidate.alpha:g}, regularization {candidate.regularization:g}: {score:.4f}")
        if score > best_score:
            best, best_score = candidate, score
    for candidate in _larger(best):
        if clock() - started > budget_s:
            break
        score = panel_ndcg(train_als(material, candidate), panel)
        tried += 1
        if score > best_score:
            best, best_score = candidate, score
    return Tuned(best, stated_score, best_score, tried, clock() - started <= budget_s)


def _small_grid(stated: ALSParameters) -> list[ALSParameters]:
    return [
        replace(stated, factors=FACTORS[0], alpha=alpha, regularization=regularization, iterations=ITERATIONS)
        for regularization in REGULARIZATIONS
        for alpha in ALPHAS
    ]


def _larger(best: ALSParameters) -> Iterator[ALSParameters]:
    for factors in FACTORS:
        if factors > best.factors:
            yield replace(best, factors=factors)


def panel_ndcg(trained: Trained, panel: Panel) -> float:
    """NDCG@10 by the factors as trained, without folding anybody in: what the search steers by."""
    return metrics.ndcg(panel_scores(trained, panel), panel.eligible, panel.relevant)


def panel_scores(trained: Trained, panel: Panel) -> Floats:
    """(p, n_items) products of trained factors; NaN for people and items without a positive weight."""
    place = np.searchsorted(trained.arrays["user_ids"], panel.material.user_ids.array[panel.users])
    place = np.minimum(place, trained.arrays["user_ids"].size - 1)
    known = trained.arrays["user_ids"][place] == panel.material.user_ids.array[panel.users]
    scores: Floats = trained.arrays["user_factors"][place] @ trained.arrays["item_factors"].T
    scores[:, trained.arrays["item_counts"] == 0] = np.nan
    scores[~known] = np.nan
    return scores
