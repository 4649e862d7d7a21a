import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.core import numeric
from recommendation_service.core.numeric import blend
from recommendation_service.engines.base import Engine
from recommendation_service.engines.ensemble import Ensemble
from recommendation_service.tests.support.materials import club_panel
from recommendation_service.training.ensemble.members import ask_members
from recommendation_service.training.ensemble.search import scaled
from recommendation_service.training.ensemble.weights import evidence_of, learn_weights, weight_arrays
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import score_people
from recommendation_service.use_cases.loader import load
from recommendation_service.use_cases.schema import Part


class Known(Engine):
    """Gives prepared scores, a row a person."""

    def __init__(self, name, table, user_ids):
        super().__init__(name, "test")
        self._by_user = dict(zip(user_ids, table, strict=True))

    def scores(self, query):
        return self._by_user[query.user_id]


@pytest.fixture(scope="module")
def panel():
    return club_panel(people=40, items=24, events_each=10)[1]


def noisy(panel, share, seed):
    """Scores that know the truth, plus noise."""
    rng = np.random.default_rng(seed)
    truth = panel.relevant.toarray()
    return (share * truth + rng.normal(size=truth.shape)).astype(np.float32)


@given(st.integers(0, 1000))
def test_scaling_many_people_equals_scaling_each(seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 3, (4, 6)).astype(np.float32)
    scores[rng.random((4, 6)) < 0.3] = np.nan
    eligible = rng.random((4, 6)) < 0.7
    expected = [numeric.unit_range(own, able) for own, able in zip(scores, eligible, strict=True)]
    assert np.array_equal(scaled(scores, eligible), np.array(expected), equal_nan=True)


def test_the_search_measures_exactly_what_the_ensemble_engine_serves(panel):
    names = [panel.material.user_ids.id(int(user)) for user in panel.users]
    tables = {"als": noisy(panel, 1, 1), "two_tower": noisy(panel, 1, 2)}
    tables["als"][:, 3] = np.nan
    engines = {name: Known(name, table, names) for name, table in tables.items()}
    engine = Ensemble.from_members("ensemble", engines, members={"als": 0.6, "two_tower": 0.4})
    served = score_people(engine, panel)
    parts = {name: scaled(table, panel.eligible) for name, table in tables.items()}
    assert np.allclose(served, blend([parts["als"], parts["two_tower"]], [0.6, 0.4]), atol=1e-6, equal_nan=True)
    learned = learn_weights(tables, {"als": 0.6, "two_tower": 0.4}, panel)
    assert learned.measured_configured.ndcg == pytest.approx(metrics.ndcg(served, panel.eligible, panel.relevant))


@pytest.mark.parametrize("weights", [{"als": 0.6, "two_tower": 0.4}, {"als": 0.0, "two_tower": 1.0}])
def test_where_only_candidates_are_ranked_the_search_measures_them_as_the_engine_serves_them(panel, weights):
    names = [panel.material.user_ids.id(int(user)) for user in panel.users]
    tables = {"als": noisy(panel, 1, 1), "two_tower": noisy(panel, 1, 2)}
    engines = {name: Known(name, table, names) for name, table in tables.items()}
    options, startups = {"members": weights, "candidate_generators": {"als": 4, "two_tower": 3}}, load("startups")
    case = startups.model_copy(update={"engines": {**startups.engines, "ensemble": Part(kind="ensemble", options=options)}})
    served = score_people(Ensemble.from_members("ensemble", engines, **options), panel)
    members = ask_members(case, "ensemble", engines, panel)
    assert np.array_equal(members.candidates, ~np.isnan(served))
    assert members.configured == weights
    learned = learn_weights(members.scores, members.configured, panel, members.candidates)
    assert learned.measured_configured.ndcg == pytest.approx(metrics.ndcg(served, panel.eligible, panel.relevant))
    assert learned.measured.ndcg >= max(learned.members.values())


