"""Train a use case's ranker on recorded lists, and publish it only if it is better than the engine's order."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from recommendation_service.training.parameters import RankerParameters, read_parameters
from recommendation_service.training.ranking.gain import Gain, gain_of
from recommendation_service.training.ranking.training_data import ShownLists, answered_lists, read_lists, surfaces_of
from recommendation_service.training.session import CatalogueTraining, TrainingResult
from recommendation_service.use_cases.schema import Part, UseCase

KIND = "learned"
LEAST_LISTS = 500  # lists with a positive event; each has at least one positive label
LEAST_PEOPLE = 50
HELD_OUT = 0.2  # the newest share of the lists, for measuring
REPORTED_FEATURES = 3


@dataclass(frozen=True, slots=True)
class RankerEvaluation:
    """The result on the held-out lists."""

    gain: Gain  # of clicks corrected for their positions: this one decides
    as_clicked: Gain  # of uncorrected clicks, which favour the order that was shown
    examination: tuple[float, ...]  # how often users look at each position, relative to the top


def learn_ranker(session: CatalogueTraining, _outcomes: Sequence[TrainingResult] = ()) -> TrainingResult | None:
    """Train, measure and publish the use case's learned ranker; None if it has none.

    Too few lists or no significant gain is an outcome, not an error: it is reported, and the published ranker stays.
    """
    ranker = ranker_of(session.use_case)
    if ranker is None:
        return None
    started = time.monotonic()
    parameters = read_parameters(RankerParameters(seed=session.choices.seed), session.use_case, KIND)
    lists, reason = _enough(session, ranker[0])
    if lists is None:
        return _skipped(session, 0, started, reason)
    border = round(len(lists) * (1 - HELD_OUT))
    evaluation = evaluate_ranker(lists.part(0, border), lists.part(border, len(lists)), parameters)
    gain = evaluation.gain
    if not gain.sure and not session.choices.force:
        return _skipped(session, len(lists), started, f"{gain.summary()}; not published, because the difference may be chance")
    published, importances = _publish(session, lists, parameters, evaluation)
    message = f"{gain.summary()}, mostly by {', '.join(list(importances)[:REPORTED_FEATURES])}  -> {published}"
    session.report.stage(session.name, KIND, len(lists), time.monotonic() - started, message)
    return TrainingResult(KIND, published, None, None)


def ranker_of(use_case: UseCase) -> tuple[str, Part] | None:
    """Name and part of the use case's learned ranker, or None."""
    return next(((name, part) for name, part in use_case.rankers.items() if part.kind == KIND), None)


def evaluate_ranker(older: ShownLists, newer: ShownLists, parameters: RankerParameters) -> RankerEvaluation:
    """Train on the older lists and measure on the newer ones."""
    from recommendation_service.training.ranking import lambdamart  # LightGBM takes a second to import

    learned = lambdamart.predicted(lambdamart.grow(older, parameters), newer.features)
    examination = lambdamart.examination_of(older, parameters) if parameters.correct_positions else np.ones(1)
    return RankerEvaluation(
        gain_of(newer, learned, examination), gain_of(newer, learned, np.ones(1)), tuple(examination.tolist())
    )


def _enough(session: CatalogueTraining, ranker: str) -> tuple[ShownLists | None, str]:
    """The lists to learn from, or None and the reason."""
    shown = session.dataset.shown()
    if shown is None:
        return None, "this export has no shown lists; run: manage.py generate_all_datasets"
    numbers = answered_lists(shown, surfaces_of(session.use_case, ranker))
    if numbers.size < LEAST_LISTS:
        return None, f"{numbers.size:,} lists with a click, {LEAST_LISTS:,} are needed"
    lists = read_lists(shown, numbers, session.whole, session.events, session.use_case)
    people = np.unique(lists.people[lists.people >= 0]).size + int(np.count_nonzero(lists.people < 0))
    if people < LEAST_PEOPLE:
        return None, f"{len(lists):,} lists with a click, but of only {people} users; {LEAST_PEOPLE} are needed"
    return lists, ""


def _skipped(session: CatalogueTraining, rows: int, started: float, reason: str) -> TrainingResult:
    suffix = " (the published one stays in use)" if session.store.folder(KIND).pointer() else ""
    session.report.stage(session.name, KIND, rows, time.monotonic() - started, f"skipped: {reason}{suffix}")
    return TrainingResult(KIND, None, None, None, skipped=reason)


def _publish(
    session: CatalogueTraining, lists: ShownLists, parameters: RankerParameters, evaluation: RankerEvaluation
) -> tuple[str, Mapping[str, float]]:
    """Train again on all lists, the newest included, and publish the result."""
    from recommendation_service.training.ranking import lambdamart  # LightGBM takes a second to import

    booster = lambdamart.grow(lists, parameters)
    importances, gain = lambdamart.importance(booster, lists.names), evaluation.gain
    figures: dict[str, Any] = {
        "held_out_lists": gain.lists,
        "held_out_people": gain.people,
        "engine_ndcg_at_10": gain.engine,
        "learned_ndcg_at_10": gain.learned,
        "gain_interval": [gain.low, gain.high],
        "as_clicked_ndcg_at_10": {"engine": evaluation.as_clicked.engine, "learned": evaluation.as_clicked.learned},
        "looked_at": [round(value, 4) for value in evaluation.examination],
        "importance": dict(importances),
    }
    published = session.store.publish(
        KIND,
        lambdamart.arrays_of(booster, lists.names),
        catalogue=session.name,
        parameters=asdict(parameters),
        dataset={**session.provenance(), "lists": len(lists)},
        metrics=figures,
        warnings=() if gain.sure else (f"forced: {gain.summary()}",),
        libraries={name: version(name) for name in ("lightgbm", "numpy")},
    )
    return published.version, importances
