"""One score a pair: by weights where both know it, by rules alone where the network does not; and why, in sentences."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from recommendation_service.core.numeric import Floats
from recommendation_service.datasets.pair_features import PairTable, RuleScores
from recommendation_service.domain.side import Side
from sites.cleaning.recommender.blending import NOTHING_STANDS_OUT, hears_network, scored, shortlist, told, weights_of
from sites.cleaning.recommender.neural_scores import Opinion
from sites.cleaning.recommender.pair_scoring import CLEANERS_FOR_JOB, JOBS_FOR_CLEANER, Met, Way

WEIGHTS = {"rule_based": 0.6, "neural": 0.4}
NAN = float("nan")
PARTS = ("quality", "location", "specialization", "pricing", "availability")


def floats(*values: float) -> Floats:
    return np.array(values, dtype=np.float32)


def met(
    totals: Sequence[float],
    *,
    way: Way = CLEANERS_FOR_JOB,
    fits: Sequence[bool] | None = None,
    known: float = 5.0,
    **parts: float,
) -> Met:
    """So many pairs of these totals; `parts` are of every pair, the others unknown; `known` jobs and reviews each."""
    n = len(totals)
    columns = {name: np.full(n, known, dtype=np.float32) for name in ("review_count", "total_jobs", "overall_score")}
    columns |= {name: np.full(n, 5.0, dtype=np.float32) for name in ("distance_km", "bid", "budget")}
    ruled = RuleScores(floats(*totals), {name: np.full(n, parts.get(name, NAN), dtype=np.float32) for name in PARTS})
    side = Side(tuple(str(number + 1) for number in range(n)))
    return Met(
        way, subject=None, own=Side(("5",)), side=side, pairs=PairTable(n, columns, {}),
        fits=np.array(fits or [True] * n), ruled=ruled,
    )  # type: ignore[arg-type]  # nothing here looks at the subject  # fmt: skip


def opinion(*scores: float, collaborative: float = NAN, content: float = NAN) -> Opinion:
    """Of the shortlist, the best by rules first."""
    n = len(scores)
    parts = (np.full(n, part, dtype=np.float32) for part in (collaborative, content))
    return Opinion(floats(*scores), *parts, model_version="neural_v1")


def rows(found: Met, said: Opinion | None = None, mode: str = "ensemble", weights: Any = WEIGHTS, limit: int = 10) -> list[Any]:
    return told(found, scored(found, shortlist(found), weights, said), mode=mode, limit=limit)


def test_the_stated_formula() -> None:
    (row,) = rows(met([85.0]), opinion(92.0))
    assert (row.score, row.rule_based_score, row.neural_score) == (87.8, 85.0, 92.0)
    assert row.mode == "ensemble"


def test_where_the_network_cannot_say_the_rules_stand_alone() -> None:
    first, second = rows(met([80.0, 70.0]), opinion(20.0, NAN))
    assert (second.id, second.score, second.mode, second.neural_score) == ("1", 56.0, "ensemble", 20.0)
    assert (first.id, first.score, first.mode, first.neural_score) == ("2", 70.0, "rule_based", None)


def test_neural_is_the_networks_order_with_the_rules_still_told() -> None:
    found = rows(met([90.0, 80.0, 70.0], quality=75.0), opinion(10.0, 50.0, 99.0), "neural", weights_of("neural", {}))
    assert [row.id for row in found] == ["3", "2", "1"]
    assert [row.score for row in found] == [99.0, 50.0, 10.0]
    assert found[0].rule_based_score == 70.0
    assert found[0].breakdown["quality"] == 75.0


def test_ties_go_to_the_better_by_rules_then_to_the_older() -> None:
    found = rows(met([60.0, 80.0, 60.0, 60.0]), opinion(20.0, 50.0, 50.0, 50.0), weights={"rule_based": 0.5, "neural": 0.5})
    assert [row.id for row in found] == ["1", "3", "4", "2"]
    even = rows(met([60.0, 80.0]), opinion(50.0, 70.0), weights={"rule_based": 0.5, "neural": 0.5})
    assert [(row.id, row.score) for row in even] == [("2", 65.0), ("1", 65.0)]


def test_the_shortlist_is_the_best_that_fit() -> None:
    found = met([10.0, 90.0, 50.0, NAN], fits=[True, False, True, True])
    assert shortlist(found).tolist() == [2, 0]
    assert shortlist(found, 1).tolist() == [2]


def test_what_is_unknown_of_a_pair_is_none_and_never_zero() -> None:
    (row,) = rows(met([50.0], location=90.0))
    assert row.breakdown == {"quality": None, "location": 90.0, "specialization": None, "pricing": None, "availability": None}


def test_sentences_begin_with_what_adds_most() -> None:
    (row,) = rows(met([90.0], quality=90.0, location=85.0, known=90.0))
    assert row.reasons == ["High quality score (90/100)", "Nearby location (5.0 km away)"]


@pytest.mark.parametrize(
    ("way", "parts", "says"),
    [
        (CLEANERS_FOR_JOB, {"collaborative": 90.0}, "Clients like this one rate them highly"),
        (CLEANERS_FOR_JOB, {"content": 90.0}, "Cleaners like them did jobs like this one well"),
        (JOBS_FOR_CLEANER, {"collaborative": 90.0, "content": 85.0}, "Clients like this one rate you highly"),
        (JOBS_FOR_CLEANER, {"content": 90.0, "collaborative": 85.0}, "Cleaners like you did jobs like this one well"),
    ],
)
def test_the_network_is_heard_in_words_where_it_speaks_strongly(way: Way, parts: dict[str, float], says: str) -> None:
    (row,) = rows(met([50.0], way=way), opinion(90.0, **parts))
    assert row.reasons == [says]


def test_the_network_says_nothing_that_it_does_not_know() -> None:
    assert rows(met([50.0]), opinion(95.0))[0].reasons == [NOTHING_STANDS_OUT]
    assert rows(met([50.0]), opinion(95.0, collaborative=79.0, content=79.0))[0].reasons == [NOTHING_STANDS_OUT]


def test_a_newcomer_is_told_to_be_one() -> None:
    assert rows(met([50.0], known=0.0))[0].reasons == ["New here: no jobs or reviews yet"]
    assert "You are new here" in rows(met([50.0], known=NAN, way=JOBS_FOR_CLEANER))[0].reasons[0]


def test_a_mode_listens_to_what_its_name_says() -> None:
    assert weights_of("rule_based", {}) == {"rule_based": 1.0, "neural": 0.0}
    assert weights_of("ensemble", WEIGHTS) == WEIGHTS
    assert not hears_network(weights_of("rule_based", {}))
    assert hears_network(weights_of("neural", {}))
