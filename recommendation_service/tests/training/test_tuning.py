from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from recommendation_service.tests.support.materials import club_panel
from recommendation_service.training import tuning
from recommendation_service.training.als import ALSParameters, train_als
from recommendation_service.training.tuning import panel_ndcg, panel_scores, tune_als

SMALL = ALSParameters(factors=8, iterations=3)


@pytest.fixture(scope="module")
def site():
    early, panel, _ = club_panel(people=30, items=20, events_each=8)
    return early, panel


def test_the_search_never_ends_below_the_settings_it_began_with(site, monkeypatch):
    monkeypatch.setattr(tuning, "FACTORS", (4, 8))
    tuned = tune_als(*site, SMALL, budget_s=1e9)
    assert tuned.score >= tuned.stated_score
    assert tuned.score == panel_ndcg(train_als(site[0], tuned.parameters), site[1])
    assert tuned.whole_grid
    assert tuned.tried >= 1 + len(tuning.ALPHAS) * len(tuning.REGULARIZATIONS)


def test_planted_bad_settings_are_left_behind(site, monkeypatch):
    monkeypatch.setattr(tuning, "FACTORS", (8,))
    bad = replace(SMALL, factors=1, regularization=1e6)
    tuned = tune_als(*site, bad, budget_s=1e9)
    assert tuned.parameters != bad
    assert tuned.gain > 0.05


def test_the_budget_ends_the_search_and_says_so(site):
    ticks = count(0, 10)
    tuned = tune_als(*site, SMALL, budget_s=25, clock=lambda: float(next(ticks)))
    assert tuned.tried == 3
    assert not tuned.whole_grid


def test_a_seed_goes_through_the_whole_grid():
    assert {one.seed for one in tuning._small_grid(replace(SMALL, seed=7))} == {7}


def test_untrained_people_and_items_score_nan(site):
    early, panel = site
    trained = train_als(early, SMALL)
    first = int(panel.users[0])
    keep = trained.arrays["user_ids"] != early.user_ids.array[first]
    arrays = {
        **trained.arrays,
        "user_ids": trained.arrays["user_ids"][keep],
        "user_factors": trained.arrays["user_factors"][keep],
    }
    scores = panel_scores(replace(trained, arrays=arrays), panel)
    assert np.isnan(scores[0]).all()
    assert np.isnan(scores[:, trained.arrays["item_counts"] == 0]).all()
