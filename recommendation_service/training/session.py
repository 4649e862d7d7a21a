"""Trains the models of one catalogue: check, split, train, measure, train again on all data, compare, publish."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from recommendation_service.core.numeric import Floats
from recommendation_service.datasets.checks import TEXT_KINDS, learners, shortage
from recommendation_service.datasets.reader import Dataset, Events
from recommendation_service.datasets.weighting import newest_time
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.errors import ArtifactRefused
from recommendation_service.publishing.store import Artifact, ArtifactStore
from recommendation_service.training import publish_gate
from recommendation_service.training.data import ModelUnusable, NotEnough, Trained, TrainingData, read_training_data
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import EvaluationUsers, Scorer, build_evaluation_users, score_people
from recommendation_service.training.evaluation.splits import time_split
from recommendation_service.training.report import PUBLISHED_SERVES, Report
from recommendation_service.training.trainers import Fitted, Parameters, fit, libraries, parameters_from, stated_for
from recommendation_service.training.tuning import (
    DEFAULT_BUDGET_S,
    SEARCHES,
    HyperparameterSearch,
    SearchResult,
    TrialCache,
    cut_short,
    figures,
    search_summary,
    settings_of_today,
    stages_of,
    trials_for,
)
from recommendation_service.use_cases.schema import UseCase

TRAINING_SHARES = (0.9, 0.1, 0.0)
PANEL_AT_MOST = 1_000  # validation users of a search, which scores all of them for every trial
WIDE_PANEL = 6_000  # of what is decided once: the length of a training, the gate, and the ensemble's weights
WIDE_PANEL_SCORES = 24_000_000  # per model, to bound the memory
MEASURED = "wide stopping"  # how trials are measured; figures of another way are not used
REMEMBERED = "tuning.json"  # in the folder of the catalogue's models: what was tried on which export
EngineBuilder = Callable[[UseCase, Catalogue, Mapping[str, Artifact]], Mapping[str, Scorer]]


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """The options of a training command."""

    tune: bool = False
    trials: int | None = None  # most settings to try per kind; None: by the size of the log
    budget_s: float = DEFAULT_BUDGET_S  # a ceiling for all searches of a catalogue; reaching it is a warning
    force: bool = False
    seed: int = 42


@dataclass(frozen=True, slots=True, eq=False)
class TrainingResult:
    """The result of one kind: the published `version`, or the reasons why nothing was published."""

    kind: str
    version: str | None
    candidate: Trained | None  # trained without the validation part
    scores: Floats | None  # of the validation people, by the serving engine
    refused: tuple[str, ...] = ()
    skipped: str = ""


@dataclass(eq=False)
class CatalogueTraining:
    """The export of one catalogue, divided for training, with the users that its models are measured on."""

    use_case: UseCase
    name: str  # the catalogue
    dataset: Dataset
    events: Events
    store: ArtifactStore
    build: EngineBuilder
    options: TrainingOptions
    report: Report
    kinds: tuple[str, ...] = ()  # what this run trains: they share the budget of the searches

    def __post_init__(self) -> None:
        """Divide the events, by time where times allow. Raises DatasetError if there are no events to divide."""
        weighting = self.use_case.weighting
        split = time_split(self.events, TRAINING_SHARES)
        self.split_method = split.method
        if split.reason:
            self.report.line(f"{self.name}: events are split {split.method}")
        newest = newest_time(self.events.times)
        self.whole: TrainingData = read_training_data(self.dataset, self.events, weighting, newest)
        self.early = self.whole.as_of(split.train, weighting, split.valid_start)
        self.panel: EvaluationUsers = build_evaluation_users(
            self.early, split.valid, most=panel_size(len(self.early.catalogue)), with_history=True
        )
        self.whole = self.whole.as_of(self.events, weighting, newest)
        self.short = shortage(learners(self.dataset))
        if self.short and not TEXT_KINDS.issuperset(self.kinds):
            self.report.lacking[self.name] = self.short
        popularity = self._engine_name("popularity")
        self.popularity = None if popularity is None else self.ndcg(self.scores_of({}, popularity))

    def train(self, kind: str) -> TrainingResult:
        """Train, measure and publish one kind. Too little data to train with is a result (`skipped`), not an error."""
        started = time.monotonic()
        try:
            outcome = self._train(kind)
        except NotEnough as error:
            serves = PUBLISHED_SERVES if self.store.folder(kind).pointer() else ""
            self.report.skipped(self.name, kind, self.rows, time.monotonic() - started, error.message, serves=serves)
            return TrainingResult(kind, None, None, None, skipped=error.message)
        except ModelUnusable as error:
            self.report.refused(self.name, kind, self.rows, time.monotonic() - started, "", (error.message,))
            return TrainingResult(kind, None, None, None, refused=(error.message,))
        summary = "no validation users" if outcome.scores is None else self._figures_text(outcome.scores)
        seconds = time.monotonic() - started
        if outcome.version:
            self.report.published(self.name, kind, self.rows, seconds, summary, outcome.version)
        else:
            self.report.refused(self.name, kind, self.rows, seconds, summary, outcome.refused)
        return outcome

    def _train(self, kind: str) -> TrainingResult:
        if self.short and kind not in TEXT_KINDS and not self.options.force:
            raise NotEnough(f"not enough data: {self.short}")
        today = self.today(kind)
        chosen = stated_for(self.use_case, kind, seed=self.options.seed)
        searched, candidate, scores = self._candidate(kind, chosen, today)
        current = self._current(kind, candidate, scores, today)
        made = _Made(candidate, scores, searched)
        to_beat = None if current is None else self.ndcg(current.scores)
        result, verdict = self._refit_and_publish(kind, made, to_beat, today)
        if result.version or not verdict.only_lost or current is None:
            return result
        # the challenger lost: what serves is trained again on all data, so that it does not age
        self.report.warn(f"{self.name}/{kind}: {verdict.refusals[0]}; the settings of the published model are trained again")
        again, _ = self._refit_and_publish(kind, current, to_beat, today)
        return again

    def _refit_and_publish(
        self, kind: str, made: "_Made", current: float | None, today: Artifact | None
    ) -> tuple[TrainingResult, publish_gate.Verdict]:
        """Train again on all data, with the length of training that was chosen without the validation part, and judge."""
        with self.report.progress(f"{self.name}/{kind}") as progress:
            refit = fit(self.whole, kind, made.fitted.parameters, progress=progress).trained
        measured = publish_gate.Measured(
            candidate=self.ndcg(made.scores),
            refit=self.ndcg(self._measured_scores(refit)),
            current=current,
            popularity=self.popularity,
            few=self._few,
        )
        verdict = publish_gate.judge(
            refit.arrays,
            measured,
            interactions=self.rows,
            current_dataset=today.manifest.dataset if today else None,
        )
        version = self._publish(refit, measured, verdict, made)
        refused = () if version else verdict.refusals
        return TrainingResult(kind, version, made.fitted.trained, made.scores, refused), verdict

    def today(self, kind: str) -> Artifact | None:
        """Return the published model, or None if there is none that can be read."""
        return load_published(self.store, self.name, self.report, kind)

    @property
    def _few(self) -> bool:
        """Return True if there are too few validation users for a reliable comparison."""
        return len(self.panel) < publish_gate.LEAST_PEOPLE

    @property
    def rows(self) -> int:
        """Return the number of interactions in the export."""
        return int(self.events.times.size)

    def provenance(self) -> dict[str, Any]:
        """Return what a manifest records about the export that a model was trained on."""
        return {
            "export": self.dataset.version,
            "fingerprint": self.dataset.fingerprint,
            "users": len(self.whole.user_ids),
            "items": len(self.whole.catalogue),
            "interactions": self.rows,
            "newest_event": self.whole.now,
            "split": self.split_method,
        }

    def scores_of(self, artifacts: Mapping[str, Artifact], engine: str, panel: EvaluationUsers | None = None) -> Floats | None:
        """Return the (p, n_items) scores of an engine for the validation users; None without users or without this engine.

        `panel` are these users or a part of them.
        """
        users = self.panel if panel is None else panel
        built = self.build(self.use_case, self.early.catalogue, artifacts)
        if engine not in built or not len(users):
            return None
        return score_people(built[engine], users)

    def ndcg(self, scores: Floats | None) -> float | None:
        """Return the NDCG@10 of these score rows on the validation part."""
        return None if scores is None else metrics.ndcg(scores, self.panel.eligible, self.panel.relevant)

    def _measured_scores(self, trained: Trained, panel: EvaluationUsers | None = None) -> Floats | None:
        engine = self._engine_name(trained.kind)
        return None if engine is None else self.scores_of({trained.kind: trained.artifact(self.name)}, engine, panel)

    def _engine_name(self, kind: str) -> str | None:
        engine = self.use_case.engine_of_kind(kind)
        return engine[0] if engine else None

    def _current(self, kind: str, candidate: Fitted, scores: Floats | None, today: Artifact | None) -> "_Made | None":
        """Return the model of the published settings, trained again without the validation part.

        The published arrays were usually trained with the events of the validation users, so measuring them would be
        unfair.
        """
        if today is None or scores is None:
            return None
        recipe = parameters_from(kind, today.manifest.parameters)
        if recipe == candidate.parameters:
            return _Made(candidate, scores)
        try:
            with self.report.progress(f"{self.name}/today {kind}") as progress:
                fitted = fit(self.early, kind, recipe, progress=progress)
            return _Made(fitted, self._measured_scores(fitted.trained))
        except ModelUnusable as error:
            self.report.warn(f"{self.name}/{kind}: today's recipe cannot be repeated, so nothing is compared ({error.message})")
            return None

    def _candidate(
        self, kind: str, chosen: Parameters, today: Artifact | None
    ) -> tuple[SearchResult | None, Fitted, Floats | None]:
        """Return the model trained without the validation part, with the best settings if a search was requested."""
        if not self._searchable(kind, chosen):
            with self.report.progress(f"{self.name}/{kind}") as progress:
                panel = self.panel if len(self.panel) else None
                candidate = fit(self.early, kind, chosen, panel=panel, progress=progress)
            return None, candidate, self._measured_scores(candidate.trained)
        started = time.monotonic()
        memory = TrialCache(self.store.root / REMEMBERED, of=f"{self.dataset.fingerprint} {self.use_case.weighting} {MEASURED}")
        few = self.panel.some(PANEL_AT_MOST)
        trials = HyperparameterSearch(
            self.early, few, kind, lambda trained: self._measured_scores(trained, few), stopping=self.panel
        )
        serving = None if today is None else settings_of_today(kind, chosen, parameters_from(kind, today.manifest.parameters))
        with self.report.progress(f"{self.name}/tune {kind}", step="try") as progress:
            searched, candidate, scores = trials.search(
                chosen,
                trials=self.options.trials or trials_for(kind, self.rows, len(self.whole.catalogue)),
                today=serving,
                budget_s=self._share(),
                memory=memory,
                progress=progress,
            )
        self.report.stage(self.name, f"tune {kind}", self.rows, time.monotonic() - started, search_summary(searched))
        if len(few) < len(self.panel):
            scores = self._measured_scores(candidate.trained)
        return searched, candidate, scores

    def _searchable(self, kind: str, chosen: Parameters) -> bool:
        """Return True if a search was requested, the kind has settings to search, and there are enough users to compare."""
        if not self.options.tune or not stages_of(kind, chosen):
            return False
        if self._few:
            summary = f"skipped: {len(self.panel)} of {publish_gate.LEAST_PEOPLE} validation people; the stated settings train"
            self.report.stage(self.name, f"tune {kind}", self.rows, 0.0, summary)
        return not self._few

    def _share(self) -> float:
        """Return the ceiling of seconds for the search of one kind: an equal part of that of the catalogue."""
        return self.options.budget_s / max(1, sum(kind in SEARCHES for kind in self.kinds))

    def _figures_text(self, scores: Floats) -> str:
        popular = "" if self.popularity is None else f" (popularity {self.popularity:.4f})"
        return f"NDCG@10 {self.ndcg(scores):.4f}{popular}"

    def _publish(
        self, refit: Trained, measured: publish_gate.Measured, verdict: publish_gate.Verdict, made: "_Made"
    ) -> str | None:
        """Publish the model, or keep it as a candidate if the gate refuses it; return the published version."""
        warnings = verdict.warnings + cut_short(made.searched)
        for warning in warnings:
            self.report.warn(f"{self.name}/{refit.kind}: {warning}")
        refused = not verdict.accepted and not self.options.force
        forced = () if refused else tuple(f"forced: {reason}" for reason in verdict.refusals)
        for reason in forced:
            self.report.warn(f"{self.name}/{refit.kind}: {reason}")
        try:
            stored = self.store.publish(
                refit.kind,
                refit.arrays,
                catalogue=self.name,
                parameters=refit.parameters,
                dataset=self.provenance(),
                metrics=self._figures(measured, made.searched, made.scores),
                warnings=warnings + forced,
                libraries=libraries(refit.kind),
                refused=verdict.refusals if refused else (),
            )
        except ArtifactRefused:
            if refused:  # arrays that no engine can read are not worth keeping
                return None
            raise
        if refused:
            self.report.candidate(self.name, refit.kind, stored.version)
            return None
        return stored.version

    def _figures(self, measured: publish_gate.Measured, searched: SearchResult | None, scores: Floats | None) -> dict[str, Any]:
        values: dict[str, Any] = {
            "validation_people": len(self.panel),
            "validation_ndcg_at_10": measured.candidate,
            "popularity_ndcg_at_10": measured.popularity,
            "current_recipe_ndcg_at_10": measured.current,
        }
        if scores is not None:
            results = metrics.measure(metrics.top_k(scores, self.panel.eligible, 10), self.panel.relevant)
            for name in ("precision", "recall", "map"):
                values[f"validation_{name}_at_10"] = float(getattr(results, name).mean())
        if searched is not None:
            values["tuning"] = figures(searched)
        return values


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """A model trained without the validation part, and its scores of the validation users."""

    fitted: Fitted
    scores: Floats | None
    searched: SearchResult | None = None


def panel_size(n_items: int) -> int:
    """Return how many validation users decide what is decided once: all of a small site, and as many as fit in memory."""
    return min(WIDE_PANEL, max(PANEL_AT_MOST, WIDE_PANEL_SCORES // max(1, n_items)))


def load_published(store: ArtifactStore, catalogue: str, report: Report, kind: str) -> Artifact | None:
    """Load the published model. Return None if there is none, or, with a warning, if it is unreadable."""
    try:
        return store.load(kind)
    except ArtifactRefused as error:
        report.warn(f"{catalogue}/{kind}: today's model cannot be read ({error.message})")
        return None
