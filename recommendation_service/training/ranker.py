"""Learns a use case's ranker from recorded lists, and publishes it only when it beats the engine's own order."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from importlib.metadata import version
from typing import Any

import numpy as np

from recommendation_service.domain.features import STANDING
from recommendation_service.errors import ConfigurationError
from recommendation_service.numeric import AnyArray, Floats
from recommendation_service.training import metrics
from recommendation_service.training.ranker_parameters import RankerParameters
from recommendation_service.training.session import Outcome, Session
from recommendation_service.training.shown_lists import ShownLists, answered_lists, read_lists, surfaces_of
from recommendation_service.use_cases.schema import Part, UseCase

KIND = "learned"
LEAST_LISTS = 500  # with something good done with them; each brings at least one positive label
LEAST_PEOPLE = 50
HELD_OUT = 0.2  # the newest share of the lists, which measures
K = 10
TOLD_FEATURES = 3


@dataclass(frozen=True, slots=True)
class Gain:
    """NDCG@10 of held-out lists, a mean over people; `low` and `high` bound the mean difference with 95 %."""

    engine: float
    learned: float
    low: float
    high: float
    lists: int
    people: int

    @property
    def sure(self) -> bool:
        """The whole interval is above 0."""
        return self.low > 0

    def told(self) -> str:
        """One line for the report."""
        change = f", {self.learned / self.engine - 1:+.1%}" if self.engine else ""
        return (
            f"NDCG@{K} {self.learned:.4f} against {self.engine:.4f} in the engine's own order"
            f" (gain 95 % {self.low:+.4f} to {self.high:+.4f}{change}; {self.lists:,} lists of {self.people:,} people)"
        )


def learn_ranker(session: Session, _outcomes: Sequence[Outcome] = ()) -> Outcome | None:
    """Learn, measure and publish the use case's learned ranker; None when it has none.

    Too few lists, or no sure gain, are an outcome, not an error: the report says so and what serves stays.
    """
    found = ranker_of(session.use_case)
    if found is None:
        return None
    started = time.monotonic()
    parameters = parameters_of(session.use_case, *found, seed=session.choices.seed)
    lists, reason = _enough(session, found[0])
    if lists is None:
        return _skipped(session, 0, started, reason)
    border = round(len(lists) * (1 - HELD_OUT))
    gain = measured(lists.part(0, border), lists.part(border, len(lists)), parameters)
    if not gain.sure and not session.choices.force:
        return _skipped(session, len(lists), started, f"{gain.told()}; not published, since that may be chance")
    published, matters = _publish(session, lists, parameters, gain)
    told = f"{gain.told()}, mostly by {', '.join(list(matters)[:TOLD_FEATURES])}  -> {published}"
    session.report.stage(session.name, KIND, len(lists), time.monotonic() - started, told)
    return Outcome(KIND, published, None, None)


def ranker_of(use_case: UseCase) -> tuple[str, Part] | None:
    """Name and part of the use case's learned ranker, or None."""
    return next(((name, part) for name, part in use_case.rankers.items() if part.kind == KIND), None)


def parameters_of(use_case: UseCase, name: str, part: Part, *, seed: int) -> RankerParameters:
    """The stated parameters with what the use-case file says under `training`. Raises ConfigurationError for a wrong word."""
    known = sorted(field.name for field in fields(RankerParameters))
    strangers = sorted(set(part.training) - set(known))
    if strangers:
        place = f"{use_case.name}: ranker '{name}', training"
        raise ConfigurationError(f"{place} does not know '{strangers[0]}'; its words are {', '.join(known)}")
    return replace(RankerParameters(seed=seed), **part.training)


def measured(older: ShownLists, newer: ShownLists, parameters: RankerParameters) -> Gain:
    """Learn from the older lists, order the newer ones. Clicks favour the order that was shown, so a gain is a floor."""
    from recommendation_service.training import boosting  # LightGBM takes a second to import

    learned = boosting.predicted(boosting.grow(older, parameters), newer.features)
    return gain_of(newer, learned)


