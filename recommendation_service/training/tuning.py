"""Searches the best settings of a model on the validation part, because they differ from site to site.

A search has a few stages. A stage tries all combinations of some settings, while the other settings have their best
values so far. All results are stored, so that an interrupted search continues where it stopped.

The budget of a search is a number of trials, so that the same export and seed give the same models on an idle and on a busy
machine. Seconds are only a ceiling; a search that reaches it says so in its summary, and in the manifest as a warning.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from recommendation_service.core.numeric import Floats
from recommendation_service.kinds import KINDS, Stage
from recommendation_service.publishing.versions import write_whole
from recommendation_service.training.data import Trained, TrainingData
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import EvaluationUsers
from recommendation_service.training.report import Progress
from recommendation_service.training.trainers import Fitted, fit

DEFAULT_BUDGET_S = 7_200.0  # a ceiling against a run without end; what a search costs is limited by its trials
MOST_TRIALS = 24
MOST_SLOW_TRIALS = 6  # of costly kinds, most of which are trained by gradient steps
LEAST_TRIALS = 4
WHOLE_UP_TO = 200_000  # interactions up to which a search has all its trials; on larger logs in proportion fewer
SLOW_WHOLE_UP_TO = 50_000  # the same for costly kinds
SOLVED_UP_TO = 4_000  # items up to which a kind that inverts a table of items has all its trials
SLOW_RANK = 4  # of `Cost`
Scored = Callable[[Trained], Floats | None]  # (p, n_items) scores of the users by the serving engine; None: no engine serves it
SEARCHES: Mapping[str, tuple[Stage, ...]] = {name: kind.search for name, kind in KINDS.items() if kind.search}


@dataclass(frozen=True, slots=True)
class Trial:
    """One set of settings and its validation score."""

    parameters: Any
    score: float
    at_s: float = field(default=0.0, compare=False)  # seconds after the search began; what was remembered takes none


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The best settings, and their gain over the settings that the search began with."""

    best: Trial
    stated: Trial
    tried: tuple[Trial, ...] = field(repr=False)
    whole: bool  # False: the ceiling of seconds ended the search, so a quicker machine may find other settings
    today: Trial | None = None  # the settings of the published model; None: there is none, or it was not asked

    @property
    def gain(self) -> float:
        """Return the relative gain; 0 if nothing was better."""
        return self.best.score / self.stated.score - 1 if self.stated.score > 0 else 0.0


class TrialCache:
    """The results of earlier trials on the same data, in one small file. Without a file, they last for this run.

    A file that cannot be read is replaced: it only saves time.
    """

    def __init__(self, path: Path | None = None, *, of: str = "") -> None:
        """Read the file. `of` names the data, such as the fingerprint of an export; results for other data are not used."""
        self._path, self._of = path, of
        self._known: dict[str, float] = {}
        if path is not None and path.exists():
            try:
                told = json.loads(path.read_text(encoding="utf-8"))
                self._known = {str(key): float(score) for key, score in told["scores"].items()} if told["of"] == of else {}
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                self._known = {}

    def score(self, kind: str, parameters: Any, measure: Callable[[Any], float]) -> float:
        """Return the score of these settings; they are measured only if no result is stored."""
        key = f"{kind} {json.dumps(asdict(parameters), sort_keys=True)}"
        if key not in self._known:
            self._known[key] = measure(parameters)
            self._keep()
        return self._known[key]

    def _keep(self) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self._path, f"{json.dumps({'of': self._of, 'scores': self._known}, indent=1)}\n".encode())


def trials_for(kind: str, interactions: int, items: int) -> int:
    """Return how many settings of a kind are tried by default, by the size of the log alone: never by speed or load."""
    cost = KINDS[kind].cost
    slow = cost is not None and cost.rank >= SLOW_RANK
    share = min(1.0, (SLOW_WHOLE_UP_TO if slow else WHOLE_UP_TO) / max(1, interactions))
    if KINDS[kind].solves:
        share *= min(1.0, SOLVED_UP_TO / max(1, items)) ** 2
    return max(1, int(MOST_SLOW_TRIALS * share)) if slow else max(LEAST_TRIALS, int(MOST_TRIALS * share))


