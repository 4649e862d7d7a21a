"""`tandem evaluate lists`: measures the lists of a surface as routed, and with and without each reranker."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated

import numpy as np
import typer

from recommendation_service.commands.options import DataDir, JsonFile, Seed, UseCaseName, write_json
from recommendation_service.commands.surface_lists import SurfaceLists
from recommendation_service.core.numeric import Ints
from recommendation_service.datasets.reader import Dataset
from recommendation_service.domain.history import PastEvent
from recommendation_service.domain.query import Profile
from recommendation_service.domain.request import MAX_LIMIT
from recommendation_service.engines.base import Engine
from recommendation_service.errors import ConfigurationError, DatasetError
from recommendation_service.services.runtime import CatalogueRuntime
from recommendation_service.settings import load_settings
from recommendation_service.training.data import NotEnough, Trained, TrainingData, read_training_data
from recommendation_service.training.ensemble.members import ask_members, costs_of
from recommendation_service.training.ensemble.training import KIND as ENSEMBLE
from recommendation_service.training.ensemble.training import LEAST_PEOPLE
from recommendation_service.training.ensemble.weights import learn_weights, weight_arrays
from recommendation_service.training.evaluation.cold_curve import Step, below, cold_curve, curve_table
from recommendation_service.training.evaluation.evaluator import EvaluationUsers, build_evaluation_users
from recommendation_service.training.evaluation.list_metrics import Measured, conclusions, figures, full_share, table
from recommendation_service.training.evaluation.metrics import measure
from recommendation_service.training.evaluation.splits import time_split
from recommendation_service.training.report import Report
from recommendation_service.training.session import PANEL_AT_MOST
from recommendation_service.training.trainers import KINDS, fit, stated_for
from recommendation_service.training.workspace import Workspace, quietly
from recommendation_service.use_cases.schema import Part, Surface, UseCase
from recommendation_service.wiring import build_engines, build_rankers

AS_ROUTED = "as routed"
POPULARITY = "popularity"  # the kind of the baseline
RECIPE = "stated weights"
NOBODY = "_nobody-the-export-knows"  # asks as a newcomer who is not in the export either


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to make the lists: a name for the table, and the surface that makes them."""

    name: str
    surface: Surface
    stated: bool = False  # with the configured weights of the main ensemble in place of the learned ones


class Before:
    """The histories of all users without the events of the test part, read from an export that has both."""

    def __init__(self, dataset: Dataset, material: TrainingData, *, by_time: bool) -> None:
        """`material` is without the test part, which is the newest period, or with `by_time` False random users and items."""
        self._dataset, self._material, self._by_time = dataset, material, by_time

    def history(self, user_id: str) -> tuple[PastEvent, ...] | None:
        """Return the events outside the test part, newest first; None for a user who is not in the export."""
        row = self._dataset.user_ids.row(user_id)
        if row is None:
            return None
        events = self._dataset.past_events(user_id)
        if self._by_time:
            return tuple(event for event in events if event.time < self._material.now)
        start, stop = self._material.histories.indptr[row : row + 2].tolist()
        known = {self._dataset.item_ids.id(item) for item in self._material.histories.rows[start:stop].tolist()}
        return tuple(event for event in events if event.item_id in known)

    def profile(self, user_id: str) -> Profile:
        """Return the exported profile; empty if there is none."""
        return self._dataset.profile(user_id)


