from collections.abc import Sequence

import numpy as np
import pytest

from recommendation_service.core.numeric import AnyArray
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.engines.base import Engine
from recommendation_service.engines.co_occurrence import CoOccurrence
from recommendation_service.errors import ArtifactRefused
from recommendation_service.tests.engines import board
from recommendation_service.tests.engines.calls import best_reason, candidates
from recommendation_service.tests.engines.contract import EngineContract


class TestCoOccurrence(EngineContract):
    def build(self, catalogue: Catalogue, order: Sequence[int]) -> Engine:
        return CoOccurrence("bought_together", board.co_occurrence(order), catalogue)


def engine_of(arrays: dict[str, AnyArray], **options: object) -> CoOccurrence:
    made = {**board.co_occurrence().arrays, **arrays}
    return CoOccurrence(
        "bought_together",
        board.artifact("co_occurrence", made),
        board.catalogue(),
        **options,  # type: ignore[arg-type]  # options as a use-case file gives them
    )


def pairs(*given: tuple[int, int, float, int]) -> dict[str, AnyArray]:
    """(item, other, value, people) in both directions."""
    both = sorted([*given, *((other, item, value, people) for item, other, value, people in given)])
    rows = np.array([one[0] for one in both])
    return {
        "indptr": np.searchsorted(rows, np.arange(board.N + 1)).astype(np.int64),
        "indices": np.array([one[1] for one in both], dtype=np.int32),
        "values": np.array([one[2] for one in both], dtype=np.float32),
        "people": np.array([one[3] for one in both], dtype=np.int32),
    }


def test_a_basket_asks_for_what_goes_with_most_of_it() -> None:
    engine = engine_of(pairs((0, 5, 0.9, 20), (0, 7, 0.6, 20), (2, 7, 0.6, 20)))
    found = candidates(engine, board.query(board.catalogue(), subject=(0, 2)), 5)
    assert found is not None
    assert found.rows.tolist() == [7, 5]
    np.testing.assert_allclose(found.scores, [0.6, 0.45], rtol=1e-6)


def test_an_item_never_in_a_basket_with_these_is_zero_and_not_proposed() -> None:
    engine, asked = engine_of(pairs((0, 5, 0.9, 20))), board.query(board.catalogue(), subject=(0,))
    scores, found = engine.scores(asked), candidates(engine, asked, 24)
    assert scores is not None
    assert found is not None
    assert np.flatnonzero(scores).tolist() == [5]
    assert found.rows.tolist() == [5]


def test_it_passes_when_nothing_asked_about_was_ever_bought_with_something() -> None:
    engine = engine_of(pairs((0, 5, 0.9, 20)))
    assert engine.scores(board.query(board.catalogue(), subject=(3, 4))) is None
    assert engine.scores(board.query(board.catalogue(), likes=(3,))) is None


def test_a_history_counts_by_its_weights_and_dislikes_say_nothing() -> None:
    engine = engine_of(pairs((0, 5, 0.4, 20), (2, 7, 0.4, 20), (4, 9, 1.0, 20)))
    found = candidates(engine, board.query(board.catalogue(), likes=(0, 2, 4), weights=(1, 3, -5)), 5)
    assert found is not None
    assert found.rows.tolist() == [7, 5]
    np.testing.assert_allclose(found.scores, [0.3, 0.1], rtol=1e-6)


@pytest.mark.parametrize(("people", "told"), [(9, False), (10, True)])
def test_a_reason_needs_ten_people_behind_the_pair(people: int, told: bool) -> None:
    engine = engine_of(pairs((0, 5, 0.9, people)))
    reason = best_reason(engine, board.query(board.catalogue(), subject=(0,)), 5)
    assert (reason is not None) is told
    assert reason is None or reason.text == "Often bought together with “Tile 0”"


@pytest.mark.parametrize(("people", "text"), [(9, None), (10, "Often bought together with black")])
def test_a_pair_of_few_people_is_told_by_its_categories_if_many_are_behind_those(people: int, text: str | None) -> None:
    names = np.array([b"black", b"white"], dtype=np.bytes_)
    both = {"categories": names, "category_people": np.full((2, 2), people, dtype=np.int32)}
    engine = engine_of({**pairs((0, 5, 0.9, 2)), **both})
    first, second = (board.catalogue().facets["category"].of(row)[0] for row in (0, 5))
    reason = best_reason(engine, board.query(board.catalogue(), subject=(0,)), 5)
    assert (reason.text if reason else None) == (text and text.replace("black", first))
    assert first != second


def test_categories_the_model_does_not_know_give_no_reason() -> None:
    names = np.array([b"green", b"red"], dtype=np.bytes_)
    both = {"categories": names, "category_people": np.full((2, 2), 99, dtype=np.int32)}
    engine = engine_of({**pairs((0, 5, 0.9, 2)), **both})
    assert best_reason(engine, board.query(board.catalogue(), subject=(0,)), 5) is None


def test_how_many_people_a_reason_needs_and_its_words_are_options() -> None:
    engine = engine_of(pairs((0, 5, 0.9, 3)), reason_from_people=3, says="Often taken together with")
    reason = best_reason(engine, board.query(board.catalogue(), subject=(0,)), 5)
    assert reason is not None
    assert reason.text == "Often taken together with “Tile 0”"


def test_the_reason_names_the_strongest_pair_that_may_be_told() -> None:
    engine = engine_of(pairs((0, 5, 0.9, 4), (2, 5, 0.5, 30), (4, 5, 0.2, 30)))
    reason = best_reason(engine, board.query(board.catalogue(), subject=(0, 2, 4)), 5)
    assert reason is not None
    assert reason.text.endswith("“Tile 2”")


def test_a_pair_that_only_one_side_kept_is_scored_and_told() -> None:
    """A bestseller keeps its best pairs only, so the one way round may be stored and the other not."""
    indptr = np.zeros(board.N + 1, dtype=np.int64)
    indptr[1:] = 1
    stored = {"indices": np.array([5], dtype=np.int32), "values": np.array([0.7], dtype=np.float32)}
    engine = engine_of({"indptr": indptr, "people": np.array([40], dtype=np.int32), **stored})
    asked = board.query(board.catalogue(), subject=(0,))
    found, reason = candidates(engine, asked, 5), best_reason(engine, asked, 5)
    assert found is not None
    assert found.rows.tolist() == [5]
    assert reason is not None


WRONG = [("indices", np.array([99])), ("people", np.array([1.5])), ("indptr", np.array([1]))]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_arrays_that_do_not_fit_are_refused(name: str, value: AnyArray) -> None:
    with pytest.raises(ArtifactRefused, match="co_occurrence_v1"):
        engine_of({**pairs((0, 5, 0.9, 3)), name: value})
