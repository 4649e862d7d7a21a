from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from recommendation_service.datasets.records import ItemRecord
from recommendation_service.engines.item_to_item import NextItem
from recommendation_service.publishing.array_schemas import check
from recommendation_service.tests.engines import board
from recommendation_service.tests.engines.calls import candidates
from recommendation_service.tests.support.exports import NOW, Happening
from recommendation_service.tests.support.materials import material_of
from recommendation_service.training.data import NotEnough
from recommendation_service.training.models.item_to_item import Known, strongest, strongest_of
from recommendation_service.training.models.next_item import NextItemParameters, Steps, equations, train_next_item, transitions

ITEMS = [ItemRecord(f"item-{row:03d}", f"Tile {row}") for row in range(board.N)]


def walks(*people):
    """The material of people who liked these items one after the other."""
    happenings = [
        Happening(f"p{number:03d}", f"item-{row:03d}", "like", NOW - 3600.0 * (len(own) - step))
        for number, own in enumerate(people)
        for step, row in enumerate(own)
    ]
    return material_of(ITEMS, happenings)[0]


def random_walks(seed=0, people=12, most=9):
    rng = np.random.default_rng(seed)
    return [rng.permutation(8)[: rng.integers(1, most)].tolist() for _ in range(people)]


def windows_by_hand(own, windows, n):
    """(steps, w * n) windows as they stood before each item but the first, and (steps,) those items."""
    rows, wanted = [], []
    for place in range(1, len(own)):
        row = np.zeros(len(windows) * n)
        for number, window in enumerate(windows):
            for back in range(1, min(window.size, place) + 1):
                row[number * n + own[place - back]] += window[back - 1]
        rows.append(row)
        wanted.append(own[place])
    return rows, wanted


@pytest.mark.parametrize("seed", range(4))
def test_the_equations_are_those_of_the_windows_written_out(seed):
    people = random_walks(seed)
    material = walks(*people)
    known = Known.of(material.histories)
    place = known.row_indices()
    windows = (np.array([1.0, 0.5], dtype=np.float32), np.array([0.8, 0.6, 0.4, 0.3], dtype=np.float32))
    gram, wanted = equations(Steps.of(material, known), windows)
    told = [windows_by_hand([place[item] for item in own], windows, known.rows.size) for own in people]
    x = np.array([row for rows, _ in told for row in rows])
    y = np.eye(known.rows.size)[[item for _, items in told for item in items]]
    np.testing.assert_allclose(gram, x.T @ x, atol=1e-4)
    np.testing.assert_allclose(wanted, x.T @ y, atol=1e-4)


def engine_of(material, parameters):
    made = train_next_item(material, parameters)
    check("next_item", made.arrays, where="here")
    return NextItem("next_item", made.artifact("board"), material.catalogue)


ROUND = [[(start + step) % 10 for step in range(7)] for start in range(10)] * 3


@pytest.mark.parametrize(
    "parameters",
    [
        NextItemParameters(regularization=1.0),
        NextItemParameters(regularization=1.0, two_windows=1),
        NextItemParameters(invertible=1, two_windows=1),
    ],
    ids=["two windows", "one window", "shares"],
)
def test_what_always_follows_comes_first(parameters):
    """Everybody walks round in a circle of ten: what comes next is one further, though all ten are equally popular."""
    material = walks(*ROUND)
    engine = engine_of(material, parameters)
    for newest in range(10):
        likes = [(newest - back) % 10 for back in range(4)]
        found = candidates(engine, board.query(material.catalogue, likes=likes), 1)
        assert found is not None
        assert found.rows.tolist() == [(newest + 1) % 10]


def table_of(*people, window=(1.0, 0.5), **told):
    material = walks(*people)
    steps = Steps.of(material, Known.of(material.histories))
    return transitions(steps, np.array(window, dtype=np.float32), NextItemParameters(**told)).toarray()


PLAIN = {"backwards": 0.0, "rarity": 0.0, "popularity": 0.0}


def test_what_followed_fades_with_the_distance():
    table = table_of([0, 1, 2], [0, 1, 3], **PLAIN)
    np.testing.assert_allclose(table[0], [0, 2.0, 0.5, 0.5])
    np.testing.assert_allclose(table[1], [0, 0, 1, 1])
    assert not table[2:].any()


