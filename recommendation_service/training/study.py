"""The measured comparison of all models of a use case: chosen on validation, measured once on the test part."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recommendation_service.datasets.files import Dataset
from recommendation_service.errors import DatasetError
from recommendation_service.numeric import AnyArray, Floats
from recommendation_service.training.als import ALSParameters
from recommendation_service.training.blend import Learned, learn_weights
from recommendation_service.training.evaluation import Figures, Panel, build_panel, measure_all, score_people
from recommendation_service.training.material import NotEnough, Trained, read_material
from recommendation_service.training.recipes import Parameters, fit
from recommendation_service.training.report import Report
from recommendation_service.training.session import PANEL_AT_MOST, EngineBuilder
from recommendation_service.training.splits import time_split
from recommendation_service.training.tuning import Tuned, tune_als
from recommendation_service.use_cases.schema import UseCase

LABELS = {"content": "content", "als": "ALS (stated)", "two_tower": "two-tower"}
ORDER = ("popularity", "content", "ALS (stated)", "ALS (tuned)", "two-tower", "ensemble (stated)", "ensemble (learned)")


@dataclass(frozen=True, slots=True)
class Studied:
    """The table, and what a reader needs to judge it."""

    figures: tuple[Figures, ...]
    notes: tuple[str, ...]


class Study:
    """One export cut 80/10/10 by time. Everything is trained here; nothing is published."""

    def __init__(self, use_case: UseCase, dataset: Dataset, build: EngineBuilder, report: Report) -> None:
        """Raises DatasetError when the newest tenth of the events holds nothing to measure on."""
        self._use_case, self._build, self._report = use_case, build, report
        self._name = str(dataset.summary["catalogue"])
        events, weighting = dataset.events(), use_case.weighting
        split = time_split(events)
        whole = read_material(dataset, events, weighting, split.test_start)
        early = whole.as_of(split.train, weighting, split.valid_start)
        late = whole.as_of(split.before_test(), weighting, split.test_start)
        self.valid = build_panel(early, split.valid, most=PANEL_AT_MOST, with_history=True)
        self.test = build_panel(late, split.test)
        if not len(self.test):
            raise DatasetError(f"{self._name}: nobody liked anything new in the newest tenth of the events; nothing to measure")

    def run(self, parameters: Mapping[str, Parameters], *, k: int = 10, tune: bool = False, budget_s: float = 60.0) -> Studied:
        """Train, choose on validation, train again on all that precedes the test part, and measure there."""
        notes: list[str] = []
        early: dict[str, Trained] = {}
        late: dict[str, Trained] = {}
        chosen = {kind: one for kind, one in parameters.items() if self._use_case.engine_of_kind(kind)}
        for kind, one in chosen.items():
            try:
                early[kind], late[kind] = self._trained(kind, one)
            except NotEnough as error:
                notes.append(f"{LABELS[kind]} is missing: {error.message}")
        rows = {LABELS[kind]: self._scores(self.test, kind, {kind: one}) for kind, one in late.items()}
        rows["popularity"] = self._scores(self.test, "popularity", {})
        rows |= self._stated_ensemble(late)
        if tune and "als" in early and len(self.valid):
            tuned = self._tuned(chosen["als"], budget_s)
            notes.append(_tuning_note(tuned))
            early["als"], late["als"] = self._trained("als", tuned.parameters)
            rows["ALS (tuned)"] = self._scores(self.test, "als", late)
        rows |= self._learned_ensemble(early, late, notes)
        kept = {label: rows[label] for label in ORDER if label in rows}
        found = {label: one for label, one in kept.items() if one is not None}
        return Studied(tuple(measure_all(found, self.test, k=k)), tuple(notes))

    def _trained(self, kind: str, parameters: Parameters) -> tuple[Trained, Trained]:
        """Without the validation part, and with it; the second does as many epochs as the first found right."""
        with self._report.progress(f"{self._name}/{kind}") as progress:
            first = fit(self.valid.material, kind, parameters, panel=self.valid if len(self.valid) else None, progress=progress)
            second = fit(self.test.material, kind, first.parameters, progress=progress)
        return first.trained, second.trained

    def _tuned(self, stated: Parameters, budget_s: float) -> Tuned:
        if not isinstance(stated, ALSParameters):
            raise TypeError(f"only ALS is tuned, not {type(stated).__name__}")
        with self._report.progress(f"{self._name}/tune") as progress:
            return tune_als(self.valid.material, self.valid, stated, budget_s=budget_s, progress=progress)

    def _scores(
        self, panel: Panel, kind: str, models: Mapping[str, Trained], *, use_case: UseCase | None = None
    ) -> Floats | None:
        use_case = use_case or self._use_case
        found = use_case.engine_of_kind(kind)
        artifacts = {name: one.artifact(self._name) for name, one in models.items()}
        engines = self._build(use_case, panel.material.catalogue, artifacts)
        return score_people(engines[found[0]], panel) if found and found[0] in engines else None

    def _stated_ensemble(self, late: Mapping[str, Trained]) -> dict[str, Floats | None]:
        found = self._use_case.engine_of_kind("ensemble")
        if found is None:
            return {}
        return {"ensemble (stated)": self._scores(self.test, "ensemble", late, use_case=weighted(self._use_case, "stated"))}

    def _learned_ensemble(
        self, early: Mapping[str, Trained], late: Mapping[str, Trained], notes: list[str]
    ) -> dict[str, Floats | None]:
        found = self._use_case.engine_of_kind("ensemble")
        if found is None or not len(self.valid):
            return {}
        stated = {str(name): float(weight) for name, weight in found[1].options["members"].items()}
        members = [*stated, *(name for name in found[1].options.get("also_learn", ()) if name not in stated)]
        scores = {name: self._scores(self.valid, self._use_case.engines[name].kind, early) for name in members}
        known = {name: own for name, own in scores.items() if own is not None}
        total = sum(stated.get(name, 0.0) for name in known)
        if len(known) < 2 or total <= 0:
            return {}
        learned = learn_weights(known, {name: stated.get(name, 0.0) / total for name in known}, self.valid)
        notes.append(_blend_note(learned, len(self.valid)))
        models = {**late, "ensemble": Trained("ensemble", weight_arrays(learned), {})}
        return {"ensemble (learned)": self._scores(self.test, "ensemble", models, use_case=weighted(self._use_case, "learned"))}


def weighted(use_case: UseCase, weights: str) -> UseCase:
    """The same use case with its ensemble's weights "stated" or "learned"."""
    found = use_case.engine_of_kind("ensemble")
    if found is None:
        return use_case
    name, part = found
    changed = part.model_copy(update={"options": {**part.options, "weights": weights}})
    return use_case.model_copy(update={"engines": {**use_case.engines, name: changed}})


def weight_arrays(learned: Learned) -> dict[str, AnyArray]:
    """An ensemble artifact's arrays for learned weights alone."""
    names = list(learned.weights)
    return {
        "members": np.array([name.encode() for name in names], dtype=np.bytes_),
        "weights": np.array([learned.weights[name] for name in names], dtype=np.float32),
    }


def _tuning_note(tuned: Tuned) -> str:
    best = tuned.parameters
    return (
        f"ALS tuned on validation: alpha {best.alpha:g}, regularization {best.regularization:g}, factors {best.factors},"
        f" iterations {best.iterations}; NDCG@10 {tuned.score:.4f} there against {tuned.stated_score:.4f} with the stated"
        f" settings ({tuned.gain:+.0%}); {tuned.tried} settings tried"
    )


def _blend_note(learned: Learned, people: int) -> str:
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in learned.weights.items() if weight > 0)
    return f"ensemble weights chosen on {people} validation people ({learned.outcome}): {weights}"
