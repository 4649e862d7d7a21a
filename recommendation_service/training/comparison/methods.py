"""Compare the methods of one site on its export: train each, cheapest first, and measure its answers to real users.

The export is split 80/10/10, by time where times allow. Choices are made on the validation part. Reported figures are
measured on the test part, for which every model is trained again. Nothing is published.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from recommendation_service.datasets.reader import Dataset
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.kinds import KINDS
from recommendation_service.publishing.store import Artifact
from recommendation_service.training.comparison.cost_benefit import EngineAnswers, Verdict, judge
from recommendation_service.training.comparison.models import BASELINE, ModelComparer
from recommendation_service.training.data import ModelUnusable, NotEnough, Trained
from recommendation_service.training.ensemble.training import KIND as ENSEMBLE
from recommendation_service.training.ensemble.training import LEAST_PEOPLE
from recommendation_service.training.ensemble.weights import weight_arrays
from recommendation_service.training.evaluation.evaluator import (
    Answering,
    Answers,
    EvaluationUsers,
    Figures,
    ask,
    build_evaluation_users,
    measure_lists,
)
from recommendation_service.training.report import Report
from recommendation_service.training.trainers import RECIPES, Parameters
from recommendation_service.use_cases.blends import members_of
from recommendation_service.use_cases.schema import UseCase

DEFAULT_BUDGET_S = 300.0
CHEAPEST = (0, 0)  # the cost of popular items: always measured, because they fill the lists of all others
PEOPLE_AT_MOST = 2_000  # of each part; more users take longer and hardly narrow the intervals
Builder = Callable[[UseCase, Catalogue, Mapping[str, Artifact]], Mapping[str, Answering]]


@dataclass(frozen=True, slots=True)
class Uses:
    """The surfaces on which an engine may answer first: those for a user, and those about something else."""

    persons: tuple[str, ...] = ()
    other: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class MethodComparison:
    """The result; engines by their names in the use-case file."""

    valid: EngineAnswers
    test: EngineAnswers
    figures: tuple[Figures, ...]  # of the test part, every engine in every segment that has people
    verdicts: tuple[Verdict, ...]  # cheapest method first
    missing: Mapping[str, str]  # engine -> why it was not measured

    def coverage(self) -> dict[str, tuple[float, float]]:
        """Engine -> (share of the validation users that it answers, share of the catalogue's items that it can score)."""
        items = max(1, len(self.test.panel.material.catalogue))
        return {name: (entry.share(), entry.known / items) for name, entry in self.valid.answers.items()}


class MethodComparer:
    """One export of one catalogue, split by time where times allow. Use an instance for one run."""

    def __init__(
        self,
        use_case: UseCase,
        dataset: Dataset,
        build: Builder,
        report: Report,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read and split the events. Raises DatasetError if there is nothing to measure on."""
        self._use_case, self._build, self._report, self._clock = use_case, build, report, clock
        self._name = str(dataset.summary["catalogue"])
        self._models = ModelComparer(use_case, dataset, build, report, most=PEOPLE_AT_MOST)
        split = self._models.split
        self.split_method = split.method
        self.test_start = 0.0 if split.reason else split.test_start  # the events from then on may be in the test part
        self.valid = build_evaluation_users(
            self._models.valid.material, self._models.split.valid, most=PEOPLE_AT_MOST
        )  # newcomers too
        self.test = self._models.test
        self._early: dict[str, Trained] = {}  # by kind, without the validation part
        self._late: dict[str, Trained] = {}  # with it
        self._answers: dict[str, tuple[Answers, Answers]] = {}  # by engine, of both parts
        self._missing: dict[str, str] = {}
        self._weighed: set[str] = set()  # members with a learned weight in the main ensemble

    def run(
        self,
        names: Collection[str],
        parameters: Mapping[str, Parameters],
        *,
        uses: Mapping[str, Uses],
        budget_s: float = DEFAULT_BUDGET_S,
    ) -> MethodComparison:
        """Compare these engines; `parameters` are by kind. After `budget_s` seconds no further model is trained.

        `uses` names the surfaces on which each engine may answer first.
        """
        started, costs = self._clock(), {name: cost_of(self._use_case, name) for name in names}
        known = {name: cost for name, cost in costs.items() if cost is not None}
        for name in sorted(known, key=lambda entry: known[entry]):
            if known[name] > CHEAPEST and self._clock() - started > budget_s:
                self._missing[name] = f"not measured: the budget of {budget_s:g} s was over before it began"
            else:
                self._measure_engine(name, parameters)
        popular = next((name for name in self._answers if self._use_case.engines[name].kind == BASELINE), None)
        valid = EngineAnswers.of(self.valid, {name: engines[0] for name, engines in self._answers.items()}, popular)
        test = EngineAnswers.of(self.test, {name: engines[1] for name, engines in self._answers.items()}, popular)
        figures = measure_lists({name: entry.lists for name, entry in test.answers.items()}, self.test)
        return MethodComparison(valid, test, tuple(figures), self._verdicts(valid, test, uses), self._missing)

    def _measure_engine(self, name: str, parameters: Mapping[str, Parameters]) -> None:
        """Train the engine's kind if needed and measure its answers, or record why it cannot be measured."""
        kind = self._use_case.engines[name].kind
        try:
            if kind in RECIPES and kind not in self._late:
                self._early[kind], self._late[kind] = self._models.trained(kind, parameters[kind])
            if kind == ENSEMBLE:
                self._learn(name)
        except (NotEnough, ModelUnusable) as error:
            self._missing[name] = f"not measured: {error.message}"
            return
        engines = tuple(
            self._build(self._use_case, panel.material.catalogue, self._artifacts(models)).get(name)
            for panel, models in ((self.valid, self._early), (self.test, self._late))
        )
        if engines[0] is None or engines[1] is None:
            self._missing[name] = "not measured: a model that it needs is missing"
            return
        self._answers[name] = self._ask(name, engines[0], self.valid), self._ask(name, engines[1], self.test)

    def _learn(self, name: str) -> None:
        """Learn weights for the main ensemble where the file uses learned ones: the published weights know the test part.

        With too few users to learn from, the configured weights are measured, because these would be used.
        """
        main, options = self._use_case.main_ensemble(), self._use_case.engines[name].options
        if main is None or main[0] != name or options.get("weights") != "learned":
            return
        people = len(self._models.valid)
        learned = self._models.learned(self._early) if people >= LEAST_PEOPLE else None
        if learned is not None:
            self._weighed = learned.weighted_members
            self._early[ENSEMBLE] = self._late[ENSEMBLE] = Trained(ENSEMBLE, weight_arrays(learned), {})

    def _artifacts(self, models: Mapping[str, Trained]) -> dict[str, Artifact]:
        return {kind: entry.artifact(self._name) for kind, entry in models.items()}

    def _ask(self, name: str, engine: Answering, panel: EvaluationUsers) -> Answers:
        with self._report.progress(f"{self._name}/asking {name}") as progress:
            return ask(engine, panel, progress)

    def _verdicts(self, valid: EngineAnswers, test: EngineAnswers, uses: Mapping[str, Uses]) -> tuple[Verdict, ...]:
        costs = {name: cost for name in test.answers if (cost := cost_of(self._use_case, name)) is not None}
        judged = (
            judge(name, {other: cost for other, cost in costs.items() if cost < costs[name]}, valid, test) for name in costs
        )
        verdicts = [entry for entry in judged if entry is not None]
        blends = {entry.method: self._inside(entry.method) for entry in verdicts if entry.recommended}
        return tuple(
            replace(
                entry,
                member_of=tuple(name for name, inside in blends.items() if entry.method in inside),
                also_for=uses.get(entry.method, Uses()).other,
                first_on=uses.get(entry.method, Uses()).persons,
            )
            for entry in verdicts
        )

    def _inside(self, name: str) -> set[str]:
        """All weighted members of an ensemble, those of nested ensembles included; empty for other engines."""
        if name not in members_of(self._use_case):
            return set()
        main = self._use_case.main_ensemble()
        configured: Mapping[str, float] = self._use_case.engines[name].options.get("members", {})
        weighted = {member for member, weight in configured.items() if weight > 0}
        if main is not None and main[0] == name and self._weighed:
            weighted = self._weighed
        return weighted.union(*(self._inside(member) for member in weighted))


def cost_of(use_case: UseCase, name: str) -> tuple[int, int] | None:
    """An engine's position in the cost order, nested ensembles after their members; None: its kind has no cost."""
    cost = KINDS[use_case.engines[name].kind].cost
    return None if cost is None else (cost.rank, _depth(members_of(use_case), name))


def _depth(members: Mapping[str, tuple[str, ...]], name: str) -> int:
    return 1 + max((_depth(members, member) for member in members[name]), default=0) if name in members else 0