def test_the_way_back_counts_as_much_as_it_is_told_to():
    forth = table_of([0, 1, 2], [0, 1, 3], **PLAIN)
    np.testing.assert_allclose(table_of([0, 1, 2], [0, 1, 3], **{**PLAIN, "backwards": 0.5}), forth + 0.5 * forth.T)


def test_counts_divide_rows_and_targets_each_by_its_power():
    forth, counts = table_of([0, 1, 2], [0, 1, 3], **PLAIN), np.array([2, 2, 1, 1])
    found = table_of([0, 1, 2], [0, 1, 3], backwards=0.0, rarity=0.5, popularity=1.0)
    np.testing.assert_allclose(found, forth / counts[:, None] ** 0.5 / counts, rtol=1e-6)


def test_the_order_is_kept_where_all_walk_one_way():
    table = table_of(*ROUND)
    assert all(table[place, (place + 1) % 10] > table[place, (place - 1) % 10] for place in range(10))


def test_popular_targets_are_not_favoured_for_being_popular():
    """Item 1 follows everything; with the whole count divided out it no longer leads where something else belongs."""
    people = [[0, 1, 2]] * 30 + [[3, 1, 4]] * 30 + [[5, 6]] * 6 + [[5, 1]] * 7
    material = walks(*people)
    plain = engine_of(material, NextItemParameters(regularization=1.0, popularity=0.0))
    fair = engine_of(material, NextItemParameters(regularization=1.0, popularity=0.5))
    asked = board.query(material.catalogue, likes=(5,))
    before, after = candidates(plain, asked, 1), candidates(fair, asked, 1)
    assert before is not None
    assert after is not None
    assert (before.rows.tolist(), after.rows.tolist()) == ([1], [6])


def test_both_ways_of_keeping_the_strongest_agree():
    rng = np.random.default_rng(1)
    table = (rng.normal(size=(40, 30)) * (rng.random((40, 30)) < 0.6)).astype(np.float32)
    one, other = strongest(table, 5), strongest_of(sparse.csr_array(table), 5)
    np.testing.assert_array_equal(one.toarray(), other.toarray())
    assert (np.diff(one.indptr) <= 5).all()
    np.testing.assert_array_equal(strongest(table, 1000).toarray(), table)


@pytest.mark.parametrize("share", [1.0, 0.02, 0.001])
def test_the_strongest_of_wide_rows_are_the_strongest_however_they_are_spread(share):
    rng = np.random.default_rng(2)
    table = (rng.normal(size=(6, 3_000)) * (rng.random((6, 3_000)) < share)).astype(np.float32)
    table[1, :40] = 9 + np.arange(40)  # where no sample looks for them
    table[2] = np.abs(table[2]).max() if share == 1 else 0
    found = strongest(table, 20).toarray()
    for row, kept in zip(np.abs(table), np.abs(found), strict=True):
        np.testing.assert_array_equal(np.sort(kept)[-20:], np.sort(row)[-20:])
        assert np.count_nonzero(kept) <= 20
    assert np.isin(found[found != 0], table).all()


def test_two_runs_give_the_same_bytes():
    one, other = (train_next_item(walks(*ROUND), NextItemParameters()) for _ in range(2))
    assert all(one.arrays[name].tobytes() == other.arrays[name].tobytes() for name in one.arrays)


def test_too_little_is_said():
    with pytest.raises(NotEnough, match="needs 10 items liked after another one; this export has 3"):
        train_next_item(walks([0, 1, 2], [3, 4], [5]), NextItemParameters())


def test_sparse_data_are_counted_where_solving_would_take_minutes():
    stated = NextItemParameters()
    assert stated.solves(5_000, 10_000)
    assert not stated.solves(6_000, 60_000)
    assert stated.solves(6_000, 180_000)
    assert not stated.solves(15_001, 10**7)
    assert len(stated.windows(5_500, solve=False)) == 1


def test_settings_without_effect_are_told_from_others():
    material = walks(*ROUND)
    stated, counting = NextItemParameters(), NextItemParameters(invertible=1)
    assert replace(stated, backwards=0.0, only_fade=9.0).settled(material) == stated.settled(material)
    assert replace(stated, regularization=9.0).settled(material) != stated.settled(material)
    assert replace(counting, regularization=9.0, long_fade=9.0).settled(material) == counting.settled(material)
    assert replace(counting, backwards=0.0).settled(material) != counting.settled(material)
