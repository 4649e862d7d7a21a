"""Learns a use case's ranker from recorded lists, and publishes it only when it beats the engine's own order."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from importlib.metadata import version
from typing import Any

import numpy as np

from recommendation_service.errors import ConfigurationError
from recommendation_service.training.ranking.gain import Gain, gain_of
from recommendation_service.training.ranking.parameters import LEAST, RankerParameters
from recommendation_service.training.ranking.training_data import ShownLists, answered_lists, read_lists, surfaces_of
from recommendation_service.training.session import Outcome, Session
from recommendation_service.use_cases.options import check_words
from recommendation_service.use_cases.schema import Part, UseCase

KIND = "learned"
LEAST_LISTS = 500  # with something good done with them; each brings at least one positive label
LEAST_PEOPLE = 50
HELD_OUT = 0.2  # the newest share of the lists, which measures
TOLD_FEATURES = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """What the held-out lists say."""

    gain: Gain  # of clicks corrected for their places: what decides
    as_clicked: Gain  # of clicks as they are, which favour the order that was shown
    looked: tuple[float, ...]  # how often each place is looked at, against the top's 1


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
    found_out = measured(lists.part(0, border), lists.part(border, len(lists)), parameters)
    gain = found_out.gain
    if not gain.sure and not session.choices.force:
        return _skipped(session, len(lists), started, f"{gain.summary()}; not published, since that may be chance")
    published, matters = _publish(session, lists, parameters, found_out)
    told = f"{gain.summary()}, mostly by {', '.join(list(matters)[:TOLD_FEATURES])}  -> {published}"
    session.report.stage(session.name, KIND, len(lists), time.monotonic() - started, told)
    return Outcome(KIND, published, None, None)


def ranker_of(use_case: UseCase) -> tuple[str, Part] | None:
    """Name and part of the use case's learned ranker, or None."""
    return next(((name, part) for name, part in use_case.rankers.items() if part.kind == KIND), None)


def parameters_of(use_case: UseCase, name: str, part: Part, *, seed: int) -> RankerParameters:
    """The stated parameters with what the use-case file says under `training`.

    Raises ConfigurationError for a word that is not known and for a value that grows no trees.
    """
    place = f"{use_case.name}: ranker '{name}', training"
    check_words(part.training, (field.name for field in fields(RankerParameters)), place=place)
    for word, value in part.training.items():
        _check_value(f"{place}: {word}", LEAST.get(word), value, whole=word != "learning_rate")
    return replace(RankerParameters(seed=seed), **part.training)


def _check_value(what: str, least: float | None, value: object, *, whole: bool) -> None:
    if least is None:
        return
    fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not fits or float(str(value)) < least:
        raise ConfigurationError(
            f"{what} must be a {'whole number' if whole else 'number'} of at least {least:g}, not {value!r}"
        )


def measured(older: ShownLists, newer: ShownLists, parameters: RankerParameters) -> Measured:
    """Learn from the older lists, order the newer ones."""
    from recommendation_service.training.ranking import lambdamart  # LightGBM takes a second to import

    learned = lambdamart.predicted(lambdamart.grow(older, parameters), newer.features)
    looked = lambdamart.looked_at(older, parameters) if parameters.correct_positions else np.ones(1)
    return Measured(gain_of(newer, learned, looked), gain_of(newer, learned, np.ones(1)), tuple(looked.tolist()))


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


def _publish(
    session: Session, lists: ShownLists, parameters: RankerParameters, found_out: Measured
) -> tuple[str, Mapping[str, float]]:
    """Learn again from all lists, the newest included, and publish that."""
    from recommendation_service.training.ranking import lambdamart  # LightGBM takes a second to import

    booster = lambdamart.grow(lists, parameters)
    matters, gain = lambdamart.importance(booster, lists.names), found_out.gain
    figures: dict[str, Any] = {
        "held_out_lists": gain.lists,
        "held_out_people": gain.people,
        "engine_ndcg_at_10": gain.engine,
        "learned_ndcg_at_10": gain.learned,
        "gain_interval": [gain.low, gain.high],
        "as_clicked_ndcg_at_10": {"engine": found_out.as_clicked.engine, "learned": found_out.as_clicked.learned},
        "looked_at": [round(one, 4) for one in found_out.looked],
        "importance": dict(matters),
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
    return published.version, matters
