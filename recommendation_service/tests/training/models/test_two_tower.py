from dataclasses import replace

import numpy as np
import pytest
import torch

from recommendation_service.datasets.records import ItemRecord
from recommendation_service.domain.history import History
from recommendation_service.domain.query import Query
from recommendation_service.engines.two_tower import TwoTower
from recommendation_service.errors import DatasetError
from recommendation_service.tests.support.exports import NOW, Happening, clubs
from recommendation_service.tests.support.materials import club_material, club_panel, material_of
from recommendation_service.training.data import NotEnough
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import score_people
from recommendation_service.training.models import two_tower
from recommendation_service.training.models.content import item_features
from recommendation_service.training.models.sequences import Lists, learned_lists, liked_lists, start_vectors, steps, stretches
from recommendation_service.training.models.torch_training import PATIENCE_IN_NOISE
from recommendation_service.training.models.two_tower import attribute_table, panel_scorer, train_two_tower
from recommendation_service.training.parameters import TwoTowerParameters

SMALL = TwoTowerParameters(dimension=8, hidden=16, epochs=15, learning_rate=0.01)


def engine_of(trained, material):
    return TwoTower("two_tower", trained.artifact("startups"), material.catalogue)


def ask(material, rows=(), profile=None):
    history = History(np.array(rows, dtype=np.int64), np.ones(len(rows), dtype=np.float32), len(rows))
    everything = np.ones(len(material.catalogue), dtype=np.bool_)
    return Query(material.catalogue, history, 10, NOW, everything, profile=profile or {})


def test_two_runs_give_the_same_bytes():
    early, panel, _ = club_panel()
    first, second = (train_two_tower(early, SMALL, panel=panel) for _ in range(2))
    assert {name: array.tobytes() for name, array in first.arrays.items()} == {
        name: array.tobytes() for name, array in second.arrays.items()
    }
    assert first.parameters == second.parameters


def test_training_leaves_the_process_settings_of_torch_as_they_were():
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    train_two_tower(club_material()[0], replace(SMALL, epochs=1))
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


def test_the_serving_engine_scores_as_training_measured():
    early, panel, _ = club_panel()
    trained = train_two_tower(early, SMALL)
    served = score_people(engine_of(trained, early), panel)
    assert np.allclose(served, panel_scorer(panel, SMALL)(trained.arrays), atol=1e-5)


def test_people_get_their_own_club_and_item_vectors_have_unit_length():
    early, panel, _ = club_panel(people=60, items=30, events_each=12)
    trained = train_two_tower(early, SMALL, panel=panel)
    lists = metrics.top_k(score_people(engine_of(trained, early), panel), panel.eligible, 3)
    assert (lists % 2 == (panel.users % 2)[:, None]).mean() > 0.9
    assert np.allclose(np.linalg.norm(trained.arrays["item_vectors"], axis=1), 1, atol=1e-5)


def test_someone_training_never_saw_is_known_by_six_events_or_by_a_profile():
    material, _ = club_material(people=60, items=30, events_each=12)
    engine = engine_of(train_two_tower(material, replace(SMALL, epochs=40)), material)
    by_events = engine.scores(ask(material, rows=[1, 3, 5, 7, 9, 11]))
    by_profile = engine.scores(ask(material, profile={"skills": ("T1",)}))
    assert engine.scores(ask(material)) is None
    for scores in (by_events, by_profile):
        assert scores[1::2].mean() > scores[0::2].mean() + 0.2


def test_an_item_nobody_touched_stands_with_its_own_kind():
    records, happenings, profiles = clubs(people=60, items=30, events_each=12)
    newcomer = ItemRecord("i999", "New", "word1 common", "c1", ("t1",))
    material, _ = material_of([*records, newcomer], happenings, profiles)
    engine = engine_of(train_two_tower(material, replace(SMALL, epochs=40)), material)
    row = material.catalogue.ids.row("i999")
    assert engine.scores(ask(material, rows=[1, 3, 5]))[row] > engine.scores(ask(material, rows=[0, 2, 4]))[row]


def test_validation_stops_training_and_the_kept_epochs_are_told():
    early, panel, _ = club_panel()
    told = []
    parameters = replace(SMALL, epochs=60, patience=2)
    trained = train_two_tower(early, parameters, panel=panel, progress=lambda done, most, word: told.append((done, most)))
    assert told[-1][0] < 60
    assert 2 <= told[-1][0] - trained.parameters["epochs"] <= 2 * PATIENCE_IN_NOISE


