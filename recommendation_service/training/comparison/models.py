"""The measured comparison of all models of a use case: chosen on validation, measured once on the test part."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from recommendation_service.core.numeric import Floats
from recommendation_service.datasets.reader import Dataset
from recommendation_service.errors import DatasetError
from recommendation_service.training.comparison import tables
from recommendation_service.training.comparison.basket_users import build_baskets
from recommendation_service.training.data import NotEnough, Trained, read_material
from recommendation_service.training.ensemble.members import ask_members
from recommendation_service.training.ensemble.weights import Learned, learn_weights, weight_arrays
from recommendation_service.training.evaluation.evaluator import (
    Figures,
    Panel,
    Scorer,
    build_panel,
    measure_all,
    score_people,
)
from recommendation_service.training.evaluation.paired_bootstrap import LEAST_PEOPLE as LEAST_COMPARED
from recommendation_service.training.evaluation.splits import time_split
from recommendation_service.training.publish_gate import LEAST_PEOPLE
from recommendation_service.training.report import Report
from recommendation_service.training.session import PANEL_AT_MOST, EngineBuilder
from recommendation_service.training.trainers import Parameters, fit, parameters_from
from recommendation_service.training.trials import Trials
from recommendation_service.training.tuning import SEARCHES, Searched, told
from recommendation_service.use_cases.blends import in_order
from recommendation_service.use_cases.schema import UseCase

BASKET_K = 4  # as many as a product page shows beside "frequently bought together"
BASELINE = "popularity"  # the kind that every other one is compared with, so it comes first


@dataclass(frozen=True, slots=True)
class Studied:
    """The table, and what a reader needs to judge it."""

    figures: tuple[Figures, ...]
    notes: tuple[str, ...]
    baskets: tuple[Figures, ...] = ()  # of baskets with one product left out, at BASKET_K; empty: there are none


class Study:
    """One export cut 80/10/10 by time. Everything is trained here; nothing is published."""

    def __init__(
        self, use_case: UseCase, dataset: Dataset, build: EngineBuilder, report: Report, *, most: int | None = None
    ) -> None:
        """Raises DatasetError when the newest tenth of the events holds nothing to measure on.

        At most `most` people of the test part are measured; None: everybody.
        """
        self._use_case, self._build, self._report = use_case, build, report
        self._name = str(dataset.summary["catalogue"])
        events, weighting = dataset.events(), use_case.weighting
        split = time_split(events)
        whole = read_material(dataset, events, weighting, split.test_start)
        early = whole.as_of(split.train, weighting, split.valid_start)
        late = whole.as_of(split.before_test(), weighting, split.test_start)
        self.valid = build_panel(early, split.valid, most=PANEL_AT_MOST, with_history=True)
        self.test = build_panel(late, split.test, most=most)
        self.split = split
        if not len(self.test):
            raise DatasetError(f"{self._name}: nobody liked anything new in the newest tenth of the events; nothing to measure")

    def run(self, parameters: Mapping[str, Parameters], *, k: int = 10, tune: bool = False, budget_s: float = 60.0) -> Studied:
        """Train, choose on validation, train again on all that precedes the test part, and measure there.

        Every engine of the file is measured under its own name; the main ensemble with its stated and with learned weights.
        """
        notes: list[str] = []
        early: dict[str, Trained] = {}
        late: dict[str, Trained] = {}
        for kind, one in parameters.items():
            try:
                early[kind], late[kind] = self.trained(kind, one)
            except NotEnough as error:
                notes.append(f"{self._named(kind)} is missing: {error.message}")
        rows = self._stated(late, self.test)
        baskets = self._baskets(late, parameters.get("co_occurrence"))
        notes += self._chance(tune=tune)
        for kind in [kind for kind in early if tune and kind in SEARCHES and not self._few]:
            searched, early[kind] = self._searched(kind, parameters[kind], budget_s)
            notes.append(f"{self._named(kind)} tuned on validation: {told(searched)}")
            late[kind] = fit(self.test.material, kind, parameters_from(kind, early[kind].parameters)).trained
            rows = _beside(rows, self._named(kind), self._engines(self.test, late)[self._named(kind)], self.test)
        rows |= self._learned(early, late, notes)
        rows = self._about_people(rows, notes)
        return Studied(tuple(measure_all(rows, self.test, k=k)), tuple(notes), baskets)

    @property
    def _few(self) -> bool:
        """Whether the validation part has so few people that they would choose by chance."""
        return len(self.valid) < LEAST_PEOPLE

    def _chance(self, *, tune: bool) -> list[str]:
        """What so few people keep from being chosen, or from being told apart."""
        told = []
        if self._few:
            chosen = "neither settings nor weights are" if tune else "no weights are"
            told.append(f"{len(self.valid)} of {LEAST_PEOPLE} validation people with a past: {chosen} chosen by them")
        if len(self.test) < LEAST_COMPARED:
            told.append(
                f"{len(self.test)} of {LEAST_COMPARED} people to measure on: differences between the methods are chance"
            )
        return told

    def _about_people(self, rows: Mapping[str, Floats], notes: list[str]) -> dict[str, Floats]:
        """Without the engines that need a context, such as a job, to say anything: no person of the panel has one."""
        silent = [name for name, scores in rows.items() if self._use_case.pairing and np.isnan(scores).all()]
        if silent:
            notes.append(f"{', '.join(silent)}: about pairs, not persons, so not in this table; train_all measures pairs")
        return {name: scores for name, scores in rows.items() if name not in silent}

    def _baskets(self, late: Mapping[str, Trained], parameters: Parameters | None) -> tuple[Figures, ...]:
        if parameters is None:
            return ()
        panel = build_baskets(self.test.material, self.split.test, parameters)
        if not len(panel):
            return ()
        found = measure_all(self._stated(late, panel), panel, k=BASKET_K)
        return tuple(replace(one, segment=tables.BASKETS) for one in found if one.segment == "all")

    def trained(self, kind: str, parameters: Parameters) -> tuple[Trained, Trained]:
        """Without the validation part, and with it; the second does as many epochs as the first found right.

        Raises NotEnough when there is too little for this kind.
        """
        with self._report.progress(f"{self._name}/{kind}") as progress:
            first = fit(self.valid.material, kind, parameters, panel=self.valid if len(self.valid) else None, progress=progress)
            second = fit(self.test.material, kind, first.parameters, progress=progress)
        return first.trained, second.trained

    def _searched(self, kind: str, stated: Parameters, budget_s: float) -> tuple[Searched, Trained]:
        material, name = self.valid.material, self._named(kind)

        def scored(trained: Trained) -> Floats:
            return score_people(self._engines(self.valid, {kind: trained})[name], self.valid)

        with self._report.progress(f"{self._name}/tune {kind}") as progress:
            searched, fitted, _ = Trials(material, self.valid, kind, scored).search(
                stated, budget_s=budget_s, progress=progress
            )
        return searched, fitted.trained

    def _named(self, kind: str) -> str:
        found = self._use_case.engine_of_kind(kind)
        return found[0] if found else kind

    def _engines(self, panel: Panel, models: Mapping[str, Trained], weights: str = "configured") -> Mapping[str, Scorer]:
        artifacts = {kind: one.artifact(self._name) for kind, one in models.items()}
        return self._build(weighted(self._use_case, weights), panel.material.catalogue, artifacts)

    def _stated(self, late: Mapping[str, Trained], panel: Panel) -> dict[str, Floats]:
        """Scores of every engine there is: the baseline, plain ones as in the file, ensembles, the main one last."""
        engines, main = self._engines(panel, late), self._use_case.main_ensemble()
        blends = in_order(self._use_case)
        last = [name for name in blends if main is None or name != main[0]] + ([main[0]] if main else [])
        plain = sorted(set(self._use_case.engines) - set(blends), key=list(self._use_case.engines).index)
        plain.sort(key=lambda name: self._use_case.engines[name].kind != BASELINE)
        found = {name: score_people(engines[name], panel) for name in [*plain, *last] if name in engines}
        return {f"{name} (configured)" if main and name == main[0] else name: scores for name, scores in found.items()}

    def _learned(self, early: Mapping[str, Trained], late: Mapping[str, Trained], notes: list[str]) -> dict[str, Floats]:
        found, learned = self._use_case.main_ensemble(), self.learned(early)
        if found is None or learned is None:
            return {}
        notes.append(_blend_note(found[0], learned, len(self.valid)))
        models = {**late, "ensemble": Trained("ensemble", weight_arrays(learned), {})}
        engine = self._engines(self.test, models, "learned")[found[0]]
        return {f"{found[0]} (learned)": score_people(engine, self.test)}

    def learned(self, early: Mapping[str, Trained]) -> Learned | None:
        """The main ensemble's weights, chosen on validation; None without an ensemble, enough people, or two members."""
        found = self._use_case.main_ensemble()
        if found is None or self._few:
            return None
        members = ask_members(self._use_case, found[0], self._engines(self.valid, early), self.valid)
        if not members.comparable:
            return None
        return learn_weights(members.scores, members.configured, self.valid, members.candidates)


def _beside(rows: Mapping[str, Floats], name: str, tuned: Scorer, panel: Panel) -> dict[str, Floats]:
    """The rows with those of a tuned model right after the stated ones of the same name."""
    found: dict[str, Floats] = {}
    for label, scores in rows.items():
        found[f"{name} (configured)" if label == name else label] = scores
        if label == name:
            found[f"{name} (tuned)"] = score_people(tuned, panel)
    return found


def weighted(use_case: UseCase, weights: str) -> UseCase:
    """The same use case with its main ensemble's weights "configured" or "learned"."""
    found = use_case.main_ensemble()
    if found is None:
        return use_case
    name, part = found
    changed = part.model_copy(update={"options": {**part.options, "weights": weights}})
    return use_case.model_copy(update={"engines": {**use_case.engines, name: changed}})


def _blend_note(name: str, learned: Learned, people: int) -> str:
    return (
        f"{name}: weights chosen on {people} validation people ({learned.outcome}): {learned.summary()};"
        f" NDCG@10 {learned.learned:.4f} there against {learned.configured:.4f} with the stated ones"
    )
