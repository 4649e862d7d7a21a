"""Train one kind of model with several settings, and keep the best model."""

from collections.abc import Callable
from typing import Any

from recommendation_service.core.numeric import Floats
from recommendation_service.training.data import Trained, TrainingData
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import EvaluationUsers
from recommendation_service.training.report import Progress
from recommendation_service.training.trainers import Fitted, fit
from recommendation_service.training.tuning import SearchResult, TrialCache, search

Scored = Callable[[Trained], Floats | None]  # (p, n_items) scores of the users by the serving engine; None: no engine serves it


class HyperparameterSearch:
    """One kind on one material, measured on one panel by NDCG at `k`."""

    def __init__(self, material: TrainingData, panel: EvaluationUsers, kind: str, scored: Scored, *, k: int = 10) -> None:
        self._material, self._panel, self._kind, self._scored, self._k = material, panel, kind, scored, k
        self._best: tuple[Any, float, Fitted, Floats | None] | None = None
        self.refined: dict[Any, Any] = {}  # settings -> settings with what training chose, such as the number of epochs
        self._progress: Progress | None = None
        self._settled: dict[Any, float] = {}  # for kinds with settings that have no effect on some data

    def search(
        self, stated: Any, *, budget_s: float, memory: TrialCache | None = None, progress: Progress | None = None
    ) -> tuple[SearchResult, Fitted, Floats | None]:
        """The result of the search, the model with the best settings, and its scores. Raises NotEnough as the trainer does."""
        self._progress = progress
        result = search(self._kind, stated, self.measure, budget_s=budget_s, memory=memory, progress=progress)
        wanted = result.best.parameters
        if self._best is None or self._best[0] != wanted:  # its score came from the cache, so there is no model yet
            self._best = None
            self.measure(wanted)
        if self._best is None:
            raise RuntimeError(f"{self._kind} was measured, but its model was not stored")
        _, _, fitted, scores = self._best
        return result, fitted, scores

    def measure(self, parameters: Any) -> float:
        """Validation NDCG of a model with these settings; 0 if no engine serves it.

        Settings that differ only where they have no effect on this data are measured once.
        """
        settled = parameters.settled(self._material) if hasattr(parameters, "settled") else None
        if settled in self._settled and self._best is not None:
            return self._settled[settled]
        fitted = fit(self._material, self._kind, parameters, panel=self._panel, progress=self._progress)
        self.refined[parameters] = fitted.parameters
        scores = self._scored(fitted.trained)
        ndcg = 0.0 if scores is None else metrics.ndcg(scores, self._panel.eligible, self._panel.relevant, self._k)
        if settled is not None:
            self._settled[settled] = ndcg
        if self._best is None or ndcg > self._best[1]:
            self._best = (parameters, ndcg, fitted, scores)
        return ndcg
