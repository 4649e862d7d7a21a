"""Trains one kind of model with other settings again and again, and keeps the best it has seen."""

from collections.abc import Callable
from typing import Any

from recommendation_service.core.numeric import Floats
from recommendation_service.training.data import Trained, TrainingData
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import EvaluationUsers
from recommendation_service.training.report import Progress
from recommendation_service.training.trainers import Fitted, fit
from recommendation_service.training.tuning import SearchResult, TrialCache, search

Scored = Callable[[Trained], Floats | None]  # (p, n_items) of the panel's people by the serving engine; None: not served


class HyperparameterSearch:
    """One kind on one material, measured on one panel by NDCG at `k`."""

    def __init__(self, material: TrainingData, panel: EvaluationUsers, kind: str, scored: Scored, *, k: int = 10) -> None:
        self._material, self._panel, self._kind, self._scored, self._k = material, panel, kind, scored, k
        self._best: tuple[Any, float, Fitted, Floats | None] | None = None
        self.found_for: dict[Any, Any] = {}  # settings -> the same with what training found out, such as how many epochs
        self._progress: Progress | None = None
        self._settled: dict[Any, float] = {}  # of kinds whose settings do not all matter on every material

    def search(
        self, stated: Any, *, budget_s: float, memory: TrialCache | None = None, progress: Progress | None = None
    ) -> tuple[SearchResult, Fitted, Floats | None]:
        """What was found, the model with the best settings, and its scores. Raises NotEnough as the trainer does."""
        self._progress = progress
        found = search(self._kind, stated, self.measure, budget_s=budget_s, memory=memory, progress=progress)
        wanted = found.best.parameters
        if self._best is None or self._best[0] != wanted:  # it was remembered, not trained, this time
            self._best = None
            self.measure(wanted)
        if self._best is None:
            raise RuntimeError(f"{self._kind} was measured and not kept")
        _, _, fitted, scores = self._best
        return found, fitted, scores

    def measure(self, parameters: Any) -> float:
        """Validation NDCG of a model with these settings; 0 where no engine serves it.

        Settings that differ only in what is without effect on this material are measured once.
        """
        settled = parameters.settled(self._material) if hasattr(parameters, "settled") else None
        if settled in self._settled and self._best is not None:
            return self._settled[settled]
        fitted = fit(self._material, self._kind, parameters, panel=self._panel, progress=self._progress)
        self.found_for[parameters] = fitted.parameters
        scores = self._scored(fitted.trained)
        found = 0.0 if scores is None else metrics.ndcg(scores, self._panel.eligible, self._panel.relevant, self._k)
        if settled is not None:
            self._settled[settled] = found
        if self._best is None or found > self._best[1]:
            self._best = (parameters, found, fitted, scores)
        return found