def gain_of(lists: ShownLists, scores: AnyArray) -> Gain:
    """What ordering the lists by (n,) scores brings against the engine's order; anonymous lists are a person each."""
    own, other = ndcg_of(lists, lists.features[:, lists.names.index(STANDING)]), ndcg_of(lists, scores)
    unknown = -1 - np.arange(len(lists))
    _, person = np.unique(np.where(lists.people >= 0, lists.people, unknown), return_inverse=True)
    count = np.bincount(person)
    before, after = (np.bincount(person, weights=figure) / count for figure in (own, other))
    low, high = metrics.bootstrap((after - before).astype(np.float32))
    return Gain(float(before.mean()), float(after.mean()), low, high, len(lists), int(count.size))


def ndcg_of(lists: ShownLists, scores: AnyArray) -> Floats:
    """(n_lists,) NDCG@10 with the events' weights as gains; equal scores keep the order that was shown."""
    sizes = np.diff(lists.indptr)
    numbers = np.repeat(np.arange(len(lists)), sizes)
    place = np.arange(numbers.size) - np.repeat(lists.indptr[:-1], sizes)
    gains = np.zeros((len(lists), int(sizes.max())), dtype=np.float64)
    ranked = np.full(gains.shape, np.inf)
    gains[numbers, place] = lists.weights
    ranked[numbers, place] = -np.nan_to_num(scores, nan=-np.inf)
    order = np.argsort(ranked, axis=1, kind="stable")[:, :K]
    discount = 1 / np.log2(np.arange(2, order.shape[1] + 2))
    reached = np.take_along_axis(gains, order, axis=1) @ discount
    ideal = -np.sort(-gains, axis=1)[:, :K] @ discount
    return np.asarray(reached / ideal, dtype=np.float32)


def _enough(session: Session, ranker: str) -> tuple[ShownLists | None, str]:
    """The lists to learn from, or None and why not."""
    shown = session.dataset.shown()
    if shown is None:
        return None, "this export has no shown lists; run: manage.py generate_all_datasets"
    numbers = answered_lists(shown, surfaces_of(session.use_case, ranker))
    if numbers.size < LEAST_LISTS:
        return None, f"{numbers.size:,} lists with a click, {LEAST_LISTS:,} are needed"
    lists = read_lists(shown, numbers, session.whole, session.events, session.use_case)
    people = np.unique(lists.people[lists.people >= 0]).size + int(np.count_nonzero(lists.people < 0))
    if people < LEAST_PEOPLE:
        return None, f"{len(lists):,} lists with a click, but of {people} people only; {LEAST_PEOPLE} are needed"
    return lists, ""


def _skipped(session: Session, rows: int, started: float, reason: str) -> Outcome:
    kept = " (today's keeps serving)" if session.store.folder(KIND).pointer() else ""
    session.report.stage(session.name, KIND, rows, time.monotonic() - started, f"skipped: {reason}{kept}")
    return Outcome(KIND, None, None, None, skipped=reason)


def _publish(session: Session, lists: ShownLists, parameters: RankerParameters, gain: Gain) -> tuple[str, Mapping[str, float]]:
    """Learn again from all lists, the newest included, and publish that."""
    from recommendation_service.training import boosting  # LightGBM takes a second to import

    booster = boosting.grow(lists, parameters)
    matters = boosting.importance(booster, lists.names)
    figures: dict[str, Any] = {
        "held_out_lists": gain.lists,
        "held_out_people": gain.people,
        "engine_ndcg_at_10": gain.engine,
        "learned_ndcg_at_10": gain.learned,
        "gain_interval": [gain.low, gain.high],
        "importance": dict(matters),
    }
    published = session.store.publish(
        KIND,
        boosting.arrays_of(booster, lists.names),
        catalogue=session.name,
        parameters=asdict(parameters),
        dataset={**session.provenance(), "lists": len(lists)},
        metrics=figures,
        warnings=() if gain.sure else (f"forced: {gain.told()}",),
        libraries={name: version(name) for name in ("lightgbm", "numpy")},
    )
    return published.version, matters
