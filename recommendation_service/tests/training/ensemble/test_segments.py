from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from recommendation_service.engines.base import Engine
from recommendation_service.engines.ensemble import Ensemble
from recommendation_service.tests.support.materials import club_panel
from recommendation_service.training.data import Trained
from recommendation_service.training.ensemble.search import MemberScores, choose, scaled
from recommendation_service.training.ensemble.weights import (
    BOUNDS,
    LEAST_PEOPLE,
    evidence_of,
    learn_segments,
    learn_weights,
    segment_indices,
    served,
    weight_arrays,
)
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import score_people

ITEMS = 24
EVEN = {"als": 0.5, "popular": 0.5}


def voices(knows, seed=0):
    """People who each went for two items; `knows` is (p, 2), how well als and popular know what a person went for."""
    rng = np.random.default_rng(seed)
    truth = rng.permuted(np.tile(np.arange(ITEMS) < 2, (len(knows), 1)), axis=1).astype(np.float32)
    eligible = np.ones(truth.shape, dtype=np.bool_)
    tables = [share[:, None] * truth + rng.normal(size=truth.shape) for share in np.asarray(knows, dtype=float).T]
    parts = {name: scaled(one.astype(np.float32), eligible) for name, one in zip(EVEN, tables, strict=True)}
    return MemberScores(parts, eligible, sparse.csr_array(truth))


def split_world(seed=0, people=130):
    """Newcomers are known to popular only, regulars to als only, and those between to both."""
    counts = np.repeat([2, 10, 30], people)
    return voices(np.repeat([[0, 3], [1.5, 1.5], [3, 0]], people, axis=0), seed), counts


def one_world(seed, people=130):
    """Both members know everybody equally well."""
    return voices(np.full((3 * people, 2), 1.5), seed), np.repeat([2, 10, 30], people)


def test_newcomers_and_regulars_who_are_known_to_different_members_get_different_weights():
    world, counts = split_world()
    common, _ = choose(world, EVEN)
    few, between, many = learn_segments(world, counts, common)
    assert [one.name for one in (few, between, many)] == ["0-4", "5-19", "20+"]
    assert few.has_separate_weights
    assert many.has_separate_weights
    assert few.weights["popular"] > 0.8
    assert many.weights["als"] > 0.8
    assert few.gain.low > 0
    assert (few.gain.people, between.people) == (130, 130)
    assert not between.has_separate_weights
    assert between.weights == common


def test_where_segments_do_not_differ_the_common_weights_serve_them_but_for_a_few_false_alarms():
    alarms = 0
    for seed in range(20):
        world, counts = one_world(seed)
        segments = learn_segments(world, counts, choose(world, EVEN)[0])
        assert all(one.gain is not None for one in segments)
        alarms += any(one.has_separate_weights for one in segments)
    assert alarms <= 3


@pytest.mark.parametrize(("seed", "people"), [(1, 130), (2, 200), (3, 101)])
def test_own_weights_are_not_below_the_segments_best_member_nor_below_the_common_weights(seed, people):
    world, counts = split_world(seed, people)
    common, _ = choose(world, EVEN)
    own = [one for one in learn_segments(world, counts, common) if one.has_separate_weights]
    assert own
    for one in own:
        inside = world.only(np.flatnonzero(segment_indices(counts) == list(BOUNDS).index(one.name)))
        reached = inside.mean_ndcg(one.weights)
        assert reached >= max(inside.mean_ndcg({name: 1.0}) for name in EVEN)
        assert reached >= inside.mean_ndcg(common)


def test_a_segment_of_a_few_people_keeps_the_common_weights_however_clear_they_seem():
    world, counts = split_world(people=LEAST_PEOPLE - 1)
    segments = learn_segments(world, counts, choose(world, EVEN)[0])
    assert [(one.has_separate_weights, one.gain) for one in segments] == [(False, None)] * 3


def test_a_segment_that_holds_everybody_has_nothing_of_its_own():
    world, counts = split_world()
    segments = learn_segments(world, np.full_like(counts, 7), EVEN)
    assert [(one.people, one.has_separate_weights, one.gain) for one in segments] == [
        (0, False, None),
        (counts.size, False, None),
        (0, False, None),
    ]