class Trial:
    """One surface, trained on the events before the newest tenth, and measured at that point in time.

    If the file uses learned weights, they are learned on the tenth before that. Where times do not allow it, the tenths
    are random (`splits.time_split`).
    """

    def __init__(self, use_case: UseCase, surface: str, dataset: Dataset, report: Report, *, people: int, seed: int) -> None:
        """Trains every kind the use case names. Raises DatasetError when nobody liked anything new in the newest tenth."""
        self._use_case, self._surface = use_case, surface
        events, weighting = dataset.events(), use_case.weighting
        split = time_split(events)
        whole = read_training_data(dataset, events, weighting, split.test_start)
        early = whole.as_of(split.train, weighting, split.valid_start)
        self.material = whole.as_of(split.before_test(), weighting, split.test_start)
        self.panel = build_evaluation_users(self.material, split.test, most=people)
        if not len(self.panel):
            raise DatasetError(f"{surface}: nobody liked anything new in the newest tenth of the events; nothing to measure")
        valid = build_evaluation_users(early, split.valid, most=PANEL_AT_MOST, with_history=True)
        first, models = _trained(use_case, early, valid, self.material, report, seed)
        self._stated = self._engines = _engines(use_case, self.material, models)
        if weighed := _weighed(use_case, first, valid, report):
            self._engines = _engines(use_case, self.material, models | weighed)
        # no published ranker: one that learned from lists knows the answers of the newest tenth
        self._rankers = build_rankers(use_case, self.material.catalogue, {}, load_settings())
        self._source = Before(dataset, self.material, by_time=not split.reason)
        self.split_method = split.method

    def newcomers(self, most: int) -> list[str]:
        """Return at most `most` users without an event before that time, and one user who is not in the export."""
        rows = np.flatnonzero(np.diff(self.material.histories.indptr) == 0)[:most]
        return [*(self.material.user_ids.id(int(row)) for row in rows), NOBODY]

    def measure(self, variant: Variant, k: int, newcomers: Sequence[str]) -> Measured:
        """Request the lists of all users of the panel and of the new users, and measure them."""
        lists, took_ms = self.lists(variant, k)
        cold, _ = self._surface_lists(variant).of(newcomers, k)
        median, slow = (float(np.percentile(took_ms, share)) for share in (50, 95))
        return Measured(variant.name, figures(lists, self.panel), full_share(cold), median, slow)

    def lists(self, variant: Variant, k: int) -> tuple[Ints, list[float]]:
        """Return the (p, k) lists of the panel's users, and the milliseconds that each took."""
        return self._surface_lists(variant).of([self.material.user_ids.id(int(user)) for user in self.panel.users], k)

    def curve(self, surface: Surface, k: int) -> tuple[list[Step], str | None]:
        """Compare the surface as routed with popularity, the stated weights and the best single engine, by segment.

        The best engine is chosen by these same users, which flatters it. Also return the name of the popularity engine.
        """
        bare = surface.model_copy(update={"rerank": ()})
        named = dict.fromkeys((*surface.fallback, *surface.strategies))
        kinds = {name: self._use_case.engines[name].kind for name in named if name in self._engines}
        single = {name: self.lists(Variant(name, _first(bare, name)), k)[0] for name, kind in kinds.items() if kind != ENSEMBLE}
        popular = next((name for name in single if kinds[name] == POPULARITY), None)
        others = {} if popular is None else {popular: single[popular]}
        main = self._use_case.main_ensemble()
        if main is not None and main[0] in kinds:
            others[f"{main[0]}, {RECIPE}"] = self.lists(Variant(RECIPE, _first(surface, main[0]), stated=True), k)[0]
        best = max(single, key=lambda name: float(measure(single[name], self.panel.relevant).ndcg.mean()), default=None)
        if best is not None and best != popular:
            others[f"{best}, the best single"] = single[best]
        return cold_curve(self.lists(Variant(AS_ROUTED, surface), k)[0], others, self.panel), popular

    def _surface_lists(self, variant: Variant) -> SurfaceLists:
        engines = self._stated if variant.stated else self._engines
        runtime = CatalogueRuntime(self.material.catalogue, engines, self._source, rankers=self._rankers)
        return SurfaceLists(self._use_case, self._surface, variant.surface, runtime, now=self.material.now)


def _trained(
    use_case: UseCase, early: TrainingData, valid: EvaluationUsers, late: TrainingData, report: Report, seed: int
) -> tuple[dict[str, Trained], dict[str, Trained]]:
    """Return every model, first trained without and then with the validation part.

    The validation part decides when the training stops.
    """
    firsts: dict[str, Trained] = {}
    trained: dict[str, Trained] = {}
    for kind in (entry for entry in KINDS if use_case.engine_of_kind(entry)):
        try:
            with report.progress(f"{use_case.name}/{kind}") as progress:
                first = fit(early, kind, stated_for(use_case, kind, seed=seed), panel=valid if len(valid) else None)
                trained[kind] = fit(late, kind, first.parameters, progress=progress).trained
        except NotEnough as error:
            report.line(f"{kind} is missing: {error.message}")
        else:
            firsts[kind] = first.trained
    return firsts, trained


def _weighed(use_case: UseCase, firsts: Mapping[str, Trained], valid: EvaluationUsers, report: Report) -> dict[str, Trained]:
    """Return learned weights of the main ensemble if the file uses them and there are enough users; otherwise nothing."""
    main = use_case.main_ensemble()
    if main is None or main[1].options.get("weights") != "learned" or len(valid) < LEAST_PEOPLE:
        return {}
    members = ask_members(use_case, main[0], _engines(use_case, valid.material, firsts), valid)
    if not members.comparable:
        return {}
    costs = costs_of(use_case, members.scores)
    learned = learn_weights(members.scores, members.configured, valid, members.candidates, costs)
    report.line(f"{main[0]}: weights chosen on {len(valid)} validation people: {learned.summary()}")
    return {ENSEMBLE: Trained(ENSEMBLE, weight_arrays(learned), {})}


