"""Trains the models of one catalogue: check, split, train, measure, train again on all data, compare, publish."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from recommendation_service.core.numeric import Floats
from recommendation_service.datasets.checks import TEXT_KINDS, learners, shortage
from recommendation_service.datasets.reader import Dataset, Events
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
    figures,
    search_summary,
    stages_of,
)
from recommendation_service.use_cases.schema import UseCase

TRAINING_SHARES = (0.9, 0.1, 0.0)
PANEL_AT_MOST = 1_000
REMEMBERED = "tuning.json"  # in the folder of the catalogue's models: what was tried on which export
EngineBuilder = Callable[[UseCase, Catalogue, Mapping[str, Artifact]], Mapping[str, Scorer]]


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """The options of a training command."""

    tune: bool = False
    budget_s: float = DEFAULT_BUDGET_S
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
        """Divide the events by time. Raises DatasetError if there are no events to divide."""
        weighting = self.use_case.weighting
        split = time_split(self.events, TRAINING_SHARES)
        newest = float(self.events.times.max())
        self.whole: TrainingData = read_training_data(self.dataset, self.events, weighting, newest)
        self.early = self.whole.as_of(split.train, weighting, split.valid_start)
        self.panel: EvaluationUsers = build_evaluation_users(self.early, split.valid, most=PANEL_AT_MOST, with_history=True)
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
        searched, candidate, scores = self._candidate(kind, chosen)
        with self.report.progress(f"{self.name}/{kind}") as progress:
            refit = fit(self.whole, kind, candidate.parameters, progress=progress).trained
        measured = publish_gate.Measured(
            candidate=self.ndcg(scores),
            refit=self.ndcg(self._measured_scores(refit)),
            current=self._current(kind, candidate, scores, today),
            popularity=self.popularity,
            few=self._few,
        )
        verdict = publish_gate.judge(
            refit.arrays,
            measured,
            interactions=self.rows,
            current_dataset=today.manifest.dataset if today else None,
        )
        version = self._publish(refit, measured, verdict, searched, scores)
        return TrainingResult(kind, version, candidate.trained, scores, () if version else verdict.refusals)

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
        }

    def scores_of(self, artifacts: Mapping[str, Artifact], engine: str) -> Floats | None:
        """Return the (p, n_items) scores of an engine for the validation users; None without users or without this engine."""
        built = self.build(self.use_case, self.early.catalogue, artifacts)
        if engine not in built or not len(self.panel):
            return None
        return score_people(built[engine], self.panel)

    def ndcg(self, scores: Floats | None) -> float | None:
        """Return the NDCG@10 of these score rows on the validation part."""
        return None if scores is None else metrics.ndcg(scores, self.panel.eligible, self.panel.relevant)

    def _measured_scores(self, trained: Trained) -> Floats | None:
        engine = self._engine_name(trained.kind)
        return None if engine is None else self.scores_of({trained.kind: trained.artifact(self.name)}, engine)

    def _engine_name(self, kind: str) -> str | None:
        engine = self.use_case.engine_of_kind(kind)
        return engine[0] if engine else None

    def _current(self, kind: str, candidate: Fitted, scores: Floats | None, today: Artifact | None) -> float | None:
        """Return the NDCG of the published settings, trained again without the validation part.

        The published arrays were usually trained with the events of the validation users, so measuring them would be
        unfair.
        """
        if today is None or scores is None:
            return None
        recipe = parameters_from(kind, today.manifest.parameters)
        if recipe == candidate.parameters:
            return self.ndcg(scores)
        try:
            return self.ndcg(self._measured_scores(fit(self.early, kind, recipe).trained))
        except ModelUnusable as error:
            self.report.warn(f"{self.name}/{kind}: today's recipe cannot be repeated, so nothing is compared ({error.message})")
            return None

    def _candidate(self, kind: str, chosen: Parameters) -> tuple[SearchResult | None, Fitted, Floats | None]:
        """Return the model trained without the validation part, with the best settings if a search was requested."""
        if not self._searchable(kind, chosen):
            with self.report.progress(f"{self.name}/{kind}") as progress:
                panel = self.panel if len(self.panel) else None
                candidate = fit(self.early, kind, chosen, panel=panel, progress=progress)
            return None, candidate, self._measured_scores(candidate.trained)
        started = time.monotonic()
        memory = TrialCache(self.store.root / REMEMBERED, of=f"{self.dataset.fingerprint} {self.use_case.weighting}")
        trials = HyperparameterSearch(self.early, self.panel, kind, self._measured_scores)
        with self.report.progress(f"{self.name}/tune {kind}", step="try") as progress:
            searched, candidate, scores = trials.search(chosen, budget_s=self._share(), memory=memory, progress=progress)
        self.report.stage(self.name, f"tune {kind}", self.rows, time.monotonic() - started, search_summary(searched))
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
        """Return the seconds for the search of one kind: an equal part of the budget of the catalogue."""
        return self.options.budget_s / max(1, sum(kind in SEARCHES for kind in self.kinds))

    def _figures_text(self, scores: Floats) -> str:
        popular = "" if self.popularity is None else f" (popularity {self.popularity:.4f})"
        return f"NDCG@10 {self.ndcg(scores):.4f}{popular}"

    def _publish(
        self,
        refit: Trained,
        measured: publish_gate.Measured,
        verdict: publish_gate.Verdict,
        searched: SearchResult | None,
        scores: Floats | None,
    ) -> str | None:
        for warning in verdict.warnings:
            self.report.warn(f"{self.name}/{refit.kind}: {warning}")
        if not verdict.accepted and not self.options.force:
            return None
        forced = tuple(f"forced: {reason}" for reason in verdict.refusals)
        for reason in forced:
            self.report.warn(f"{self.name}/{refit.kind}: {reason}")
        published = self.store.publish(
            refit.kind,
            refit.arrays,
            catalogue=self.name,
            parameters=refit.parameters,
            dataset=self.provenance(),
            metrics=self._figures(measured, searched, scores),
            warnings=verdict.warnings + forced,
            libraries=libraries(refit.kind),
        )
        return published.version

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


def load_published(store: ArtifactStore, catalogue: str, report: Report, kind: str) -> Artifact | None:
    """Load the published model. Return None if there is none, or, with a warning, if it is unreadable."""
    try:
        return store.load(kind)
    except ArtifactRefused as error:
        report.warn(f"{catalogue}/{kind}: today's model cannot be read ({error.message})")
        return None