@pytest.mark.parametrize("seed", range(6))
def test_the_learned_blend_is_never_below_its_best_member(panel, seed):
    tables = {"als": noisy(panel, 1.5, seed), "two_tower": noisy(panel, 1, seed + 50), "popular": noisy(panel, 0, seed + 90)}
    learned = learn_weights(tables, {"als": 0.6, "two_tower": 0.4, "popular": 0.0}, panel)
    assert learned.measured.ndcg >= max(learned.members.values())
    assert learned.measured.ndcg >= learned.measured_configured.ndcg
    assert sum(learned.weights.values()) == pytest.approx(1)


def test_two_halves_of_the_truth_are_better_together(panel):
    tables = {"als": noisy(panel, 2, 1), "two_tower": noisy(panel, 2, 2)}
    learned = learn_weights(tables, {"als": 0.9, "two_tower": 0.1}, panel)
    assert learned.outcome == "blend"
    assert learned.measured.ndcg > max(learned.members.values()) * 1.02
    assert min(learned.weights.values()) > 0.1


def test_a_member_that_knows_everything_stands_alone(panel):
    perfect = panel.relevant.toarray().astype(np.float32)
    learned = learn_weights({"als": perfect, "two_tower": -perfect}, {"als": 0.4, "two_tower": 0.6}, panel)
    assert (learned.outcome, learned.best_member) == ("best member alone", "als")
    assert dict(learned.weights) == {"als": 1.0, "two_tower": 0.0}


def test_stated_weights_are_kept_when_nothing_is_better(panel):
    perfect = panel.relevant.toarray().astype(np.float32)
    learned = learn_weights({"als": perfect, "two_tower": perfect}, {"als": 0.6, "two_tower": 0.4}, panel)
    assert learned.outcome == "configured"
    assert dict(learned.weights) == pytest.approx({"als": 0.6, "two_tower": 0.4})


def test_every_figure_has_its_interval_and_differences_are_of_the_same_people(panel):
    tables = {"als": noisy(panel, 2, 1), "two_tower": noisy(panel, 1, 2)}
    stated = {"als": 0.3, "two_tower": 0.7}
    told = evidence_of(learn_weights(tables, stated, panel))
    assert json.loads(json.dumps(told)) == told
    for name in ("als", "two_tower"):
        low, high = told["members_interval_95"][name]
        assert low < told["members_ndcg_at_10"][name] < high
    for name in ("configured", "learned"):
        low, high = told[f"{name}_interval_95"]
        assert low < told[f"{name}_ndcg_at_10"] < high
    best = told["members_ndcg_at_10"][told["best_member"]]
    for name, other in (("learned_minus_best_member", best), ("learned_minus_configured", told["configured_ndcg_at_10"])):
        assert told[name]["mean"] == pytest.approx(told["learned_ndcg_at_10"] - other)
        assert told[name]["interval_95"][0] <= told[name]["mean"] <= told[name]["interval_95"][1]
        assert told[name]["people"] == len(panel)
    assert told["segments"]["0-4"]["own_weights"] is False
    assert sum(one["people"] for one in told["segments"].values()) == len(panel)


def test_a_difference_is_surer_than_two_intervals_side_by_side(panel):
    mine = noisy(panel, 2, 1)
    told = evidence_of(learn_weights({"als": mine, "two_tower": mine + noisy(panel, 0, 2) / 9}, {"als": 1.0}, panel))
    low, high = told["learned_minus_best_member"]["interval_95"]
    apart = told["learned_interval_95"]
    assert high - low < 0.6 * (apart[1] - apart[0])


def test_few_people_have_no_segments_in_their_arrays_and_one_line_of_weights(panel):
    learned = learn_weights({"als": noisy(panel, 2, 1), "two_tower": noisy(panel, 2, 2)}, {"als": 0.9, "two_tower": 0.1}, panel)
    assert set(weight_arrays(learned)) == {"members", "weights"}
    assert learned.separate_segments == ()
    assert learned.weighted_members == {"als", "two_tower"}
    assert learned.summary() == ", ".join(f"{name} {weight:.2f}" for name, weight in learned.weights.items())
