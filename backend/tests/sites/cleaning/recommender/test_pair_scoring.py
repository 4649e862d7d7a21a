"""One pair has one score, whichever side asks."""

import numpy as np
import pytest

from recommendation_service.core.numeric import Ints
from sites.cleaning.recommender.candidates import Filters
from sites.cleaning.recommender.pair_scoring import CLEANERS_FOR_JOB, JOBS_FOR_CLEANER, met, pair_config, rules
from sites.cleaning.scoring.pair_features import cleaner_side, job_side
from tests.sites.cleaning.engine_world import cleaner_at, cleaners_for, jobs_for, open_job, stands

pytestmark = pytest.mark.django_db


def first(count: int) -> Ints:
    return np.arange(count, dtype=np.int64)


def test_both_sides_of_a_pair_see_the_same_score_and_the_same_parts() -> None:
    job, cleaner = open_job(eco_friendly=True), cleaner_at(4, rate=19, eco_friendly=True)
    stands(cleaner, 72, primary_property_type="apartment", eco_percentage=25.0)
    (to_client,), (to_cleaner,) = cleaners_for(job), jobs_for(cleaner)
    assert to_client["score"] == to_cleaner["score"] > 0
    assert to_client["breakdown"] == to_cleaner["breakdown"]
    assert to_client["reasoning"] != to_cleaner["reasoning"]  # in the words of whom it is for


def test_the_parts_are_those_of_the_use_case_file() -> None:
    assert [rule.name for rule in rules()] == ["quality", "location", "specialization", "pricing", "availability"]
    assert sum(rule.weight for rule in rules()) == pytest.approx(1.0)


def test_the_score_is_the_weighted_mean_of_the_parts() -> None:
    job, cleaner = open_job(), cleaner_at(4, rate=19)
    stands(cleaner, 72, primary_property_type="apartment")
    (row,) = cleaners_for(job)
    weights = {rule.name: rule.weight for rule in rules()}
    parts = {name: value for name, value in row["breakdown"].items() if value is not None}
    assert set(parts) == set(weights)
    assert row["score"] == pytest.approx(sum(weights[name] * value for name, value in parts.items()), abs=0.02)


def test_columns_go_to_whichever_side_has_them_and_those_of_the_pair_to_the_offers() -> None:
    job, cleaners = open_job(), [cleaner_at(3), cleaner_at(6)]
    found = met(CLEANERS_FOR_JOB, job, job_side([job]), cleaner_side(cleaners), Filters())
    of_own, of_pairs = found.columns(first(2))
    assert {"latitude", "size_m2", "hours", "eco_wanted", "hour_of_day"} <= set(of_own)
    assert [row["distance_km"] for row in of_pairs] == pytest.approx([3.0, 6.0], abs=1e-3)
    back = met(JOBS_FOR_CLEANER, cleaners[0], cleaner_side(cleaners[:1]), job_side([job]), Filters())
    own, (pair,) = back.columns(first(1))
    assert {**own, **pair} == {**of_own, **of_pairs[0]}
    assert set(own) | set(pair) <= {feature.name for feature in pair_config().features}
