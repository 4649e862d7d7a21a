"""One catalogue's pair models, from an export's matches to published: train, measure, judge, publish.

They need no interactions, so a marketplace with bids and reviews only can have them, too.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from importlib.metadata import version
from typing import Any

from recommendation_service.datasets.pair_outcomes import Matches
from recommendation_service.datasets.reader import Dataset
from recommendation_service.errors import ArtifactRefused, PublishRefused
from recommendation_service.kinds import KINDS, resolve
from recommendation_service.publishing.store import Artifact, ArtifactStore
from recommendation_service.training import publish_gate
from recommendation_service.training.data import NotEnough, Trained
from recommendation_service.training.pairs.pair_metrics import compared
from recommendation_service.training.parameters import HIRED, BidParameters, NeuralParameters, bid_parameters, neural_parameters
from recommendation_service.training.report import PUBLISHED_SERVES, Progress, Report
from recommendation_service.training.session import TrainingOptions, TrainingResult, load_published
from recommendation_service.use_cases.schema import PairConfig, UseCase

EXPORT = "run: manage.py generate_all_datasets"


@dataclass(frozen=True, slots=True)
class PairTrainer:
    """One kind. `train` raises NotEnough for too little data, PublishRefused if training diverged."""

    stated: Callable[..., Any]  # (use_case, *, seed): the parameters; raises ConfigurationError
    train: Callable[[Matches, PairConfig, Any, Progress | None], Trained]
    lost: Callable[[Trained, Artifact | None, Matches, PairConfig, Any], publish_gate.Lost]
    summarise: Callable[[Mapping[str, Any]], str]  # the figures as one line of text


def _neural_lost(
    trained: Trained, today: Artifact | None, matches: Matches, pair_config: PairConfig, parameters: NeuralParameters
) -> publish_gate.Lost:
    figures = trained.metrics
    held_out = compared(today, trained.arrays, figures["border"], matches, pair_config, parameters) if today else None
    usual = "a random choice" if parameters.target == HIRED else "predicting the mean"
    return publish_gate.Lost(figures["loss"], figures["baseline_loss"], usual, *(held_out or (None, None)))


def _bid_lost(
    trained: Trained, _today: Artifact | None, _matches: Matches, _pair_config: PairConfig, _parameters: BidParameters
) -> publish_gate.Lost:
    figures = trained.metrics["held_out"]
    return publish_gate.Lost(figures["pinball"], figures["market_pinball"], "the market's own quantiles")


def _neural_summary(figures: Mapping[str, Any]) -> str:
    errors = (
        f"MSE {figures['mse']:.4f} (mean {figures['baseline']['mse']:.4f}), MAE {figures['mae']:.4f}, R² {figures['r2']:.3f}"
    )
    ranks = f", top 1 {figures['top_1']:.1%}, top 3 {figures['top_3']:.1%}" if figures["target"] == HIRED else ""
    return f"{figures['target']}: {errors}{ranks}, alpha {figures['alpha']:.3f}"


def _bid_summary(figures: Mapping[str, Any]) -> str:
    held_out = figures["held_out"]
    within = f"{held_out['coverage']:.1%} of newer winning bids within, wanted {held_out['share']:.0%}"
    return f"{within}; {held_out['width']:.0%} wide"


def _trainer(kind: str) -> Callable[[Matches, PairConfig, Any, Progress | None], Trained]:
    """The trainer of a kind, imported when it is used, because torch takes seconds to import."""
    return lambda *args: resolve(KINDS[kind].pair_trainer)(*args)


PAIR_RECIPES: Mapping[str, PairTrainer] = {
    "neural": PairTrainer(neural_parameters, _trainer("neural"), _neural_lost, _neural_summary),
    "bid": PairTrainer(bid_parameters, _trainer("bid"), _bid_lost, _bid_summary),
}
PAIR_KINDS = tuple(PAIR_RECIPES)


def pair_kinds(use_case: UseCase, catalogue: str) -> tuple[str, ...]:
    """The kinds of pair models of this use case that are published with this catalogue."""
    if use_case.pairs is None or use_case.pairs.right != catalogue:
        return ()
    kinds = {part.kind for part in (*use_case.engines.values(), *use_case.estimators.values())}
    return tuple(kind for kind in PAIR_KINDS if kind in kinds)


@dataclass(frozen=True, eq=False)
class PairTraining:
    """One training run of a catalogue's pair models. The caller holds the training lock."""

    use_case: UseCase
    pair_config: PairConfig
    dataset: Dataset
    store: ArtifactStore
    options: TrainingOptions
    report: Report

    def train(self, kinds: Iterable[str]) -> list[TrainingResult]:
        """Train each kind. Missing or too few matches are an outcome, not an error."""
        matches = self.dataset.matches()
        return [self._train_kind(kind, matches) for kind in kinds]

    def _train_kind(self, kind: str, matches: Matches | None) -> TrainingResult:
        started = time.monotonic()
        if matches is None or not len(matches):
            return self._skipped(kind, 0, started, f"this export has no matches; {EXPORT}")
        chosen = PAIR_RECIPES[kind].stated(self.use_case, seed=self.options.seed)
        today = load_published(self.store, self.pair_config.right, self.report, kind)
        try:
            result, only_lost = self._train_with(kind, matches, chosen, today, started)
            again = None if today is None else _with_settings_of(chosen, today.manifest.parameters)
            if not only_lost or again == chosen:
                return result
            # the challenger lost: what serves is trained again on all matches, so that it does not age
            self.report.line(f"{self.pair_config.right:<10} {kind:<10} the settings of the published model are trained again")
            return self._train_with(kind, matches, again, today, started)[0]
        except NotEnough as error:
            return self._skipped(kind, len(matches), started, error.message)
        except PublishRefused as error:
            return self._refused(kind, len(matches), started, "", (error.message,))

    def _train_with(
        self, kind: str, matches: Matches, parameters: Any, today: Artifact | None, started: float
    ) -> tuple[TrainingResult, bool]:
        """Train and publish with these parameters; also return True if nothing was wrong but that today's model is better."""
        recipe = PAIR_RECIPES[kind]
        with self.report.progress(f"{self.pair_config.right}/{kind}") as progress:
            trained = recipe.train(matches, self.pair_config, parameters, progress)
        lost = recipe.lost(trained, today, matches, self.pair_config, parameters)
        verdict = publish_gate.judge_pairs(
            trained.arrays, lost, matches=len(matches), current_dataset=today.manifest.dataset if today else None
        )
        summary = recipe.summarise(trained.metrics)
        for warning in trained.warnings:
            self.report.warn(f"{self.pair_config.right}/{kind}: {warning}")
        refused = not verdict.accepted and not self.options.force
        if refused and today is None and lost.hopeless:  # as with too little data: the rules are used
            return self._skipped(kind, len(matches), started, f"{summary}; {verdict.refusals[0]}"), False
        try:
            stored = self._publish(trained, matches, lost, verdict, refused=refused)
        except ArtifactRefused:
            if not refused:
                raise
            return self._refused(kind, len(matches), started, summary, verdict.refusals), False
        if refused:
            self.report.candidate(self.pair_config.right, kind, stored)
            if verdict.only_lost:
                return self._skipped(kind, len(matches), started, f"{summary}; {verdict.refusals[0]}"), True
            return self._refused(kind, len(matches), started, summary, verdict.refusals), False
        label = f" ({trained.parameters['label']})" if trained.parameters.get("label") else ""
        rows, seconds = len(matches), time.monotonic() - started
        self.report.published(self.pair_config.right, kind, rows, seconds, summary, f"{stored}{label}")
        return TrainingResult(kind, stored, None, None), False

    def _publish(
        self, trained: Trained, matches: Matches, lost: publish_gate.Lost, verdict: publish_gate.Verdict, *, refused: bool
    ) -> str:
        """Publish the model, or keep it as a candidate if it was refused; return its version."""
        forced = () if refused else tuple(f"forced: {reason}" for reason in verdict.refusals)
        for reason in forced:
            self.report.warn(f"{self.pair_config.right}/{trained.kind}: {reason}")
        compared = {} if lost.today is None else {"compared": {"loss": lost.anew, "today": lost.today}}
        provenance = {"export": self.dataset.version, "fingerprint": self.dataset.fingerprint}
        return self.store.publish(
            trained.kind,
            trained.arrays,
            catalogue=self.pair_config.right,
            parameters=trained.parameters,
            dataset={**provenance, **matches.counts(), "newest": float(matches.times.max())},
            metrics={**trained.metrics, **compared},
            warnings=trained.warnings + forced,
            libraries={name: version(name) for name in KINDS[trained.kind].libraries},
            refused=verdict.refusals if refused else (),
        ).version

    def _skipped(self, kind: str, rows: int, started: float, reason: str) -> TrainingResult:
        serves = PUBLISHED_SERVES if self.store.folder(kind).pointer() else ""
        self.report.skipped(self.pair_config.right, kind, rows, time.monotonic() - started, reason, serves=serves)
        return TrainingResult(kind, None, None, None, skipped=reason)

    def _refused(self, kind: str, rows: int, started: float, summary: str, reasons: tuple[str, ...]) -> TrainingResult:
        self.report.refused(self.pair_config.right, kind, rows, time.monotonic() - started, summary, reasons)
        return TrainingResult(kind, None, None, None, refused=reasons)


def _with_settings_of(chosen: Any, told: Mapping[str, Any]) -> Any:
    """Return the parameters with the settings that a manifest tells; the name of the version stays that of the command."""
    names = {field.name for field in fields(chosen)} & set(told) - {"label", "features"}
    return replace(chosen, **{name: tuple(told[name]) if isinstance(told[name], list) else told[name] for name in names})
