"""Asks of one site's export what its methods are worth: trains each, cheapest first, and lets it answer real people.

Cut 80/10/10 by time. What is chosen is chosen on the validation part, what is told is measured on the test part, for
which every model is trained again. Nothing is published.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from recommendation_service.datasets.reader import Dataset
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.publishing.store import Artifact
from recommendation_service.training.comparison.cost_benefit import Heard, Verdict, judge
from recommendation_service.training.comparison.costs import cost_of
from recommendation_service.training.comparison.models import BASELINE, Study
from recommendation_service.training.data import ModelUnusable, NotEnough, Trained
from recommendation_service.training.ensemble.training import KIND as ENSEMBLE
from recommendation_service.training.ensemble.training import LEAST_PEOPLE
from recommendation_service.training.ensemble.weights import weight_arrays
from recommendation_service.training.evaluation.answers import Answering, Answers, ask
from recommendation_service.training.evaluation.evaluator import Figures, Panel, build_panel, measure_lists
from recommendation_service.training.report import Report
from recommendation_service.training.trainers import RECIPES, Parameters
from recommendation_service.use_cases.blends import members_of
from recommendation_service.use_cases.schema import UseCase

DEFAULT_BUDGET_S = 300.0
CHEAPEST = (0, 0)  # what popular items cost: they are always asked, for they fill the lists of all others
PEOPLE_AT_MOST = 2_000  # of each part; more would narrow the intervals by little and take as much longer
Builder = Callable[[UseCase, Catalogue, Mapping[str, Artifact]], Mapping[str, Answering]]


@dataclass(frozen=True, slots=True)
class Uses:
    """The surfaces on which an engine may go first: those for a person, and those about something else."""

    persons: tuple[str, ...] = ()
    other: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """What was found; engines by their names in the file."""

    valid: Heard
    test: Heard
    figures: tuple[Figures, ...]  # of the test part, every engine in every segment that has people
    verdicts: tuple[Verdict, ...]  # cheapest method first
    missing: Mapping[str, str]  # engine -> why it was not measured

    def coverage(self) -> dict[str, tuple[float, float]]:
        """Engine -> share of the validation people it answers for, and of the catalogue's items it knows."""
        items = max(1, len(self.test.panel.material.catalogue))
        return {name: (one.share(), one.known / items) for name, one in self.valid.answers.items()}


