"""EASE and next item: two engines that sum a table's rows."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import sparse

from recommendation_service.core.numeric import AnyArray
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.engines.base import Engine
from recommendation_service.engines.item_to_item import Ease, NextItem, weighted_entries
from recommendation_service.errors import ArtifactRefused
from recommendation_service.tests.engines import board
from recommendation_service.tests.engines.calls import best_reason, candidates
from recommendation_service.tests.engines.contract import EngineContract

SHORT, LONG = np.array([1.0, 0.4], dtype=np.float32), np.array([0.5, 0.4, 0.3], dtype=np.float32)


def colours(order: Sequence[int]) -> AnyArray:
    """(n, n) tiles of one colour go together, those with near numbers a little more; nothing with itself."""
    own = np.array(order)
    alike = (own[:, None] - own[None, :]) % 2 == 0
    table = np.where(alike, 1 - np.abs(own[:, None] - own[None, :]) / 100, -0.1)
    np.fill_diagonal(table, 0)
    return table.astype(np.float32)


def arrays_of(table: AnyArray, order: Sequence[int] = range(board.N), unknown: Sequence[int] = ()) -> dict[str, AnyArray]:
    rows = sparse.csr_array(table)
    return {
        "item_ids": np.array([one.encode() for one in board.item_ids()])[list(order)],
        "item_counts": np.array([0 if number in unknown else 3 for number in order], dtype=np.int32),
        "indptr": rows.indptr.astype(np.int64),
        "indices": rows.indices.astype(np.int32),
        "values": rows.data,
    }


class TestEase(EngineContract):
    def build(self, catalogue: Catalogue, order: Sequence[int]) -> Engine:
        return Ease("ease", board.artifact("ease", arrays_of(colours(order), order)), catalogue)


class TestNextItem(EngineContract):
    def build(self, catalogue: Catalogue, order: Sequence[int]) -> Engine:
        table = np.vstack([colours(order), colours(order) * 0.5])
        arrays = arrays_of(table, order) | {"window_0": SHORT, "window_1": LONG}
        return NextItem("next_item", board.artifact("next_item", arrays), catalogue)


def random_table(rows: int, seed: int = 0) -> AnyArray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(rows, board.N)) * (rng.random((rows, board.N)) < 0.4)).astype(np.float32)


def test_ease_adds_up_the_liked_items_rows_and_leaves_dislikes_out() -> None:
    table = random_table(board.N)
    engine = Ease("ease", board.artifact("ease", arrays_of(table)), board.catalogue())
    asked = board.query(board.catalogue(), likes=(3, 8, 11), weights=(2.0, -1.0, 0.5))
    np.testing.assert_allclose(engine.scores(asked), table[3] + table[11], rtol=1e-5, atol=1e-6)


def test_next_item_weighs_the_newest_items_by_their_place() -> None:
    table = random_table(2 * board.N)
    arrays = arrays_of(table) | {"window_0": SHORT, "window_1": LONG}
    engine = NextItem("next_item", board.artifact("next_item", arrays), board.catalogue())
    found = engine.scores(board.query(board.catalogue(), likes=(7, 2, 9, 4)))
    short, long = table[: board.N], table[board.N :]
    expected = 1.0 * short[7] + 0.4 * short[2] + 0.5 * long[7] + 0.4 * long[2] + 0.3 * long[9]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_one_click_changes_the_next_answer() -> None:
    engine = TestNextItem().build(board.catalogue(), range(board.N))
    before = candidates(engine, board.query(board.catalogue(), likes=(0, 2)), 3)
    after = candidates(engine, board.query(board.catalogue(), likes=(5, 0, 2)), 3)
    assert before is not None
    assert after is not None
    assert {row % 2 for row in before.rows.tolist()} == {0}
    assert {row % 2 for row in after.rows.tolist()} == {1}


def test_a_basket_has_no_order() -> None:
    engine = TestNextItem().build(board.catalogue(), range(board.N))
    one = engine.scores(board.query(board.catalogue(), subject=(4, 9, 2)))
    other = engine.scores(board.query(board.catalogue(), subject=(2, 4, 9)))
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(one, other, rtol=1e-5)


def test_items_nobody_liked_are_unknown_and_say_nothing() -> None:
    arrays = arrays_of(colours(range(board.N)), unknown=(2, 4))
    engine = Ease("ease", board.artifact("ease", arrays), board.catalogue())
    scores = engine.scores(board.query(board.catalogue(), likes=(0,)))
    assert scores is not None
    assert np.flatnonzero(np.isnan(scores)).tolist() == [2, 4]
    assert engine.scores(board.query(board.catalogue(), likes=(2, 4))) is None


def test_the_reason_is_the_item_that_adds_most() -> None:
    table = np.zeros((board.N, board.N), dtype=np.float32)
    table[6, 1], table[8, 1] = 0.2, 0.9
    engine = Ease("ease", board.artifact("ease", arrays_of(table)), board.catalogue())
    reason = best_reason(engine, board.query(board.catalogue(), likes=(6, 8)), 1)
    assert reason is not None
    assert reason.text == "Because you liked “Tile 8”"
    assert best_reason(engine, board.query(board.catalogue(), likes=(6,)), 3) is None  # nothing speaks for tile 3


def test_a_table_that_does_not_fit_is_refused() -> None:
    arrays = arrays_of(colours(range(board.N)))
    for spoiled in (
        {**arrays, "indices": arrays["indices"] + board.N},
        {**arrays, "indptr": arrays["indptr"][:-1]},
        {name: array for name, array in arrays.items() if name != "values"},
    ):
        with pytest.raises(ArtifactRefused, match="ease_v1"):
            Ease("ease", board.artifact("ease", spoiled), board.catalogue())
    with pytest.raises(ArtifactRefused, match="window_0"):
        NextItem("next_item", board.artifact("next_item", arrays), board.catalogue())


def test_walking_rows_is_what_multiplying_would_give() -> None:
    table = random_table(board.N, seed=3)
    rows, weights = np.array([5, 0, 5, 17]), np.array([1.0, -2.0, 0.5, 3.0], dtype=np.float32)
    columns, values, ends = weighted_entries(sparse.csr_array(table), rows, weights)
    for place, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        found = np.bincount(columns[start:end], weights=values[start:end], minlength=board.N)
        np.testing.assert_allclose(found, weights[place] * table[rows[place]], rtol=1e-6)
    assert [side.size for side in weighted_entries(sparse.csr_array(table), rows[:0], weights[:0])] == [0, 0, 0]


def test_each_item_is_credited_with_what_it_adds() -> None:
    table = random_table(2 * board.N, seed=4)
    arrays = arrays_of(table) | {"window_0": SHORT, "window_1": LONG}
    engine = NextItem("next_item", board.artifact("next_item", arrays), board.catalogue())
    asked = board.query(board.catalogue(), likes=(7, 2, 9, 4))
    told, scores = engine.read(asked), engine.scores(asked)
    assert told is not None
    assert scores is not None
    shares = told.shares(np.arange(board.N)).T
    np.testing.assert_allclose(shares.sum(axis=1), scores, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(shares[:, 0], SHORT[0] * table[7] + LONG[0] * table[board.N + 7], rtol=1e-4, atol=1e-6)
    assert not shares[:, 3].any()  # older than both windows


def test_a_click_costs_one_window_however_long_the_past() -> None:
    engine = TestNextItem().build(board.catalogue(), range(board.N))
    assert isinstance(engine, NextItem)
    for likes in ((5, 0, 2), (5, *(row for row in range(board.N) if row != 5))):
        told = engine.read(board.query(board.catalogue(), likes=likes))
        assert told is not None
        assert told.ends.size == SHORT.size + LONG.size  # rows of the table that are read
        assert told.liked.rows[0] == 5
