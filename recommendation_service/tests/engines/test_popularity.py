from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.idmap import IdMap
from recommendation_service.engines.base import Engine
from recommendation_service.engines.popularity import Popularity
from recommendation_service.tests.engines import board
from recommendation_service.tests.engines.calls import best_reason, candidates
from recommendation_service.tests.engines.contract import EngineContract


class TestPopularity(EngineContract):
    personal = False
    trained = False

    def build(self, catalogue: Catalogue, order: Sequence[int]) -> Engine:
        return Popularity("popular", catalogue)


def shelf(popularity: list[float], created: list[float] | None = None) -> Catalogue:
    n = len(popularity)
    ages = [np.nan] * n if created is None else created
    return Catalogue(
        name="board",
        ids=IdMap.of(board.item_ids(n)),
        titles=tuple(f"Tile {place}" for place in range(n)),
        popularity=np.array(popularity, dtype=np.float32),
        created=np.array(ages, dtype=np.float32),
    )


def order(catalogue: Catalogue) -> list[int]:
    found = candidates(Popularity("popular", catalogue), board.query(catalogue), len(catalogue))
    assert found is not None
    return found.rows.tolist()


def test_the_most_chosen_comes_first() -> None:
    assert order(shelf([1, 5, 3])) == [1, 2, 0]


def test_newer_comes_first_among_equals_and_an_unknown_age_last() -> None:
    assert order(shelf([2, 2, 2, 9], [100, 300, np.nan, np.nan])) == [3, 1, 0, 2]


def test_a_shop_where_nothing_happened_yet_shows_the_newest() -> None:
    assert order(shelf([0, 0, 0], [10, 30, 20])) == [1, 2, 0]
    assert order(shelf([0, 0, 0])) == [0, 1, 2]


@given(st.lists(st.tuples(st.integers(0, 1000), st.floats(0, 20_000, width=32)), min_size=1, max_size=30))
def test_newness_never_overtakes_popularity(drawn: list[tuple[int, float]]) -> None:
    popularity = [float(chosen) for chosen, _ in drawn]
    found = order(shelf(popularity, [created for _, created in drawn]))
    chosen = [popularity[row] for row in found]
    assert chosen == sorted(popularity, reverse=True)


def test_an_empty_catalogue_has_nothing_to_say() -> None:
    empty = shelf([])
    assert Popularity("popular", empty).scores(board.query(empty)) is None


def test_it_says_popular_only_where_that_is_so() -> None:
    catalogue = shelf([0, 1, 1, 1, 1, 1, 1, 50])
    popular = Popularity("popular", catalogue)
    asked = board.query(catalogue)
    texts = [reason.text if reason else None for reason in (best_reason(popular, asked, row) for row in range(8))]
    assert texts[7] == "Popular here"
    assert texts[0] is None


def test_the_unchosen_do_not_lower_what_popular_means() -> None:
    catalogue = shelf([0] * 8 + [1, 2, 3, 10])  # three quarters of the chosen four lie below 4.75
    popular = Popularity("popular", catalogue)
    said = [row for row in range(12) if best_reason(popular, board.query(catalogue), row) is not None]
    assert said == [11]
    alike = shelf([5, 5, 5])
    assert best_reason(Popularity("popular", alike), board.query(alike), 0) is not None
    nothing = shelf([0, 0])
    assert best_reason(Popularity("popular", nothing), board.query(nothing), 0) is None


def test_scores_are_the_logarithm_of_popularity_where_nothing_is_dated() -> None:
    catalogue = shelf([0, 1, 9])
    scores = Popularity("popular", catalogue).scores(board.query(catalogue))
    np.testing.assert_allclose(scores, np.log([1, 2, 10]), rtol=1e-6)


def test_new_fades_over_thirty_days() -> None:
    today = board.NOW / 86_400
    catalogue = shelf([0, 0, 0], [today, today - 15, today - 31])
    popular = Popularity("popular", catalogue)
    found = [best_reason(popular, board.query(catalogue), row) for row in range(3)]
    assert [round(reason.strength, 2) if reason else None for reason in found] == [1.0, 0.5, None]


def test_something_made_this_month_is_new_and_the_future_is_not() -> None:
    today = board.NOW / 86_400
    catalogue = shelf([0, 0, 0], [today - 3, today - 300, today + 3])
    popular = Popularity("popular", catalogue)
    texts = [best_reason(popular, board.query(catalogue), row) for row in range(3)]
    assert [reason.text if reason else None for reason in texts] == ["New here", None, None]


def test_the_shared_scores_cannot_be_changed_by_a_caller() -> None:
    catalogue = shelf([1, 2])
    scores = Popularity("popular", catalogue).scores(board.query(catalogue))
    assert scores is not None
    with pytest.raises(ValueError, match="read-only"):
        scores[0] = 99


def test_what_is_eligible_differs_but_not_the_order() -> None:
    catalogue = shelf([1, 5, 3])
    asked = replace(board.query(catalogue), eligible=np.array([True, False, True]))
    found = candidates(Popularity("popular", catalogue), asked, 3)
    assert found is not None
    assert found.rows.tolist() == [2, 0]


def test_asked_to_it_has_a_plain_reason_for_every_item() -> None:
    old = replace(board.catalogue(), created=np.full(board.N, np.nan, dtype=np.float32))
    chosen = np.concatenate([[0], old.popularity[1:]]).astype(np.float32)
    engine = Popularity("popular", replace(old, popularity=chosen), always_explain=True)
    told = [best_reason(engine, board.query(old), row) for row in (0, 1, 20)]
    assert [one and one.text for one in told] == ["Not tried by many yet", "Popular here", "Others chose it here"]