def search(
    kind: str,
    stated: Any,
    measure: Callable[[Any], float],
    *,
    trials: int | None = None,
    today: Any = None,
    budget_s: float = DEFAULT_BUDGET_S,
    memory: TrialCache | None = None,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.monotonic,
    stages: Sequence[Stage] | None = None,
) -> SearchResult:
    """Return the best settings of one kind by `measure`, whose result is better if it is higher.

    The settings of the published model, `today`, are tried first, then the configured ones, which are kept unless others
    are better. At most `trials` settings are tried besides `today`, those with a stored result included; None: all of the
    stages. The stages never begin with the settings of `today`, so that a second search on the same data has the same
    result. `stages` replaces the stages of the kind. No trial begins after `budget_s` seconds, except those of `today`
    and of the configured settings. A kind without a search keeps the configured settings.
    """
    begun, known = clock(), memory or TrialCache()
    stages = stages_of(kind, stated) if stages is None else stages
    most = 1 + sum(len(list(_combinations(stage))) for stage in stages)
    most = most if trials is None else min(most, max(1, trials))

    def measured(parameters: Any) -> Trial:
        return Trial(parameters, known.score(kind, parameters, measure), clock() - begun)

    serving = None if today is None or today == stated else measured(today)
    if progress and serving is not None:
        progress(0, most, f"the settings of the published model: {serving.score:.4f}")
    tried, whole = [measured(stated)], True
    if progress:
        progress(1, most, f"the configured settings: {tried[0].score:.4f}")
    for candidate in _candidates(stages, tried):
        if len(tried) >= most:
            break
        if any(one.parameters == candidate for one in tried):
            continue
        if clock() - begun > budget_s:
            whole = False
            break
        tried.append(measured(candidate))
        if progress:
            progress(len(tried), most, f"{_changed(stated, candidate)}: {tried[-1].score:.4f}")
    best = _best(tried if serving is None else [*tried, serving])
    return SearchResult(best, tried[0], tuple(tried), whole, tried[0] if today == stated else serving)


class HyperparameterSearch:
    """The search of one kind on one set of training data, measured by NDCG at `k` on one panel of users."""

    def __init__(
        self,
        material: TrainingData,
        panel: EvaluationUsers,
        kind: str,
        scored: Scored,
        *,
        k: int = 10,
        stopping: EvaluationUsers | None = None,
    ) -> None:
        """`stopping` are the users that choose the length of each training; None: those of the panel."""
        self._material, self._panel, self._kind, self._scored, self._k = material, panel, kind, scored, k
        self._stopping = panel if stopping is None else stopping
        self._best: tuple[Any, float, Fitted, Floats | None] | None = None
        self.refined: dict[Any, Any] = {}  # settings -> settings with what training chose, such as the number of epochs
        self._progress: Progress | None = None
        self._settled: dict[Any, float] = {}  # for kinds with settings that have no effect on some data

    def search(
        self,
        stated: Any,
        *,
        trials: int | None = None,
        today: Any = None,
        budget_s: float = DEFAULT_BUDGET_S,
        memory: TrialCache | None = None,
        progress: Progress | None = None,
    ) -> tuple[SearchResult, Fitted, Floats | None]:
        """The result of the search, the model with the best settings, and its scores. Raises NotEnough as the trainer does."""
        self._progress = progress
        result = search(
            self._kind,
            stated,
            self.measure,
            trials=trials,
            today=today,
            budget_s=budget_s,
            memory=memory,
            progress=progress,
        )
        wanted = result.best.parameters
        if self._best is None or self._best[0] != wanted:  # its score came from the cache, so there is no model yet
            self._best = None
            self.measure(wanted)
        if self._best is None:
            raise RuntimeError(f"{self._kind} was measured, but its model was not stored")
        _, _, fitted, scores = self._best
        return result, fitted, scores

    def measure(self, parameters: Any) -> float:
        """Return the validation NDCG of a model with these settings; 0 if no engine serves it.

        Settings that differ only in values without effect on this data are measured once.
        """
        settled = parameters.settled(self._material) if hasattr(parameters, "settled") else None
        if settled in self._settled and self._best is not None:
            return self._settled[settled]
        fitted = fit(self._material, self._kind, parameters, panel=self._stopping, progress=self._progress)
        self.refined[parameters] = fitted.parameters
        scores = self._scored(fitted.trained)
        ndcg = 0.0 if scores is None else metrics.ndcg(scores, self._panel.eligible, self._panel.relevant, self._k)
        if settled is not None:
            self._settled[settled] = ndcg
        if self._best is None or ndcg > self._best[1]:
            self._best = (parameters, ndcg, fitted, scores)
        return ndcg