def test_the_gain_is_measured_on_people_the_weights_were_not_chosen_on():
    world, counts = voices(np.zeros((400, 2))), np.repeat([2, 30], 200)  # nobody knows anything
    flattered = choose(world.only(np.arange(200)), EVEN)[1] - world.only(np.arange(200)).mean_ndcg(EVEN)
    few = learn_segments(world, counts, EVEN)[0]
    assert flattered > 0.01
    assert few.gain.mean < flattered / 2
    assert not few.has_separate_weights


def test_the_same_seed_finds_the_same():
    world, counts = split_world(people=110)
    assert learn_segments(world, counts, EVEN, seed=4) == learn_segments(world, counts, EVEN, seed=4)


@pytest.mark.parametrize(("count", "segment"), [(0, "0-4"), (4, "0-4"), (5, "5-19"), (19, "5-19"), (20, "20+"), (999, "20+")])
def test_people_belong_to_the_segment_that_evaluation_counts_them_in(count, segment):
    assert list(BOUNDS)[segment_indices(np.array([count]))[0]] == segment


class Known(Engine):
    """Gives prepared scores, a row a person."""

    def __init__(self, name, table, panel):
        super().__init__(name, f"{name}_v1")
        ids = [panel.material.user_ids.id(int(user)) for user in panel.users]
        self._by_user = dict(zip(ids, table, strict=True))

    def scores(self, query):
        return self._by_user[query.user_id]


def divided_panel():
    """A real panel of 240 people, half of them newcomers, and what two members say of them."""
    panel = club_panel(people=240, items=30, events_each=10)[1]
    rng, users = np.random.default_rng(0), len(panel)
    few = np.arange(users) % 2 == 0
    counts = panel.material.histories.counts.copy()
    counts[panel.users] = np.where(few, 3, 25)
    panel = replace(panel, material=replace(panel.material, histories=replace(panel.material.histories, counts=counts)))
    truth, noise = panel.relevant.toarray(), rng.normal(size=(2, users, len(panel.material.catalogue)))
    tables = {"als": 3 * truth * ~few[:, None] + noise[0], "popular": 3 * truth * few[:, None] + noise[1]}
    return panel, {name: table.astype(np.float32) for name, table in tables.items()}


def test_the_engine_serves_by_segment_exactly_what_was_measured():
    panel, tables = divided_panel()
    learned = learn_weights(tables, EVEN, panel)
    assert [one.name for one in learned.separate_segments] == ["0-4", "20+"]
    artifact = Trained("ensemble", weight_arrays(learned), {}).artifact("startups")
    members = {name: Known(name, table, panel) for name, table in tables.items()}
    engine = Ensemble.from_members("ensemble", members, artifact, members=EVEN, weights="learned")
    answered = score_people(engine, panel)
    parts = {name: scaled(table, panel.eligible) for name, table in tables.items()}
    counts = panel.material.histories.counts[panel.users]
    assert np.allclose(answered, served(parts, learned.segments, counts), atol=1e-6, equal_nan=True)
    assert metrics.ndcg(answered, panel.eligible, panel.relevant) == pytest.approx(learned.measured.ndcg)
    assert learned.measured.ndcg > max(learned.members.values()) + 0.1


def test_the_evidence_says_for_each_segment_what_serves_it_over_its_best_member():
    panel, tables = divided_panel()
    told = evidence_of(learn_weights(tables, EVEN, panel))["segments"]
    assert {name: one["own_weights"] for name, one in told.items()} == {"0-4": True, "5-19": False, "20+": True}
    assert (told["0-4"]["best_member"], told["20+"]["best_member"]) == ("popular", "als")
    assert "best_member" not in told["5-19"]  # nobody is in it
    for name in ("0-4", "20+"):
        assert told[name]["learned_minus_best_member"]["mean"] >= 0
        assert told[name]["held_out_gain_over_common"]["interval_95"][0] > 0
