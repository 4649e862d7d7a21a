"""Measures every model on one task.

Settings and weights are chosen on the validation part. Each model is then trained again on everything before the test
part and measured once on the test part.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from recommendation_service.commands.evaluate_file.costs import MEASURED_REQUESTS, requests_ms
from recommendation_service.commands.evaluate_file.protocols import AT_ONCE, EvaluationTask, Task
from recommendation_service.commands.evaluate_file.result_rows import Row, TimedScore, inside, summed
from recommendation_service.commands.evaluate_file.segments import segments_of
from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.kinds import KINDS, names_where
from recommendation_service.publishing.store import Artifact
from recommendation_service.training.data import NotEnough, Trained, TrainingData
from recommendation_service.training.ensemble.search import scaled
from recommendation_service.training.ensemble.weights import Learned, learn_weights, served, weight_arrays
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import EvaluationUsers, Scorer, score_people
from recommendation_service.training.report import Report
from recommendation_service.training.trainers import RECIPES, Fitted, fit
from recommendation_service.training.tuning import DEFAULT_BUDGET_S, HyperparameterSearch, SearchResult, TrialCache, trials_for
from recommendation_service.use_cases.schema import UseCase
from recommendation_service.wiring import build_engines

BASELINE = "popularity"
MODELS = names_where(compared=True)
STATED = {"als": 0.6, "two_tower": 0.4}  # the recipe of the acceptance lists, with its members' stated settings
PEOPLE = 1_000  # validation people that settings are searched on, at most: settings differ by more than so many can hide
WEIGHED, WEIGHED_SCORES = 6_000, 72_000_000  # people, and scores of one member, that weights are learned on: they differ less
MEASURED_SCORES = 200_000_000  # of all members together that are in memory while the test part is measured
BLEND, RECIPE = "learned blend", "default blend"


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One trained model with its settings and costs, ready to be measured on the test part."""

    name: str
    trained: Trained | None  # on all that precedes the test part; None: it needs no training
    as_stated: Trained | None  # the same with the stated settings, of members of the default blend
    valid: Floats  # (p, n_items) of the people that weights are learned on, by the model that has not seen them choose
    row: Row


@dataclass(frozen=True, slots=True)
class Choices:
    """The options of the command line: which models, and how many seconds each search may take."""

    models: Sequence[str] = MODELS
    budget_s: float = DEFAULT_BUDGET_S  # the ceiling of a model's search; 0: stated settings
    trials: int | None = None  # settings to try per model; None: by the size of the file