def stages_of(kind: str, stated: Any) -> tuple[Stage, ...]:
    """Return the stages of the search of a kind; none if it has nothing to search, such as ready-made vectors."""
    return () if getattr(stated, "model", "") else SEARCHES.get(kind, ())


def searched_settings(kind: str) -> tuple[str, ...]:
    """Return the names of the settings that the search of a kind varies, each once, in the order of the stages."""
    return tuple(dict.fromkeys(name for stage in SEARCHES.get(kind, ()) for name in stage))


def settings_of_today(kind: str, stated: Any, today: Any) -> Any:
    """Return the configured settings with the searched ones of the published model, whose length of training is not a limit."""
    names = {name for name in searched_settings(kind) if hasattr(today, name)}
    return replace(stated, **{name: getattr(today, name) for name in names})


def search_summary(searched: SearchResult) -> str:
    """Return one line: the changed settings, the gain, and the number of trials."""
    changed = _changed(searched.stated.parameters, searched.best.parameters) or "the stated settings"
    end = "" if searched.whole else ", ended by its ceiling of seconds"
    return (
        f"{changed}: NDCG@10 {searched.best.score:.4f} against {searched.stated.score:.4f} with the stated settings"
        f" ({searched.gain:+.0%}, {len(searched.tried)} tried{end})"
    )


def figures(searched: SearchResult) -> dict[str, Any]:
    """Return the result of the search as a manifest records it."""
    return {
        "stated_ndcg_at_10": searched.stated.score,
        "tuned_ndcg_at_10": searched.best.score,
        "gain": searched.gain,
        "tried": len(searched.tried),
        "whole_search": searched.whole,
        "today_ndcg_at_10": None if searched.today is None else searched.today.score,
    }


def cut_short(searched: SearchResult | None) -> tuple[str, ...]:
    """Return the warning of a search that seconds ended; nothing for any other."""
    if searched is None or searched.whole:
        return ()
    return (
        f"the search ended at its ceiling of seconds after {len(searched.tried)} trials: another machine may find other"
        " settings; raise --budget-seconds or lower --trials",
    )


def _candidates(stages: Sequence[Stage], tried: Sequence[Trial]) -> Iterator[Any]:
    """Yield the settings to try. A later stage begins with the best trial so far, so `tried` is read while it grows."""
    for stage in stages:
        start = _best(tried).parameters
        for values in _combinations(stage):
            yield replace(start, **values)


def _combinations(stage: Stage) -> Iterator[dict[str, Any]]:
    for values in product(*stage.values()):
        yield dict(zip(stage, values, strict=True))


def _best(tried: Sequence[Trial]) -> Trial:
    return max(tried, key=lambda one: one.score)


def _changed(stated: Any, other: Any) -> str:
    before, after = asdict(stated), asdict(other)
    return ", ".join(f"{name} {spelled(after[name])}" for name in after if after[name] != before[name])


def spelled(value: Any) -> str:
    """Return the value of a setting as text."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