def test_a_sampled_softmax_counts_each_drawn_row_for_those_it_stands_for(monkeypatch):
    monkeypatch.setattr(two_tower, "WHOLE_CATALOGUE", 10)
    monkeypatch.setattr(two_tower, "SAMPLED_ITEMS", 8)
    inputs = two_tower._inputs(club_material()[0], torch.device("cpu"), SMALL)
    wanted = np.array([[3, 3], [5, 7]])
    rng = np.random.default_rng(0)
    sizes = {"whole": two_tower.WHOLE_CATALOGUE, "sampled": two_tower.SAMPLED_ITEMS}
    rows, added = two_tower.softmax_rows(inputs.liked, wanted, rng, **sizes)
    assert np.isin(wanted, rows).all()
    assert (np.diff(rows) > 0).all()
    assert np.allclose(added[np.isin(rows, wanted)], 0)
    assert np.allclose(added[~np.isin(rows, wanted)], np.log(24 / 8))


def test_a_sampled_softmax_still_learns_the_clubs(monkeypatch):
    monkeypatch.setattr(two_tower, "WHOLE_CATALOGUE", 10)
    monkeypatch.setattr(two_tower, "SAMPLED_ITEMS", 12)
    early, panel, _ = club_panel(people=60, items=30, events_each=12)
    trained = train_two_tower(early, SMALL, panel=panel)
    lists = metrics.top_k(score_people(engine_of(trained, early), panel), panel.eligible, 3)
    assert (lists % 2 == (panel.users % 2)[:, None]).mean() > 0.8


@pytest.mark.parametrize("happenings", [[], [Happening("a", "i000", "like", NOW)]], ids=["nothing", "one event"])
def test_too_little_is_said_and_never_trained(happenings):
    material, _ = material_of(clubs()[0], happenings, {"a": {}})
    with pytest.raises(NotEnough, match="two-tower needs 2 people"):
        train_two_tower(material, SMALL)


PAST = Lists(np.array([0, 6, 8, 9]), np.array([10, 11, 12, 13, 14, 15, 20, 21, 30]))