class Examination:
    """One export of one catalogue, cut and ready; it is run once."""

    def __init__(
        self,
        use_case: UseCase,
        dataset: Dataset,
        build: Builder,
        report: Report,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Reads and cuts the events. Raises DatasetError when there is nothing to measure on."""
        self._use_case, self._build, self._report, self._clock = use_case, build, report, clock
        self._name = str(dataset.summary["catalogue"])
        self._study = Study(use_case, dataset, build, report, most=PEOPLE_AT_MOST)
        self.test_start = self._study.split.test_start
        self.valid = build_panel(self._study.valid.material, self._study.split.valid, most=PEOPLE_AT_MOST)  # newcomers too
        self.test = self._study.test
        self._early: dict[str, Trained] = {}  # by kind, without the validation part
        self._late: dict[str, Trained] = {}  # with it
        self._heard: dict[str, tuple[Answers, Answers]] = {}  # by engine, of both parts
        self._missing: dict[str, str] = {}
        self._weighed: set[str] = set()  # the members that the main ensemble's learned weights hear

    def run(
        self,
        names: Collection[str],
        parameters: Mapping[str, Parameters],
        *,
        uses: Mapping[str, Uses],
        budget_s: float = DEFAULT_BUDGET_S,
    ) -> Examined:
        """Examine these engines; `parameters` are by kind. Nothing is trained any more when `budget_s` seconds are over.

        `uses` says on which surfaces an engine may go first; engines that it does not name, on none.
        """
        begun, costs = self._clock(), {name: cost_of(self._use_case, name) for name in names}
        known = {name: cost for name, cost in costs.items() if cost is not None}
        for name in sorted(known, key=lambda one: known[one]):
            if known[name] > CHEAPEST and self._clock() - begun > budget_s:
                self._missing[name] = f"not measured: the budget of {budget_s:g} s was over before it began"
            else:
                self._one(name, parameters)
        popular = next((name for name in self._heard if self._use_case.engines[name].kind == BASELINE), None)
        valid = Heard.of(self.valid, {name: both[0] for name, both in self._heard.items()}, popular)
        test = Heard.of(self.test, {name: both[1] for name, both in self._heard.items()}, popular)
        figures = measure_lists({name: one.lists for name, one in test.answers.items()}, self.test)
        return Examined(valid, test, tuple(figures), self._verdicts(valid, test, uses), self._missing)

    def _one(self, name: str, parameters: Mapping[str, Parameters]) -> None:
        """Train the engine's kind, unless it needs none, and ask it; why that cannot be is kept instead."""
        kind = self._use_case.engines[name].kind
        try:
            if kind in RECIPES and kind not in self._late:
                self._early[kind], self._late[kind] = self._study.trained(kind, parameters[kind])
            if kind == ENSEMBLE:
                self._learn(name)
        except (NotEnough, ModelUnusable) as error:
            self._missing[name] = f"not measured: {error.message}"
            return
        both = tuple(
            self._build(self._use_case, panel.material.catalogue, self._artifacts(models)).get(name)
            for panel, models in ((self.valid, self._early), (self.test, self._late))
        )
        if both[0] is None or both[1] is None:
            self._missing[name] = "not measured: what it is made of is not there"
            return
        self._heard[name] = self._asked(name, both[0], self.valid), self._asked(name, both[1], self.test)

    def _learn(self, name: str) -> None:
        """Weights for the main ensemble where the file wants learned ones: those published have seen the test part.

        Where there are too few people to learn from, the stated ones are measured, for these serve then.
        """
        main, options = self._use_case.main_ensemble(), self._use_case.engines[name].options
        if main is None or main[0] != name or options.get("weights") != "learned":
            return
        people = len(self._study.valid)
        learned = self._study.learned(self._early) if people >= LEAST_PEOPLE else None
        if learned is not None:
            self._weighed = learned.weighted_members
            self._early[ENSEMBLE] = self._late[ENSEMBLE] = Trained(ENSEMBLE, weight_arrays(learned), {})

    def _artifacts(self, models: Mapping[str, Trained]) -> dict[str, Artifact]:
        return {kind: one.artifact(self._name) for kind, one in models.items()}

    def _asked(self, name: str, engine: Answering, panel: Panel) -> Answers:
        with self._report.progress(f"{self._name}/asking {name}") as progress:
            return ask(engine, panel, progress)

    def _verdicts(self, valid: Heard, test: Heard, uses: Mapping[str, Uses]) -> tuple[Verdict, ...]:
        costs = {name: cost for name in test.answers if (cost := cost_of(self._use_case, name)) is not None}
        judged = (
            judge(name, {other: cost for other, cost in costs.items() if cost < costs[name]}, valid, test) for name in costs
        )
        found = [one for one in judged if one is not None]
        blends = {one.method: self._inside(one.method) for one in found if one.recommended}
        return tuple(
            replace(
                one,
                member_of=tuple(name for name, inside in blends.items() if one.method in inside),
                also_for=uses.get(one.method, Uses()).other,
                first_on=uses.get(one.method, Uses()).persons,
            )
            for one in found
        )

    def _inside(self, name: str) -> set[str]:
        """Everything an ensemble hears, through every ensemble inside it; empty for everything else."""
        if name not in members_of(self._use_case):
            return set()
        main = self._use_case.main_ensemble()
        stated: Mapping[str, float] = self._use_case.engines[name].options.get("members", {})
        own = {member for member, weight in stated.items() if weight > 0}
        if main is not None and main[0] == name and self._weighed:
            own = self._weighed
        return own.union(*(self._inside(member) for member in own))
