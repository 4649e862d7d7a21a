"""Every model on one task: settings and weights chosen on validation, fitted again on all that precedes, measured once."""

import resource
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from recommendation_service.benchmarks.quality.tasks import Task
from recommendation_service.numeric import AnyArray, Floats
from recommendation_service.training import metrics
from recommendation_service.training.blend import Learned, learn_weights
from recommendation_service.training.blend_search import blended, scaled
from recommendation_service.training.blend_segments import served
from recommendation_service.training.evaluation import Panel, Scorer, score_people
from recommendation_service.training.material import Material, NotEnough, Trained
from recommendation_service.training.recipes import RECIPES, Fitted, fit
from recommendation_service.training.report import Report
from recommendation_service.training.search import Memory, Searched
from recommendation_service.training.trials import Trials
from recommendation_service.use_cases.schema import UseCase
from recommendation_service.wiring import build_engines

BASELINE = "popularity"
MODELS = ("als", "ease", "next_item", "two_tower", "similar_users", "co_occurrence")
STATED = {"als": 0.6, "two_tower": 0.4}  # the recipe of the acceptance lists
PEOPLE = 1_000  # validation people at most: settings differ by more than so many can hide
BLEND, RECIPE = "learned blend", "stated blend"


@dataclass(frozen=True, slots=True)
class Row:
    """One model's figures, and what it cost."""

    model: str
    measures: Mapping[str, tuple[float, float, float]]  # name -> mean, and the 95 % interval of the mean
    people: int
    fit_s: float = 0.0
    search_s: float = 0.0
    megabytes: float = 0.0  # of the model's arrays
    settings: Mapping[str, Any] = field(default_factory=dict)  # those that differ from the stated ones
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One model, ready to be measured."""

    name: str
    scorer: Scorer
    valid: Floats  # (p, n_items) of the validation people, by the model that has not seen them choose
    row: Row


@dataclass(frozen=True, slots=True)
class Choices:
    """What the command line chose."""

    models: Sequence[str] = MODELS
    budget_s: float = 30.0  # a model's search; 0: stated settings


class Contest:
    """A task and the models that take part. Nothing is chosen after the test part was looked at."""

    def __init__(self, task: Task, choices: Choices, report: Report, memory: Memory | None = None) -> None:
        self.task, self._choices, self._report, self._memory = task, choices, report, memory or Memory()
        self._panel = task.valid.some(PEOPLE)

    def run(self) -> list[Row]:
        """The table: popularity first, then every model, then the blends."""
        entries = [self._popular(), *self._models()]
        learned = self._learned(entries)
        return self._measured(entries, learned)

    def choose(self, kind: str) -> tuple[Fitted, Searched, Floats]:
        """The settings that validation prefers, that model, and its validation scores. Raises NotEnough."""
        material = self.task.valid.material
        trials = Trials(
            material, self._panel, kind, lambda one: score_people(_engine(one, material), self._panel), k=self.task.k
        )
        with self._report.progress(kind) as progress:
            found, fitted, scores = trials.search(
                RECIPES[kind].stated, budget_s=self._choices.budget_s, memory=self._memory, progress=progress
            )
        if scores is None:
            raise NotEnough(f"{kind} is served by no engine")
        return fitted, found, scores

    def _popular(self) -> Entry:
        early, late = (_built({}, one.material)[BASELINE] for one in (self.task.valid, self.task.test))
        return Entry(BASELINE, late, score_people(early, self._panel), Row(BASELINE, {}, 0))

    def _models(self) -> Iterator[Entry]:
        for kind in self._choices.models:
            started = time.perf_counter()
            try:
                fitted, searched, scores = self.choose(kind)
                search_s, started = time.perf_counter() - started, time.perf_counter()
                late = fit(self.task.test.material, kind, fitted.parameters).trained
            except NotEnough as error:
                self._report.line(f"{kind}: left out: {error.message}")
                continue
            fit_s = time.perf_counter() - started
            row = Row(
                kind, {}, 0, fit_s, search_s, _megabytes(late), _changed(searched), "" if searched.whole else "search cut short"
            )
            yield Entry(kind, _engine(late, self.task.test.material), scores, row)

    def _learned(self, entries: Sequence[Entry]) -> Learned:
        scores = {entry.name: entry.valid for entry in entries}
        stated = {name: STATED.get(name, 0.0) for name in scores}
        if not any(stated.values()):
            stated = dict.fromkeys(scores, 1.0)
        return learn_weights(scores, stated, self._panel)

    def _measured(self, entries: Sequence[Entry], learned: Learned) -> list[Row]:
        settings = {BLEND: {name: weight for name, weight in learned.weights.items() if weight > 0}}
        settings[BLEND] |= {
            f"from {one.first}: {name}": weight for one in learned.own for name, weight in one.weights.items() if weight > 0
        }
        if set(STATED) <= {entry.name for entry in entries}:
            settings = {RECIPE: STATED, **settings}
        found: dict[str, list[dict[str, AnyArray]]] = {name: [] for name in (*(one.name for one in entries), *settings)}
        with self._report.progress("measuring") as progress:
            for number, panel in enumerate(self.task.test.panels()):
                progress(number, len(self.task.test) // 500 + 1, "")
                parts = {entry.name: score_people(entry.scorer, panel) for entry in entries}
                even = {name: scaled(own, panel.eligible) for name, own in parts.items()}
                if RECIPE in settings:
                    parts[RECIPE] = blended(even, STATED)
                parts[BLEND] = served(even, learned.segments, panel.material.pasts.counts[panel.users])
                for name, scores in parts.items():
                    found[name].append(measures_of(scores, panel, self.task))
        rows = {entry.name: entry.row for entry in entries}
        rows |= {name: Row(name, {}, 0, settings=weights) for name, weights in settings.items()}
        return [_summed(rows[name], told) for name, told in found.items()]


def measures_of(scores: Floats, panel: Panel, task: Task) -> dict[str, AnyArray]:
    """(p,) of each of the protocol's measures."""
    own = metrics.measure(metrics.top_k(scores, panel.eligible, task.k), panel.relevant)
    if task.protocol in ("next-item", "ncf"):
        return {f"HR@{task.k}": own.recall, f"NDCG@{task.k}": own.ndcg}
    if task.protocol == "holdout":
        return {f"Recall@{task.k}": own.recall, f"NDCG@{task.k}": own.ndcg}
    return {f"P@{task.k}": own.precision, f"R@{task.k}": own.recall, f"NDCG@{task.k}": own.ndcg}