@pytest.mark.parametrize(
    "cut",
    [
        lambda rng: stretches(PAST, np.array([0, 1]), rng, 0.1, 0.6),
        lambda rng: steps(PAST, rng, ahead=1, most=100),
        lambda rng: steps(PAST, rng, ahead=3, most=100),
    ],
    ids=["a stretch", "the next one", "the next three"],
)
def test_what_is_foreseen_was_never_shown_and_is_newer_than_what_is_shown(cut):
    for seed in range(30):
        cuts = cut(np.random.default_rng(seed))
        shown, real = cuts.shown(6)
        wanted = cuts.wanted(16, np.random.default_rng(seed))
        assert (wanted // 10 == cuts.who[:, None] + 1).all()
        assert ((shown // 10 == cuts.who[:, None] + 1) | ~real).all()
        assert (wanted.max(axis=1) < np.where(real, shown, 99).min(axis=1)).all()


def test_next_item_cuts_are_all_places_that_follow_another_and_want_the_next_few_only():
    cuts = steps(PAST, np.random.default_rng(0), ahead=2, most=100)
    assert sorted(cuts.since.tolist()) == [1, 2, 3, 4, 5, 7]
    for cut in range(len(cuts)):
        first = cuts.shown(1)[0][cut, 0]
        wanted = set(cuts.some(np.array([cut])).wanted(50, np.random.default_rng(0)).ravel().tolist())
        assert wanted == {first - 1, first - 2} - {9, 19}
    assert len(steps(PAST, np.random.default_rng(0), ahead=2, most=3)) == 3


def test_a_shuffled_past_keeps_each_persons_items():
    mixed = PAST.shuffled(np.random.default_rng(0))
    assert mixed.values.tolist() != PAST.values.tolist()
    assert sorted(mixed.values[:6].tolist()) == PAST.values[:6].tolist()
    assert sorted(mixed.values[6:8].tolist()) == [20, 21]


def chain(people=60, items=24, events_each=10):
    """Everybody goes round the same ring of items, from a place of their own: the next item is certain."""
    records = [ItemRecord(f"i{number:03d}", f"Item {number}") for number in range(items)]
    happenings = [
        Happening(f"u{person:03d}", f"i{(person * 7 + step) % items:03d}", "like", NOW - (events_each - step) * 86_400)
        for person in range(people)
        for step in range(events_each)
    ]
    return material_of(records, happenings, {f"u{person:03d}": {} for person in range(people)})[0]


@pytest.mark.parametrize("counted", [False, True], ids=["begun by chance", "begun at counts"])
def test_where_order_decides_learning_the_next_item_finds_it_and_learning_taste_does_not(counted):
    material = chain()

    def right(parameters):
        engine = engine_of(train_two_tower(material, parameters), material)
        asked = np.array([[(last - back) % 24 for back in range(6)] for last in range(24)])
        return np.mean([np.nanargmax(engine.scores(ask(material, rows=own))) == (own[0] + 1) % 24 for own in asked])

    taste = replace(SMALL, epochs=30, decay=0.8)
    assert right(replace(taste, ahead=1, counted_start=counted)) > 0.9
    assert right(taste) < 0.5


def test_a_start_at_counts_already_knows_what_follows_what():
    past = liked_lists(chain().histories)
    before, after = start_vectors(past, 24, 16, 0.8)
    assert np.allclose(np.linalg.norm(before, axis=1).mean(), 1, atol=1e-5)
    assert np.isin((np.argmax(before @ after.T, axis=1) - np.arange(24)) % 24, [1, 2, 3]).all()  # it looks at the next five
    assert start_vectors(Lists(np.array([0, 2]), np.array([0, 1])), 24, 16, 0.8) is None


def test_a_start_at_counts_leaves_what_nobody_liked_at_its_features():
    records, happenings, profiles = clubs(people=60, items=30, events_each=12)
    newcomer = ItemRecord("i999", "New", "word1 common", "never seen")
    material, _ = material_of([*records, newcomer], happenings, profiles)
    trained = train_two_tower(material, replace(SMALL, counted_start=True, epochs=2))
    assert not trained.arrays["item_vectors"][material.catalogue.ids.row("i999")].any()
    assert np.isfinite(trained.arrays["item_vectors"]).all()


def test_a_log_without_order_is_learned_by_hiding_any_part_of_it():
    early, panel, _ = club_panel(people=60, items=30, events_each=12)
    trained = train_two_tower(early, replace(SMALL, in_order=False, decay=1.0, counted_start=True), panel=panel)
    lists = metrics.top_k(score_people(engine_of(trained, early), panel), panel.eligible, 3)
    assert (lists % 2 == (panel.users % 2)[:, None]).mean() > 0.9


def test_attribute_names_are_sorted_casefolded_and_never_none():
    names, own = attribute_table(({"skills": ("Go", "go", "Python")}, {}))
    assert names.tolist() == [b"", b"skills=go", b"skills=python"]
    assert own.values.tolist() == [1, 2]
    assert attribute_table(())[0].tolist() == [b""]


def test_item_features_leave_out_what_only_one_item_has():
    records, happenings, _ = clubs(items=6)
    lone = ItemRecord("i900", "Lone", category="only here")
    material, _ = material_of([*records, lone], happenings)
    table = item_features(material.records)
    assert table.shape == (7, 4)
    assert table[[6]].nnz == 0
    assert np.allclose(np.sqrt(table.multiply(table).sum(axis=1))[:6], 1)


def test_features_learned_as_fewer_numbers_still_find_the_clubs_and_serve_the_same_shapes():
    early, panel, _ = club_panel(people=60, items=30, events_each=12)
    narrow = replace(SMALL, user_feature_dim=2, item_feature_dim=3)
    trained, plain = train_two_tower(early, narrow, panel=panel), train_two_tower(early, SMALL, panel=panel)
    assert {name: array.shape for name, array in trained.arrays.items()} == {
        name: array.shape for name, array in plain.arrays.items()
    }
    assert np.linalg.matrix_rank(trained.arrays["attribute_vectors"]) <= 2
    lists = metrics.top_k(score_people(engine_of(trained, early), panel), panel.eligible, 3)
    assert (lists % 2 == (panel.users % 2)[:, None]).mean() > 0.9


def two_kinds():
    """Everybody clicks on items of their own club and views the others."""
    records, happenings, profiles = clubs()
    views = [replace(one, item_id=f"i{int(one.item_id[1:]) ^ 1:03d}", event="view") for one in happenings]
    return material_of(records, [*happenings, *views], profiles)[0]


def test_only_the_events_named_are_learned_from():
    material = two_kinds()
    every, likes = learned_lists(material, (), 0), learned_lists(material, ("like",), 0)
    assert likes.values.size * 2 == every.values.size
    owner = np.repeat(np.arange(40), np.diff(likes.indptr))
    assert (likes.values % 2 == owner % 2).all()
    assert np.array_equal(learned_lists(material, ("like", "view"), 0).values, every.values)


def test_people_with_too_few_liked_items_are_not_learned_from():
    records, happenings, profiles = clubs(events_each=8)
    material, _ = material_of(records, [one for one in happenings if one.user_id != "u000" or one.item_id < "i006"], profiles)
    own = np.diff(liked_lists(material.histories).indptr)
    assert 0 < own[0] < 8
    kept = np.diff(learned_lists(material, (), 8).indptr)
    assert kept[0] == 0
    assert np.array_equal(kept[1:], own[1:])


def test_an_event_nobody_did_is_named_with_those_there_are():
    with pytest.raises(DatasetError, match="event_types names 'enrol'; events of this export are like, view"):
        train_two_tower(two_kinds(), replace(SMALL, event_types=("enrol",)))
