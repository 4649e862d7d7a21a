"""Train a use case's ranker on recorded lists, and publish it only if it is better than the engine's order.

The gain of the learned order is measured on held-out lists by clicks, which favour the order that was shown. Each click is
weighted by the inverse of how often users look at its position (inverse propensity: Joachims, Swaminathan & Schnabel, 2017,
"Unbiased Learning-to-Rank with Biased Feedback"). Without the weights, the order that was shown always appears to be the best.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.domain.features import STANDING
from recommendation_service.training.data import NotEnough
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.parameters import RankerParameters, read_parameters
from recommendation_service.training.ranking.training_data import ShownLists, answered_lists, read_lists, surfaces_of
from recommendation_service.training.report import PUBLISHED_SERVES
from recommendation_service.training.session import CatalogueTraining, TrainingResult
from recommendation_service.use_cases.schema import Part, UseCase

K = 10
SHARE = 0.99  # with 95 %, one training in 25 on noise was published, and training runs often
RESAMPLES = 2000
LEAST_LOOKED = 0.1  # with a smaller value, single clicks would decide
KIND = "learned"
LEAST_LISTS = 500  # lists with a positive event; each has at least one positive label
LEAST_PEOPLE = 50
HELD_OUT = 0.2  # the newest share of the lists, for measuring
REPORTED_FEATURES = 3


@dataclass(frozen=True, slots=True)
class Gain:
    """NDCG@10 over all held-out lists; `low` and `high` are the bootstrap interval (SHARE, over users) of the difference."""

    engine: float
    learned: float
    low: float
    high: float
    lists: int
    people: int

    @property
    def sure(self) -> bool:
        """True if the whole interval is above 0."""
        return self.low > 0

    def summary(self) -> str:
        """One line for the report."""
        change = f"{self.learned / self.engine - 1:+.1%}, " if self.engine else ""
        return (
            f"NDCG@{K} {self.learned:.4f} against {self.engine:.4f} in the engine's own order"
            f" ({change}{SHARE:.0%} {self.low:+.4f} to {self.high:+.4f}; {self.lists:,} lists of {self.people:,} people)"
        )


def gain_of(lists: ShownLists, scores: AnyArray, examination: AnyArray) -> Gain:
    """The gain of ordering the lists by (n,) `scores` instead of the engine's order.

    `examination` (positions,) is how often users look at each position, relative to the top; ones weight all clicks
    equally. Each anonymous list counts as one user. The gain of an item is the weight of its best event.
    """
    gains = lists.weights / _at(examination, lists)
    engine_scores = lists.features[:, lists.names.index(STANDING)]
    engine_dcg, learned_dcg = dcg_of(lists, gains, engine_scores), dcg_of(lists, gains, scores)
    ideal = dcg_of(lists, gains, gains)
    unknown = -1 - np.arange(len(lists))
    _, person = np.unique(np.where(lists.people >= 0, lists.people, unknown), return_inverse=True)
    differences = np.bincount(person, weights=learned_dcg - engine_dcg)
    mean_ideal = float(ideal.sum()) / differences.size
    low, high = metrics.bootstrap((differences / mean_ideal).astype(np.float32), share=SHARE, resamples=RESAMPLES)
    ideal_total = float(ideal.sum())
    return Gain(
        float(engine_dcg.sum()) / ideal_total,
        float(learned_dcg.sum()) / ideal_total,
        low,
        high,
        len(lists),
        int(differences.size),
    )


def dcg_of(lists: ShownLists, gains: AnyArray, scores: AnyArray) -> Floats:
    """(n_lists,) discounted gain at 10 of each list in the order of (n,) scores; equal ones keep the order shown."""
    numbers = np.repeat(np.arange(len(lists)), np.diff(lists.indptr))
    gain_scores = np.nan_to_num(np.asarray(scores, dtype=np.float64), nan=-np.inf)
    order = np.lexsort((lists.positions, -gain_scores, numbers))
    ranks = np.empty(numbers.size, dtype=np.int64)
    ranks[order] = np.arange(numbers.size) - lists.indptr[:-1][numbers]
    discounted = np.where(ranks < K, gains / np.log2(ranks + 2.0), 0.0)
    return np.bincount(numbers, weights=discounted, minlength=len(lists)).astype(np.float32)


def _at(examination: AnyArray, lists: ShownLists) -> AnyArray:
    return np.asarray(np.maximum(examination[np.minimum(lists.positions, examination.size) - 1], LEAST_LOOKED))


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
    parameters = read_parameters(RankerParameters(seed=session.options.seed), session.use_case, KIND)
    try:
        lists = _training_lists(session, ranker[0])
    except NotEnough as error:
        return _skipped(session, 0, started, error.message)
    border = round(len(lists) * (1 - HELD_OUT))
    evaluation = evaluate_ranker(lists.part(0, border), lists.part(border, len(lists)), parameters)
    gain = evaluation.gain
    if not gain.sure and not session.options.force:
        return _skipped(session, len(lists), started, f"{gain.summary()}; not published, because the difference may be chance")
    published, importances = _publish(session, lists, parameters, evaluation)
    message = f"{gain.summary()}, mostly by {', '.join(list(importances)[:REPORTED_FEATURES])}"
    session.report.published(session.name, KIND, len(lists), time.monotonic() - started, message, published)
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


def _training_lists(session: CatalogueTraining, ranker: str) -> ShownLists:
    """The lists to learn from. Raises NotEnough if there are too few."""
    shown = session.dataset.shown()
    if shown is None:
        raise NotEnough("this export has no shown lists; run: manage.py generate_all_datasets")
    numbers = answered_lists(shown, surfaces_of(session.use_case, ranker))
    if numbers.size < LEAST_LISTS:
        raise NotEnough(f"{numbers.size:,} lists with a click, {LEAST_LISTS:,} are needed")
    lists = read_lists(shown, numbers, session.whole, session.events, session.use_case)
    people = np.unique(lists.people[lists.people >= 0]).size + int(np.count_nonzero(lists.people < 0))
    if people < LEAST_PEOPLE:
        raise NotEnough(f"{len(lists):,} lists with a click, but of only {people} users; {LEAST_PEOPLE} are needed")
    return lists


def _skipped(session: CatalogueTraining, rows: int, started: float, reason: str) -> TrainingResult:
    serves = PUBLISHED_SERVES if session.store.folder(KIND).pointer() else ""
    session.report.skipped(session.name, KIND, rows, time.monotonic() - started, reason, serves=serves)
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