def peak_megabytes() -> float:
    """The most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _summed(row: Row, told: Sequence[Mapping[str, AnyArray]]) -> Row:
    whole = {name: np.concatenate([one[name] for one in told]) for name in told[0]}
    measures = {name: (float(own.mean()), *metrics.bootstrap(own)) for name, own in whole.items()}
    people = next(iter(whole.values())).size
    return Row(row.model, measures, people, row.fit_s, row.search_s, row.megabytes, row.settings, row.note)


def _engine(trained: Trained, material: Material) -> Scorer:
    return _built({trained.kind: trained}, material)[trained.kind]


def _built(models: Mapping[str, Trained], material: Material) -> Mapping[str, Scorer]:
    """The serving engines of these models, each under its kind's name."""
    engines = {kind: {"kind": kind} for kind in (*models, BASELINE)}
    surface = {"catalogue": "log", "router": {"kind": "fixed", "options": {"engine": BASELINE}}, "fallback": [BASELINE]}
    use_case = UseCase.model_validate(
        {"name": "log", "catalogues": ["log"], "events": {"like": 1.0}, "engines": engines, "surfaces": {"all": surface}}
    )
    return build_engines(use_case, material.catalogue, {kind: one.artifact("log") for kind, one in models.items()})


def _megabytes(trained: Trained) -> float:
    return float(sum(array.nbytes for array in trained.arrays.values()) / 2**20)


def _changed(searched: Searched) -> dict[str, Any]:
    before, after = asdict(searched.stated.parameters), asdict(searched.best.parameters)
    return {name: after[name] for name in after if after[name] != before[name]}
