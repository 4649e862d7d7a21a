from dataclasses import replace

import numpy as np
import pytest

from recommendation_service.datasets.pair_features import PairTable
from recommendation_service.tests.support.market import World, by_quality, pair_config
from recommendation_service.training.pairs.neural import train_neural
from recommendation_service.training.pairs.neural_data import TrainingExamples
from recommendation_service.training.pairs.pair_metrics import compared, loss_of, predicted_values, top
from recommendation_service.training.parameters import NeuralParameters

NO_ORDER = np.zeros(6, dtype=np.float32)
QUICK = NeuralParameters(epochs=3)


def examples(targets, groups, *, ranked=True):
    n = len(targets)
    return TrainingExamples(
        PairTable(n, {}, {}),
        np.array(targets, dtype=np.float32),
        np.ones(n, dtype=np.float32),
        np.full(n, ranked),
        np.array(groups, dtype=np.int64),
    )


def test_of_choices_the_scores_are_odds_shared_out_within_the_job():
    told = predicted_values(np.array([0.5, 0.75, 0.9], dtype=np.float32), examples([1, 0, 1], [0, 0, 1]))
    assert told.tolist() == pytest.approx([1 / 4, 3 / 4, 1.0], abs=1e-5)


def test_the_loss_of_choices_is_the_surprise_at_who_was_chosen():
    asked = examples([1, 0, 0, 1], [0, 0, 1, 1])
    assert loss_of(np.full(4, 0.5, dtype=np.float32), asked) == pytest.approx(np.log(2))
    assert loss_of(np.array([0.75, 0.5, 0.5, 0.75], dtype=np.float32), asked) == pytest.approx(-np.log(0.75), rel=1e-4)


def test_the_loss_of_marks_is_their_mean_squared_error():
    asked = examples([0.2, 0.8], [0, 1], ranked=False)
    assert loss_of(np.array([0.4, 0.8], dtype=np.float32), asked) == pytest.approx(0.02)


def test_a_score_of_nought_or_one_costs_much_but_not_everything():
    found = loss_of(np.array([0.0, 1.0], dtype=np.float32), examples([1, 0], [0, 0]))
    assert 10 < found < 40


def test_top_counts_jobs_whose_chosen_bidder_is_among_the_first():
    asked = examples([1, 0, 0, 0, 1, 0], [0, 0, 0, 1, 1, 1])
    scores = np.array([0.9, 0.1, 0.2, 0.7, 0.6, 0.5], dtype=np.float32)
    assert top(scores, asked, 1) == 0.5
    assert top(scores, asked, 2) == 1.0
    assert top(NO_ORDER, asked, 1) == pytest.approx(1 / 3)
    assert top(NO_ORDER, asked, 3) == 1.0
    assert top(NO_ORDER[:2], examples([1, 0], [0, 0]), 3) == 1.0


def test_equal_scores_share_their_places():
    assert top(np.array([0.5, 0.5, 0.1], dtype=np.float32), examples([1, 0, 0], [0, 0, 0]), 1) == 0.5


def reloaded(trained):
    """As the store gives it back: lists for tuples, and the figures in the manifest."""
    artifact = trained.artifact("cleaners")
    return replace(artifact, manifest=replace(artifact.manifest, metrics=dict(trained.metrics)))


def test_two_networks_are_compared_on_jobs_that_neither_learned_from():
    matches = World(300).matches(by_quality)
    today, better = (train_neural(matches, pair_config(), replace(QUICK, epochs=epochs)) for epochs in (2, 30))
    border = better.metrics["border"]
    mine, theirs = compared(reloaded(today), better.arrays, border, matches, pair_config(), QUICK)
    assert mine == pytest.approx(better.metrics["loss"], rel=1e-4)
    assert theirs == pytest.approx(today.metrics["loss"], rel=1e-4)
    assert mine < theirs


def test_networks_of_other_targets_features_or_shuffles_are_not_compared():
    matches = World(150).matches(by_quality)
    today = reloaded(train_neural(matches, pair_config(), QUICK))
    other = train_neural(matches, pair_config(), replace(QUICK, seed=7))
    border = other.metrics["border"]
    assert compared(today, other.arrays, border, matches, pair_config(), replace(QUICK, seed=7)) is None  # few jobs in common
    assert compared(today, other.arrays, border, matches, pair_config(), replace(QUICK, target="hired")) is None
    fewer = pair_config().model_copy(update={"features": pair_config().features[1:]})
    assert compared(today, other.arrays, border, matches, fewer, QUICK) is None
