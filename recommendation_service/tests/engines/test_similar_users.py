from collections.abc import Sequence

import numpy as np
import pytest
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, unit_rows
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.engines.base import Engine
from recommendation_service.engines.similar_users import MAX_ITEMS, SimilarUsers, UserTable
from recommendation_service.errors import ArtifactRefused
from recommendation_service.tests.engines import board
from recommendation_service.tests.engines.calls import best_reason, candidates
from recommendation_service.tests.engines.contract import EngineContract


class TestSimilarUsers(EngineContract):
    def build(self, catalogue: Catalogue, order: Sequence[int]) -> Engine:
        return SimilarUsers("similar_users", board.similar_users(order), catalogue)


def arrays_of(people: Sequence[Sequence[int]], weights: AnyArray | None = None) -> dict[str, AnyArray]:
    """The model of people who like these tiles equally."""
    table = np.zeros((len(people), board.N), dtype=np.float32)
    for person, liked in enumerate(people):
        table[person, list(liked)] = 1
    telling = np.where(table.any(axis=0), 1, 0).astype(np.float32) if weights is None else weights
    rows, columns = sparse.csr_array(unit_rows(table)), sparse.csr_array(table.T)
    return {
        "item_ids": np.array([one.encode() for one in board.item_ids()]),
        "item_counts": table.sum(axis=0).astype(np.int32),
        "item_weights": telling,
        "item_indptr": columns.indptr.astype(np.int64),
        "item_users": columns.indices.astype(np.int32),
        "indptr": rows.indptr.astype(np.int64),
        "indices": rows.indices.astype(np.int32),
        "values": rows.data,
        "lengths": np.linalg.norm(unit_rows(table) * telling, axis=1).astype(np.float32),
    }


def engine_of(arrays: dict[str, AnyArray], **options: int) -> SimilarUsers:
    made = board.artifact("similar_users", arrays)
    return SimilarUsers("similar_users", made, board.catalogue(), **options)


def test_scores_are_the_neighbours_tastes_weighed_by_their_cosine() -> None:
    people = [(0, 2, 4), (0, 6), (1, 3)]
    engine = engine_of(arrays_of(people))
    scores = engine.scores(board.query(board.catalogue(), likes=(0, 2)))
    likeness = np.array([2 / np.sqrt(2 * 3), 1 / np.sqrt(2 * 2), 0])
    tastes = unit_rows(np.array([[row in liked for row in range(board.N)] for liked in people], dtype=np.float32))
    np.testing.assert_allclose(scores, likeness @ tastes / likeness.sum(), rtol=1e-5)


def test_the_worked_example_of_the_guide_holds() -> None:
    """A and B liked 0; A also 2 and 4, B also 6. Somebody likes 0 and 2."""
    scores = engine_of(arrays_of([(0, 2, 4), (0, 6)])).scores(board.query(board.catalogue(), likes=(0, 2)))
    assert scores is not None
    assert scores[[4, 6]].tolist() == pytest.approx([0.358, 0.269], abs=5e-4)


def test_only_the_nearest_neighbours_count() -> None:
    engine = engine_of(arrays_of([(0, 2, 4), (0, 6, 8, 10), (0, 2, 12)]), neighbours=2)
    found = candidates(engine, board.query(board.catalogue(), likes=(0, 2)), 9)
    assert found is not None
    assert sorted(found.rows.tolist()) == [4, 12]


def test_what_everyone_chose_makes_nobody_alike() -> None:
    telling = np.ones(board.N, dtype=np.float32)
    telling[0] = 0.1
    engine = engine_of(arrays_of([(0, 4), (0, 2, 6)], telling), neighbours=1)
    found = candidates(engine, board.query(board.catalogue(), likes=(0, 2)), 9)
    assert found is not None
    assert found.rows.tolist() == [6]


def test_it_passes_when_nobody_chose_what_the_user_likes() -> None:
    engine = engine_of(arrays_of([(0, 2), (4, 6)]))
    assert engine.scores(board.query(board.catalogue(), likes=(1, 3))) is None


@pytest.mark.parametrize(("people", "told"), [(9, False), (10, True)])
def test_a_reason_needs_ten_neighbours_and_names_none_of_them(people: int, told: bool) -> None:
    engine = engine_of(arrays_of([(0, 2)] * people + [(0, 4)] * 3))
    reason = best_reason(engine, board.query(board.catalogue(), likes=(0,)), 2)
    assert (reason is not None) is told
    assert reason is None or reason.text == "Chosen by people whose taste is like yours"


def test_about_an_item_the_reason_speaks_of_the_item() -> None:
    engine = engine_of(arrays_of([(0, 2)] * 12))
    reason = best_reason(engine, board.query(board.catalogue(), subject=(0,)), 2)
    assert reason is not None
    assert reason.text == "Chosen by people who chose the same"


def test_a_long_history_asks_by_its_newest_items_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []
    whole = UserTable.shortlist

    def watched(self: UserTable, own: AnyArray, telling: AnyArray, most: int) -> AnyArray:
        asked.append(own.tolist())
        return whole(self, own, telling, most)

    monkeypatch.setattr(UserTable, "shortlist", watched)
    monkeypatch.setattr("recommendation_service.engines.similar_users.MAX_ITEMS", 3)
    engine = engine_of(arrays_of([range(0, 24, 2), range(1, 24, 2)]))
    assert engine.scores(board.query(board.catalogue(), likes=(8, 4, 2, 6, 0))) is not None
    assert asked == [[8, 4, 2]]
    assert MAX_ITEMS >= 50


def test_the_shortlist_prefers_who_shares_most_and_is_never_longer_than_asked() -> None:
    tastes = UserTable.of(board.artifact("similar_users", arrays_of([(0, 2, 4), (0,), (0, 2), (6,)])), board.N)
    own, telling = np.array([0, 2, 4]), np.ones(3, dtype=np.float32)
    assert tastes.shortlist(own, telling, 2).tolist() == [0, 2]
    assert tastes.shortlist(own, telling, 9).tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", ["item_users", "indices", "item_weights", "lengths"])
def test_arrays_that_do_not_fit_are_refused(name: str) -> None:
    arrays = arrays_of([(0, 2), (4, 6)])
    arrays[name] = arrays[name][:-1]
    with pytest.raises(ArtifactRefused, match="similar_users_v1"):
        engine_of(arrays)