def _engines(use_case: UseCase, material: TrainingData, models: Mapping[str, Trained]) -> dict[str, Engine]:
    artifacts = {kind: entry.artifact(material.catalogue.name) for kind, entry in models.items()}
    return build_engines(use_case, material.catalogue, artifacts)


def variants(surface: Surface) -> list[Variant]:
    """Return the variants: each engine of the chain alone, then the first without, with each, and with all rerankers."""
    first = surface.fallback[0]
    bare = surface.model_copy(update={"rerank": ()})
    result = [Variant(name, _first(bare, name)) for name in reversed(surface.fallback[1:])]
    result.append(Variant(first, _first(bare, first)))
    if len(surface.rerank) > 1:
        result += [Variant(f"{first} + {part.kind}", _first(surface, first, (part,))) for part in surface.rerank]
    if surface.rerank:
        every = " + ".join(part.kind for part in surface.rerank)
        result.append(Variant(f"{first} + {every}", _first(surface, first, surface.rerank)))
    return result


def swept(surface: Surface, weights: Sequence[float]) -> list[Variant]:
    """Return all rerankers of the file, with each of these weights of the diversity penalty."""
    result = []
    for weight in weights:
        rerank = [
            part.model_copy(update={"options": {**part.options, "weight": weight}}) if part.kind == "diversity" else part
            for part in surface.rerank
        ]
        result.append(Variant(f"as served, diversity {weight:g}", _first(surface, surface.fallback[0], rerank)))
    return result


def _first(surface: Surface, engine: str, rerank: Sequence[Part] | None = None) -> Surface:
    router = Part(kind="fixed", options={"engine": engine})
    return surface.model_copy(update={"router": router, "rerank": surface.rerank if rerank is None else tuple(rerank)})


def evaluate_lists(
    use_case: UseCaseName,
    surface: Annotated[str | None, typer.Option(metavar="NAME", help="Default: the first surface for users.")] = None,
    data_dir: DataDir = None,
    k: Annotated[int, typer.Option(min=1, max=MAX_LIMIT, help="Length of the lists.")] = 12,
    people: Annotated[int, typer.Option(min=1, help="Number of users at most, and of new users.")] = 300,
    diversity: Annotated[list[float] | None, typer.Option(metavar="WEIGHT", help="Also with this weight. Repeatable.")] = None,
    seed: Seed = 42,
    json_file: JsonFile = None,
) -> None:
    """Measure the lists of a surface through the real pipeline: as routed, and with and without each reranker.

    The second table has the lists as routed by number of interactions, beside popularity, the stated weights and the best
    single engine. Publishes nothing.

    Example: tandem evaluate lists --use-case posts --diversity 0.3 --diversity 0.7
    """
    workspace, report = Workspace.open([use_case], data_dir), Report()
    described = workspace.use_cases[0]
    name = _surface_named(described, surface)
    configured = described.surfaces[name]
    dataset = Dataset.open(workspace.data_dir, configured.catalogue)
    trial = Trial(described, name, dataset, report, people=people, seed=seed)
    cold = trial.newcomers(people)
    with quietly():
        rows = [trial.measure(variant, k, cold) for variant in variants(configured)]
        more = [trial.measure(variant, k, cold) for variant in swept(configured, diversity or ())]
        routed = trial.measure(Variant(AS_ROUTED, configured), k, cold)
        curve, popular = trial.curve(configured, k)
    report.line(f"{use_case}/{name}: {dataset.version}, {len(trial.panel)} people, {len(cold)} newcomers, lists of {k}")
    report.line(f"events are split {trial.split_method}")
    for line in (table([*rows, *more, routed], k), *conclusions([*rows, routed], k, configured)):
        report.line(line)
    report.line("\n" + curve_table(curve, k))
    for line in below(curve, popular) if popular else ():
        report.line(line)
    write_json(
        json_file, {"rows": [asdict(entry) for entry in (*rows, *more, routed)], "curve": [asdict(entry) for entry in curve]}
    )
    report.next_command(f"tandem train all --use-case {use_case}")


def _surface_named(use_case: UseCase, wanted: str | None) -> str:
    about_users = [name for name, entry in use_case.surfaces.items() if entry.about == "user"]
    if wanted in about_users or (wanted is None and about_users):
        return wanted or about_users[0]
    known = ", ".join(about_users) or "none"
    raise ConfigurationError(f"{use_case.name}: '{wanted}' is no surface about users; those are {known}")
