"""Compare all models of a use case: choices on validation, one measurement on the test part."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from recommendation_service.core.numeric import Floats
from recommendation_service.datasets.reader import Dataset
from recommendation_service.errors import DatasetError
from recommendation_service.training.comparison.basket_users import build_baskets
from recommendation_service.training.data import NotEnough, Trained, read_training_data
from recommendation_service.training.ensemble.members import ask_members, costs_of
from recommendation_service.training.ensemble.weights import Learned, learn_weights, weight_arrays
from recommendation_service.training.evaluation.evaluator import (
    EvaluationUsers,
    Figures,
    Scorer,
    build_evaluation_users,
    measure_all,
    score_people,
)
from recommendation_service.training.evaluation.metrics import LEAST_PEOPLE as LEAST_COMPARED
from recommendation_service.training.evaluation.splits import time_split
from recommendation_service.training.publish_gate import LEAST_PEOPLE
from recommendation_service.training.report import Report
from recommendation_service.training.session import PANEL_AT_MOST, EngineBuilder
from recommendation_service.training.trainers import Parameters, fit, parameters_from
from recommendation_service.training.tuning import (
    DEFAULT_BUDGET_S,
    SEARCHES,
    HyperparameterSearch,
    SearchResult,
    search_summary,
    trials_for,
)
from recommendation_service.use_cases.blends import in_order
from recommendation_service.use_cases.schema import UseCase

BASKETS = "baskets"  # the segment of the table of baskets
BASKET_K = 4  # the number of items under "frequently bought together" on a product page
BASELINE = "popularity"  # the kind that all others are compared with, so it comes first


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """The table, and notes that a reader needs to judge it."""

    figures: tuple[Figures, ...]
    notes: tuple[str, ...]
    baskets: tuple[Figures, ...] = ()  # of baskets with one product removed, at BASKET_K; empty: no baskets


class ModelComparer:
    """One export, split 80/10/10, by time where times allow. Models are trained here; nothing is published."""

    def __init__(
        self, use_case: UseCase, dataset: Dataset, build: EngineBuilder, report: Report, *, most: int | None = None
    ) -> None:
        """Raises DatasetError if the newest tenth of the events holds nothing to measure on.

        At most `most` users of the test part are measured; None: all.
        """
        self._use_case, self._build, self._report = use_case, build, report
        self._name = str(dataset.summary["catalogue"])
        events, weighting = dataset.events(), use_case.weighting
        split = time_split(events)
        whole = read_training_data(dataset, events, weighting, split.test_start)
        early = whole.as_of(split.train, weighting, split.valid_start)
        late = whole.as_of(split.before_test(), weighting, split.test_start)
        self.valid = build_evaluation_users(early, split.valid, most=PANEL_AT_MOST, with_history=True)
        self.test = build_evaluation_users(late, split.test, most=most)
        self.split = split
        if not len(self.test):
            raise DatasetError(
                f"{self._name}: no user liked a new item in the newest tenth of the events; there is nothing to measure"
            )

    def run(
        self, parameters: Mapping[str, Parameters], *, k: int = 10, tune: bool = False, budget_s: float = DEFAULT_BUDGET_S
    ) -> ModelComparison:
        """Train, choose on validation, train again on everything before the test part, and measure there.

        Every engine of the file is measured under its name, the main ensemble with configured and with learned weights.
        """
        notes: list[str] = []
        early: dict[str, Trained] = {}
        late: dict[str, Trained] = {}
        for kind, entry in parameters.items():
            try:
                early[kind], late[kind] = self.trained(kind, entry)
            except NotEnough as error:
                notes.append(f"{self._engine_name(kind)} is missing: {error.message}")
        rows = self._configured(late, self.test)
        baskets = self._baskets(late, parameters.get("co_occurrence"))
        notes += self._small_data_notes(tune=tune)
        for kind in [kind for kind in early if tune and kind in SEARCHES and not self._too_few_users]:
            searched, early[kind] = self._searched(kind, parameters[kind], budget_s)
            notes.append(f"{self._engine_name(kind)} tuned on validation: {search_summary(searched)}")
            late[kind] = fit(self.test.material, kind, parameters_from(kind, early[kind].parameters)).trained
            rows = _beside(rows, self._engine_name(kind), self._engines(self.test, late)[self._engine_name(kind)], self.test)
        rows |= self._learned(early, late, notes)
        rows = self._about_people(rows, notes)
        return ModelComparison(tuple(measure_all(rows, self.test, k=k)), tuple(notes), baskets)

    @property
    def _too_few_users(self) -> bool:
        """True if the validation part has too few users to choose by."""
        return len(self.valid) < LEAST_PEOPLE

    def _small_data_notes(self, *, tune: bool) -> list[str]:
        """Notes about choices and comparisons that too few users make impossible."""
        notes = []
        if self._too_few_users:
            chosen = "neither settings nor weights are" if tune else "no weights are"
            notes.append(f"{len(self.valid)} of {LEAST_PEOPLE} validation users with a history: {chosen} chosen by them")
        if len(self.test) < LEAST_COMPARED:
            notes.append(
                f"{len(self.test)} of {LEAST_COMPARED} users to measure on: differences between the methods are random"
            )
        return notes

    def _about_people(self, rows: Mapping[str, Floats], notes: list[str]) -> dict[str, Floats]:
        """Drop engines that only score pairs, such as a job and a cleaner: no user of the panel has a context."""
        pair_engines = [name for name, scores in rows.items() if self._use_case.pairs and np.isnan(scores).all()]
        if pair_engines:
            notes.append(f"{', '.join(pair_engines)}: scores pairs, so it is not in this table; train_all measures pairs")
        return {name: scores for name, scores in rows.items() if name not in pair_engines}

    def _baskets(self, late: Mapping[str, Trained], parameters: Parameters | None) -> tuple[Figures, ...]:
        if parameters is None:
            return ()
        panel = build_baskets(self.test.material, self.split.test, parameters)
        if not len(panel):
            return ()
        results = measure_all(self._configured(late, panel), panel, k=BASKET_K)
        return tuple(replace(entry, segment=BASKETS) for entry in results if entry.segment == "all")

    def trained(self, kind: str, parameters: Parameters) -> tuple[Trained, Trained]:
        """Train without and with the validation part; the second run uses the best number of epochs of the first.

        Raises NotEnough if there is too little data for this kind.
        """
        with self._report.progress(f"{self._name}/{kind}") as progress:
            first = fit(self.valid.material, kind, parameters, panel=self.valid if len(self.valid) else None, progress=progress)
            second = fit(self.test.material, kind, first.parameters, progress=progress)
        return first.trained, second.trained

    def _searched(self, kind: str, stated: Parameters, budget_s: float) -> tuple[SearchResult, Trained]:
        material, name = self.valid.material, self._engine_name(kind)

        def scored(trained: Trained) -> Floats:
            return score_people(self._engines(self.valid, {kind: trained})[name], self.valid)

        with self._report.progress(f"{self._name}/tune {kind}") as progress:
            searched, fitted, _ = HyperparameterSearch(material, self.valid, kind, scored).search(
                stated,
                trials=trials_for(kind, int(material.events.times.size), len(material.catalogue)),
                budget_s=budget_s,
                progress=progress,
            )
        return searched, fitted.trained

    def _engine_name(self, kind: str) -> str:
        engine = self._use_case.engine_of_kind(kind)
        return engine[0] if engine else kind

    def _engines(
        self, panel: EvaluationUsers, models: Mapping[str, Trained], weights: str = "configured"
    ) -> Mapping[str, Scorer]:
        artifacts = {kind: entry.artifact(self._name) for kind, entry in models.items()}
        return self._build(weighted(self._use_case, weights), panel.material.catalogue, artifacts)

    def _configured(self, late: Mapping[str, Trained], panel: EvaluationUsers) -> dict[str, Floats]:
        """Scores of every available engine: the baseline, single engines in file order, ensembles, the main one last."""
        engines, main = self._engines(panel, late), self._use_case.main_ensemble()
        blends = in_order(self._use_case)
        last = [name for name in blends if main is None or name != main[0]] + ([main[0]] if main else [])
        plain = sorted(set(self._use_case.engines) - set(blends), key=list(self._use_case.engines).index)
        plain.sort(key=lambda name: self._use_case.engines[name].kind != BASELINE)
        results = {name: score_people(engines[name], panel) for name in [*plain, *last] if name in engines}
        return {f"{name} (configured)" if main and name == main[0] else name: scores for name, scores in results.items()}

    def _learned(self, early: Mapping[str, Trained], late: Mapping[str, Trained], notes: list[str]) -> dict[str, Floats]:
        main, learned = self._use_case.main_ensemble(), self.learned(early)
        if main is None or learned is None:
            return {}
        notes.append(_blend_note(main[0], learned, len(self.valid)))
        models = {**late, "ensemble": Trained("ensemble", weight_arrays(learned), {})}
        engine = self._engines(self.test, models, "learned")[main[0]]
        return {f"{main[0]} (learned)": score_people(engine, self.test)}

    def learned(self, early: Mapping[str, Trained]) -> Learned | None:
        """The main ensemble's weights, chosen on validation; None without an ensemble, enough users, or two members."""
        main = self._use_case.main_ensemble()
        if main is None or self._too_few_users:
            return None
        members = ask_members(self._use_case, main[0], self._engines(self.valid, early), self.valid)
        if not members.comparable:
            return None
        costs = costs_of(self._use_case, members.scores)
        return learn_weights(members.scores, members.configured, self.valid, members.candidates, costs)


def _beside(rows: Mapping[str, Floats], name: str, tuned: Scorer, panel: EvaluationUsers) -> dict[str, Floats]:
    """Insert the rows of a tuned model after the rows of the model with default settings."""
    results: dict[str, Floats] = {}
    for label, scores in rows.items():
        results[f"{name} (configured)" if label == name else label] = scores
        if label == name:
            results[f"{name} (tuned)"] = score_people(tuned, panel)
    return results


def weighted(use_case: UseCase, weights: str) -> UseCase:
    """The use case with its main ensemble's option `weights` replaced ("learned" or not)."""
    main = use_case.main_ensemble()
    if main is None:
        return use_case
    name, part = main
    changed = part.model_copy(update={"options": {**part.options, "weights": weights}})
    return use_case.model_copy(update={"engines": {**use_case.engines, name: changed}})


def _blend_note(name: str, learned: Learned, people: int) -> str:
    return (
        f"{name}: weights chosen on {people} validation people ({learned.outcome}): {learned.summary()};"
        f" NDCG@10 {learned.measured.ndcg:.4f} there against {learned.measured_configured.ndcg:.4f} with the configured ones"
    )
