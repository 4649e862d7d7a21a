from dataclasses import replace

import numpy as np
import pytest

from recommendation_service.datasets.pair_features import features
from recommendation_service.datasets.pair_network import Reader
from recommendation_service.tests.support.market import BIDS, World, by_quality, pair_config
from recommendation_service.training.pairs.neural_data import held_out, shuffle_positions, split_pairs
from recommendation_service.training.parameters import NeuralParameters
from recommendation_service.use_cases.loader import load

STATED = NeuralParameters()
HIRED = replace(STATED, target="hired")


def test_a_fifth_of_the_jobs_measures_and_none_of_them_teaches():
    matches = World(200).matches(by_quality)
    for parameters, each in ((STATED, 1), (HIRED, BIDS)):
        parts = split_pairs(matches, pair_config(), parameters)
        assert (len(parts.training), len(parts.validation)) == (160 * each, 40 * each)
        assert parts.jobs == 200
        key = parts.training.pairs.number("size_m2"), parts.validation.pairs.number("size_m2")
        assert not set(key[0].tolist()) & set(key[1].tolist())
    other = split_pairs(matches, pair_config(), replace(STATED, valid_share=0.15))
    assert len(other.validation) == 30


def test_the_cut_is_a_shuffle_and_not_the_newest_jobs():
    parts = shuffle_positions(np.arange(1000, dtype=np.int64), 42)
    assert ((parts >= 0) & (parts < 1)).all()
    assert abs(np.corrcoef(np.arange(1000), parts)[0, 1]) < 0.1
    assert abs(parts.mean() - 0.5) < 0.03
    assert (parts != shuffle_positions(np.arange(1000, dtype=np.int64), 43)).all()


def test_a_job_keeps_its_side_of_the_cut_while_the_export_grows():
    early, later = World(200).matches(by_quality), World(260).matches(by_quality)
    before, after = (split_pairs(one, pair_config(), STATED) for one in (early, later))
    held = [
        set(one.groups[held_out(one, "rating", 42, parts.border)].tolist()) for one, parts in ((early, before), (later, after))
    ]
    assert len(held[0] - held[1]) <= 3  # near the border only
    assert len(held[1]) == 52


def test_shuffling_what_came_of_the_jobs_changes_nothing_that_is_read():
    matches = World(200).matches(by_quality)
    order = np.random.default_rng(5).permutation(200)
    rated = matches.ratings.reshape(200, BIDS)
    marks = rated[np.arange(200), matches.chosen.reshape(200, BIDS).argmax(axis=1)]
    mixed = np.full_like(rated, np.nan)
    mixed[~np.isnan(rated)] = marks[order]
    shuffled = replace(matches, ratings=mixed.reshape(-1))
    one, other = (split_pairs(table, pair_config(), STATED).training for table in (matches, shuffled))
    read = [Reader.of(pair_config(), parts.pairs).read(pair_config(), parts.pairs) for parts in (one, other)]
    np.testing.assert_array_equal(read[0].numbers, read[1].numbers)
    np.testing.assert_array_equal(read[0].first, read[1].first)
    assert not np.array_equal(one.targets, other.targets)


def test_half_of_the_training_jobs_have_no_bids_and_every_validation_job_keeps_them():
    matches = World(400).matches(by_quality)
    rates = matches.numbers.copy()
    rates[:, matches.names.index("usual_rate")] = 1000.0  # so that an expected bid is told from a placed one
    parts = split_pairs(replace(matches, numbers=rates), pair_config(), HIRED)
    expected = (parts.training.pairs.number("bid") > 500).reshape(-1, BIDS)
    assert (expected.all(axis=1) == expected.any(axis=1)).all()  # of a job all bids or none
    assert 0.4 < expected.mean() < 0.6
    assert (parts.validation.pairs.number("bid") < 500).all()
    assert (parts.open_validation.pairs.number("bid") > 500).all()
    np.testing.assert_array_equal(parts.open_validation.targets, parts.validation.targets)


def test_hired_learns_from_decided_jobs_with_two_bids_and_one_choice():
    matches = World(120).matches(by_quality)
    decided, chosen, groups = matches.decided.copy(), matches.chosen.copy(), matches.groups.copy()
    decided[:BIDS] = False  # job 0 is not decided
    chosen[BIDS : 2 * BIDS] = False  # of job 1 nobody was chosen
    groups[2 * BIDS : 3 * BIDS] = [1000, 1001, 1002, 1003]  # four jobs with one bid each
    parts = split_pairs(replace(matches, decided=decided, chosen=chosen, groups=groups), pair_config(), HIRED)
    assert parts.jobs == 117


def test_the_rating_is_the_review_and_nothing_is_learned_from_unreviewed_pairs():
    matches = World(150).matches(by_quality)
    parts = split_pairs(matches, pair_config(), STATED)
    marks = np.concatenate([parts.training.targets, parts.validation.targets])
    assert sorted(marks.tolist()) == sorted(matches.ratings[~np.isnan(matches.ratings)].tolist())
    assert not parts.training.ranked.any()
    assert (parts.training.weights == 1).all()


def test_what_was_said_of_recommendations_teaches_only_and_weighs_less():
    matches = World(150).matches(by_quality)
    groups, ratings, verdicts = matches.groups.copy(), matches.ratings.copy(), matches.verdicts.copy()
    groups[:40], ratings[:40], verdicts[:40] = -1 - np.arange(40), np.nan, 1.0
    decided = matches.decided & (groups >= 0)
    said = replace(matches, groups=groups, ratings=ratings, verdicts=verdicts, decided=decided)
    for parameters in (STATED, HIRED):
        parts = split_pairs(said, pair_config(), parameters)
        assert int((parts.training.weights == 0.25).sum()) == 40
        assert (parts.validation.weights == 1).all()
        assert parts.training.targets[parts.training.weights < 1].tolist() == [1.0] * 40


def test_the_features_are_those_of_the_acceptance_list_in_its_scales():
    found = {one.name: one for one in load("cleaning").pairs.features}
    assert len(found) == 18
    parts = split_pairs(World(150).matches(by_quality), pair_config(), STATED).validation
    table = dict(zip(found, features(pair_config(), parts.pairs).T, strict=True))
    column = parts.pairs.number
    scaled = {"size_m2": 1000, "hours": 1, "eco_wanted": 1, "bid": 1000, "distance_km": 50, "quality_score": 100}
    scaled |= {"completion_rate": 1, "on_time_rate": 1, "average_rating": 10, "hour_of_day": 24, "day_of_week": 7}
    for name, over in scaled.items():
        assert table[name].tolist() == pytest.approx((column(name) / over).tolist())
    assert table["latitude"].tolist() == pytest.approx(((column("latitude") - 37.9838) / 0.15).tolist(), rel=1e-4)
    assert table["longitude"].tolist() == pytest.approx(((column("longitude") - 23.7275) / 0.15).tolist(), rel=1e-4)
    assert table["total_jobs"].tolist() == pytest.approx((np.log1p(column("total_jobs")) / 5).tolist())
    assert load("cleaning").pairs.embedding_columns == ("property_type",)