class Contest:
    """One task and the models that are measured on it. Nothing is chosen after the test part was used."""

    def __init__(self, task: Task, choices: Choices, report: Report, memory: TrialCache | None = None) -> None:
        self.task, self._choices, self._report, self._memory = task, choices, report, memory or TrialCache()
        self._panel = task.valid.some(PEOPLE)
        self._wide = task.valid.some(weighed(task.valid))

    @property
    def chosen_on(self) -> dict[str, int]:
        """Return the number of validation users for "settings" and for "weights"."""
        return {"settings": len(self._panel), "weights": len(self._wide)}

    def run(self) -> list[Row]:
        """Return the rows of the table: popularity, then every other model, then the blends."""
        entries = [self._popular(), *self._models()]
        started = time.perf_counter()
        learned = self._learned(entries)
        rows = {entry.name: entry.row for entry in entries} | self._blends(entries, learned, time.perf_counter() - started)
        models = {entry.name: entry.trained for entry in entries if entry.trained is not None}
        recipe = {entry.name: entry.as_stated for entry in entries if entry.as_stated is not None} if RECIPE in rows else {}
        del entries  # the validation scores, which may be most of what is in memory
        serving = _serving(models, recipe, self.task.test.material, learned)
        measured = self._measured(serving, learned, rows)
        request_ms = requests_ms({name: serving[name] for name in rows}, self.task.test.some(MEASURED_REQUESTS))
        return [replace(row, request_ms=request_ms[row.model]) for row in measured]

    def choose(self, kind: str) -> tuple[Fitted, SearchResult, Any]:
        """Return a model with the settings that are best on validation, its search, and its default settings.

        The returned model was trained without the validation part. Raises NotEnough if there is too little data for
        this kind.
        """
        material = self.task.valid.material
        trials = HyperparameterSearch(
            material,
            self._panel,
            kind,
            lambda entry: score_people(_engine(entry, material), self._panel),
            k=self.task.k,
            stopping=self._wide,
        )
        with self._report.progress(kind) as progress:
            rows_by_name, fitted, scores = trials.search(
                RECIPES[kind].stated,
                trials=self._choices.trials or trials_for(kind, int(material.events.times.size), len(material.catalogue)),
                budget_s=self._choices.budget_s,
                memory=self._memory,
                progress=progress,
            )
        if scores is None:
            raise NotEnough(f"{kind} is served by no engine")
        return fitted, rows_by_name, trials.refined.get(rows_by_name.stated.parameters)

    def _popular(self) -> Entry:
        engine = _built({}, self.task.valid.material)[BASELINE]
        return Entry(BASELINE, None, None, score_people(engine, self._wide), Row(BASELINE, {}, 0))

    def _models(self) -> Iterator[Entry]:
        for kind in self._choices.models:
            started = time.perf_counter()
            try:
                fitted, searched, stated = self.choose(kind)
                search_s, started = time.perf_counter() - started, time.perf_counter()
                late = fit(self.task.test.material, kind, fitted.parameters).trained
                fit_s = time.perf_counter() - started
                as_stated = self._as_stated(kind, late, stated) if _changed(searched) else late
            except NotEnough as error:
                self._report.line(f"{kind}: left out: {error.message}")
                continue
            row = Row(
                kind,
                {},
                0,
                fit_s,
                search_s,
                _megabytes(late),
                settings=_changed(searched),
                note="" if searched.whole else "search cut short",
                tried=tuple(TimedScore(entry.at_s, entry.score) for entry in searched.tried),
            )
            valid = score_people(_engine(fitted.trained, self.task.valid.material), self._wide)
            yield Entry(kind, late, as_stated if kind in STATED else None, valid, row)

    def _as_stated(self, kind: str, late: Trained, stated: Any) -> Trained:
        """Return one member of the default blend, trained with the default settings and timed like the other models."""
        if kind not in STATED or not set(STATED) <= set(self._choices.models):
            return late
        if stated is None:  # what they score was remembered, so training has not told its epochs
            stated = fit(self.task.valid.material, kind, RECIPES[kind].stated, panel=self._wide).parameters
        return fit(self.task.test.material, kind, stated).trained

    def _learned(self, entries: Sequence[Entry]) -> Learned:
        scores = {entry.name: entry.valid for entry in entries}
        stated = {name: STATED.get(name, 0.0) for name in scores}
        if not any(stated.values()):
            stated = dict.fromkeys(scores, 1.0)
        ranks = {name: cost.rank for name in scores if (cost := KINDS[name].cost)}
        return learn_weights(scores, stated, self._wide, ranks=ranks)

    def _blends(self, entries: Sequence[Entry], learned: Learned, learned_s: float) -> dict[str, Row]:
        """Return the rows of the blends without measures: their weights, and the total cost of their members."""
        settings: dict[str, dict[str, float]] = {}
        if set(STATED) <= {entry.name for entry in entries}:
            settings[RECIPE] = STATED
        settings[BLEND] = {name: weight for name, weight in learned.weights.items() if weight > 0}
        settings[BLEND] |= {
            f"from {entry.first}: {name}": weight
            for entry in learned.separate_segments
            for name, weight in entry.weights.items()
            if weight > 0
        }
        members_of = {RECIPE: set(STATED), BLEND: learned.weighted_members}
        rows_by_name = {}
        for name, weights in settings.items():
            rows = [entry.row for entry in entries if entry.name in members_of[name]]
            fit_s, megabytes = sum(row.fit_s for row in rows), sum(row.megabytes for row in rows)
            rows_by_name[name] = Row(name, {}, 0, fit_s, learned_s if name == BLEND else 0.0, megabytes, settings=weights)
        return rows_by_name

    def _measured(self, serving: Mapping[str, Scorer], learned: Learned, rows: Mapping[str, Row]) -> list[Row]:
        engines = {name: serving[name] for name in rows if name not in (BLEND, RECIPE)}
        rows_by_name: dict[str, list[dict[str, AnyArray]]] = {name: [] for name in rows}
        counts = self.task.test.material.histories.counts[self.task.test.users]
        at_once = min(AT_ONCE, max(1, MEASURED_SCORES // (len(self.task.test.material.catalogue) * 2 * len(rows))))
        with self._report.progress("measuring") as progress:
            for number, panel in enumerate(self.task.test.panels(at_once)):
                progress(number, len(self.task.test) // at_once + 1, "")
                parts = {name: score_people(engine, panel) for name, engine in engines.items()}
                even = {name: scaled(values, panel.eligible) for name, values in parts.items()}
                if RECIPE in rows:
                    parts[RECIPE] = score_people(serving[RECIPE], panel)
                parts[BLEND] = served(even, learned.segments, panel.material.histories.counts[panel.users])
                for name, scores in parts.items():
                    rows_by_name[name].append(measures_of(scores, panel, self.task))
        segments = segments_of(counts)
        whole = {
            name: {key: np.concatenate([entry[key] for entry in parts_of]) for key in parts_of[0]}
            for name, parts_of in rows_by_name.items()
        }
        return [
            replace(rows[name], measures=summed(values), people=counts.size, segments=inside(values, segments))
            for name, values in whole.items()
        ]


def weighed(valid: EvaluationTask) -> int:
    """Return the number of validation users for learning weights: as many as fit in memory, from PEOPLE to WEIGHED."""
    return min(WEIGHED, max(PEOPLE, WEIGHED_SCORES // len(valid.material.catalogue)))


def measures_of(scores: Floats, panel: EvaluationUsers, task: Task) -> dict[str, AnyArray]:
    """Return the measures of the protocol by name, each (p,) with one value per user."""
    values = metrics.measure(metrics.top_k(scores, panel.eligible, task.k), panel.relevant)
    if task.protocol in ("next-item", "ncf"):
        return {f"HR@{task.k}": values.recall, f"NDCG@{task.k}": values.ndcg}
    if task.protocol == "holdout":
        return {f"Recall@{task.k}": values.recall, f"NDCG@{task.k}": values.ndcg}
    return {f"P@{task.k}": values.precision, f"R@{task.k}": values.recall, f"NDCG@{task.k}": values.ndcg}


def _engine(trained: Trained, material: TrainingData) -> Scorer:
    return _built({trained.kind: trained}, material)[trained.kind]


def _built(
    models: Mapping[str, Trained], material: TrainingData, blends: Mapping[str, Mapping[str, Any]] | None = None
) -> Mapping[str, Scorer]:
    """Return the serving engine of each model under the name of its kind, popularity first, then the ensembles of them."""
    engines: dict[str, Any] = {kind: {"kind": kind} for kind in (BASELINE, *models) if kind != "ensemble"}
    engines |= {_slug(name): {"kind": "ensemble", "options": options} for name, options in (blends or {}).items()}
    surface = {"catalogue": "log", "router": {"kind": "fixed", "options": {"engine": BASELINE}}, "fallback": [BASELINE]}
    use_case = UseCase.model_validate(
        {"name": "log", "catalogues": ["log"], "events": {"like": 1.0}, "engines": engines, "surfaces": {"all": surface}}
    )
    artifacts: dict[str, Artifact] = {kind: entry.artifact("log") for kind, entry in models.items()}
    return build_engines(use_case, material.catalogue, artifacts)


def _serving(
    models: Mapping[str, Trained], recipe: Mapping[str, Trained], material: TrainingData, learned: Learned
) -> dict[str, Scorer]:
    """Return the engine of each row as a site would serve it. A blend is an ensemble of the chosen models."""
    blends: dict[str, dict[str, Any]] = {BLEND: {"members": dict(learned.weights), "weights": "learned", "min_members": 1}}
    engines = _built({**models, "ensemble": Trained("ensemble", weight_arrays(learned), {})}, material, blends)
    rows_by_name = {name: engines[name] for name in (BASELINE, *models)} | {BLEND: engines[_slug(BLEND)]}
    if recipe:
        rows_by_name[RECIPE] = _built(recipe, material, {RECIPE: {"members": STATED}})[_slug(RECIPE)]
    return rows_by_name


def _slug(name: str) -> str:
    return name.replace(" ", "_")


def _megabytes(trained: Trained) -> float:
    return float(sum(array.nbytes for array in trained.arrays.values()) / 2**20)


def _changed(searched: SearchResult) -> dict[str, Any]:
    before, after = asdict(searched.stated.parameters), asdict(searched.best.parameters)
    return {name: after[name] for name in after if after[name] != before[name]}
