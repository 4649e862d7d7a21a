from collections.abc import Sequence

import numpy as np
import pytest

from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.engines.base import Engine
from recommendation_service.engines.content import Content
from recommendation_service.errors import ArtifactRefused
from recommendation_service.tests.engines import board
from recommendation_service.tests.engines.calls import best_reason, candidates
from recommendation_service.tests.engines.contract import EngineContract


class TestContent(EngineContract):
    def build(self, catalogue: Catalogue, order: Sequence[int]) -> Engine:
        return Content("content_based", board.content(order), catalogue)


def engine(**words) -> tuple[Content, Catalogue]:  # type: ignore[no-untyped-def]
    catalogue = board.catalogue()
    return Content("content_based", board.content(), catalogue, **words), catalogue


def test_a_newcomer_with_a_profile_gets_what_matches_it_best() -> None:
    content, catalogue = engine()
    asked = board.query(catalogue, profile={"likes": ("White", "tone1")})
    found = candidates(content, asked, 4)
    assert found is not None
    assert all(row % 2 == 0 and row % 3 == 1 for row in found.rows.tolist())
    reason = best_reason(content, asked, int(found.rows[0]))
    assert reason is not None
    assert reason.text == "Matches your likes: White, tone1"


def test_items_with_nothing_in_common_are_scored_zero_but_not_recommended() -> None:
    content, catalogue = engine()
    asked = board.query(catalogue, profile={"likes": ("tone1",)})
    scores, found = content.scores(asked), candidates(content, asked, 24)
    assert scores is not None
    assert scores[0] == 0
    assert found is not None
    assert {row % 3 for row in found.rows.tolist()} == {1}


def test_a_profile_of_unknown_words_says_nothing() -> None:
    content, catalogue = engine()
    assert content.scores(board.query(catalogue, profile={"likes": ("green",)})) is None
    assert candidates(content, board.query(catalogue, profile={"likes": ()}), 3) is None


def test_a_dislike_pushes_its_like_down() -> None:
    content, catalogue = engine()
    neutral = content.scores(board.query(catalogue, (0,)))
    warned = content.scores(board.query(catalogue, (0, 1), weights=(1, -1)))
    assert neutral is not None
    assert warned is not None
    assert warned[7] < 0 == neutral[7]  # black and of tile 1's tone, so nothing but the dislike speaks of it


def test_what_a_profile_says_fades_as_the_history_grows() -> None:
    content, catalogue = engine(profile_counts_as=3.0)
    said = {"likes": ("black",)}
    newcomer = content.scores(board.query(catalogue, (0,), profile=said))
    regular = content.scores(board.query(catalogue, tuple(range(0, 20, 2)), profile=said))
    assert newcomer is not None
    assert regular is not None
    assert newcomer[21] > newcomer[22]
    assert regular[21] < regular[22]


def test_the_unit_of_weights_does_not_matter() -> None:
    content, catalogue = engine()
    said = {"likes": ("black",)}
    clicks = content.scores(board.query(catalogue, (0, 2), weights=(1, 3), profile=said))
    stars = content.scores(board.query(catalogue, (0, 2), weights=(10, 30), profile=said))
    np.testing.assert_allclose(clicks, stars, rtol=1e-5)


def test_the_reason_names_what_two_items_share() -> None:
    content, catalogue = engine()
    by_tag = best_reason(content, board.query(catalogue, (0,)), 6)
    by_category = best_reason(content, board.query(catalogue, (0,)), 2)
    as_subject = best_reason(content, board.query(catalogue, subject=(0,)), 6)
    assert by_tag is not None
    assert by_tag.text == "Similar to “Tile 0”, which you liked: tone0"
    assert by_category is not None
    assert by_category.text == "Similar to “Tile 0”, which you liked: white"
    assert as_subject is not None
    assert as_subject.text == "Similar to “Tile 0”: tone0"


def test_the_reason_is_whichever_adds_more_the_profile_or_the_history() -> None:
    content, catalogue = engine()
    said = {"likes": ("white",)}
    newcomer = best_reason(content, board.query(catalogue, (0,), profile=said), 6)
    regular = best_reason(content, board.query(catalogue, tuple(range(0, 20, 2)), profile=said), 22)
    assert newcomer is not None
    assert newcomer.text == "Matches your likes: white"
    assert regular is not None
    assert regular.text.startswith("Similar to “Tile ")


def test_nothing_in_common_is_no_reason() -> None:
    content, catalogue = engine()
    assert best_reason(content, board.query(catalogue, (0,)), 1) is None


def test_an_item_without_a_word_is_unknown() -> None:
    catalogue = board.catalogue()
    content = Content("content_based", board.content(blank=(3,)), catalogue)
    scores = content.scores(board.query(catalogue, (0,)))
    assert scores is not None
    assert np.flatnonzero(np.isnan(scores)).tolist() == [3]
    assert content.scores(board.query(catalogue, (3,))) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("indptr", np.zeros(25, dtype=np.int64)),
        ("indptr", np.arange(25, dtype=np.int64)[::-1].copy()),
        ("indices", np.full(48, 99, dtype=np.int32)),
        ("indices", np.full(48, 5, dtype=np.int32)),
        ("indices", np.full(48, -1, dtype=np.int32)),
        ("values", np.ones(3, dtype=np.float32)),
    ],
)
def test_rows_that_point_outside_are_refused(name: str, value: np.ndarray) -> None:
    wrong = board.artifact("content", {**board.content().arrays, name: value})
    with pytest.raises(ArtifactRefused):
        Content("content_based", wrong, board.catalogue())


def test_around_an_item_a_visitors_own_words_say_nothing() -> None:
    content, catalogue = engine()
    plain = board.query(catalogue, subject=(0,))
    asked = board.query(catalogue, subject=(0,), profile={"likes": ("White", "tone1")})
    np.testing.assert_array_equal(content.scores(asked), content.scores(plain))
    reason = best_reason(content, asked, 6)
    assert reason is not None
    assert reason.text.startswith(f"Similar to “{catalogue.titles[0]}”")
