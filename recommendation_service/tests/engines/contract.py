"""The suite every engine inherits by giving one factory."""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendation_service.core.numeric import Bools
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.base import Engine, ModelEngine
from recommendation_service.tests.engines import board
from recommendation_service.tests.engines.calls import best_reason, candidates, reasons

LIKES_WHITE = (4, 2, 0)
masks = st.lists(st.booleans(), min_size=board.N, max_size=board.N).map(lambda drawn: np.array(drawn, dtype=np.bool_))
likings = st.lists(st.integers(0, board.N - 1), min_size=1, max_size=8, unique=True)


class EngineContract:
    """Subclass, name it Test..., and say how the engine is made from artifact rows in a given order."""

    personal = True  # False: the same order for everyone, newcomers included
    trained = True  # False: reads the catalogue only, so it knows every item

    shared = True  # False: its parts stand beside its own share, which is the whole score

    def build(self, catalogue: Catalogue, order: Sequence[int]) -> Engine:
        raise NotImplementedError

    def asked(self, of: Catalogue, likes: Sequence[int] = (), **words: Any) -> Query:
        """The request of somebody who likes these items; newest first."""
        return board.query(of, likes, **words)

    @pytest.fixture
    def tiles(self) -> Catalogue:
        return board.catalogue()

    @pytest.fixture
    def engine(self, tiles: Catalogue) -> Engine:
        return self.build(tiles, range(24))

    def test_who_likes_white_gets_white(self, engine: Engine, tiles: Catalogue) -> None:
        if self.personal:
            found = candidates(engine, self.asked(tiles, LIKES_WHITE), 5)
            assert found is not None
            assert {row % 2 for row in found.rows.tolist()} == {0}

    def test_who_likes_black_gets_black(self, engine: Engine, tiles: Catalogue) -> None:
        if self.personal:
            found = candidates(engine, self.asked(tiles, (1, 3)), 5)
            assert found is not None
            assert {row % 2 for row in found.rows.tolist()} == {1}

    def test_nothing_is_said_about_an_unknown_user(self, engine: Engine, tiles: Catalogue) -> None:
        assert (engine.scores(self.asked(tiles)) is None) is self.personal
        assert (candidates(engine, self.asked(tiles), 5) is None) is self.personal

    def test_a_history_of_dislikes_alone_never_fails(self, engine: Engine, tiles: Catalogue) -> None:
        found = candidates(engine, self.asked(tiles, (1, 3), weights=(-3, -1)), 30)
        assert found is None or np.isfinite(found.scores).all()

    def test_the_user_id_changes_nothing(self, engine: Engine, tiles: Catalogue) -> None:
        one = engine.scores(self.asked(tiles, LIKES_WHITE, user_id="person-1"))
        other = engine.scores(self.asked(tiles, LIKES_WHITE, user_id="person-2"))
        np.testing.assert_array_equal(one, other)

    @pytest.mark.parametrize("seed", range(3))
    def test_the_order_of_artifact_rows_changes_nothing(self, engine: Engine, tiles: Catalogue, seed: int) -> None:
        order = np.random.default_rng(seed).permutation(24).tolist()
        shuffled = self.build(tiles, order)
        asked = self.asked(tiles, LIKES_WHITE)
        np.testing.assert_allclose(shuffled.scores(asked), engine.scores(asked), atol=1e-5)

    def test_only_eligible_rows_come_back_once_best_first_and_finite(self, engine: Engine, tiles: Catalogue) -> None:
        @settings(max_examples=40, deadline=None)
        @given(mask=masks, likes=likings, limit=st.integers(1, 40))
        def law(mask: Bools, likes: list[int], limit: int) -> None:
            found = candidates(engine, self.asked(tiles, likes, eligible=mask), limit)
            if found is None:
                return
            assert mask[found.rows].all()
            assert len(found) <= min(limit, int(mask.sum()))
            assert np.unique(found.rows).size == len(found)
            assert np.isfinite(found.scores).all()
            assert (np.diff(found.scores) <= 0).all()

        law()

    def test_scores_are_one_float_per_row(self, engine: Engine, tiles: Catalogue) -> None:
        @settings(max_examples=20, deadline=None)
        @given(likes=likings)
        def law(likes: list[int]) -> None:
            scores = engine.scores(self.asked(tiles, likes))
            assert scores is not None
            assert (scores.shape, scores.dtype) == ((24,), np.float32)
            assert np.isfinite(scores[~np.isnan(scores)]).all()

        law()

    def test_asking_twice_gives_the_same(self, engine: Engine, tiles: Catalogue) -> None:
        first = np.array(engine.scores(self.asked(tiles, LIKES_WHITE)))
        candidates(engine, self.asked(tiles, (1, 3)), 5)
        np.testing.assert_array_equal(first, engine.scores(self.asked(tiles, LIKES_WHITE)))

    def test_a_limit_beyond_what_is_left_gives_fewer(self, engine: Engine, tiles: Catalogue) -> None:
        left = np.zeros(24, dtype=np.bool_)
        left[[6, 8]] = True
        found = candidates(engine, self.asked(tiles, LIKES_WHITE, eligible=left), 10)
        assert found is not None
        assert sorted(found.rows.tolist()) == [6, 8]

    def test_nothing_left_is_none_and_no_error(self, engine: Engine, tiles: Catalogue) -> None:
        assert candidates(engine, self.asked(tiles, LIKES_WHITE, eligible=np.zeros(24, dtype=np.bool_)), 5) is None

    def test_the_shares_of_a_score_sum_to_it(self, engine: Engine, tiles: Catalogue) -> None:
        found = candidates(engine, self.asked(tiles, LIKES_WHITE), 10)
        assert found is not None
        shares = found.parts.values() if self.shared else [found.parts[engine.name]]
        total = np.nansum(list(shares), axis=0)
        np.testing.assert_allclose(total, found.scores, rtol=1e-5)

    def test_an_item_newer_than_the_model_is_unknown(self) -> None:
        grown = board.catalogue(26)
        asked = self.asked(grown, LIKES_WHITE)
        scores = self.build(grown, range(24)).scores(asked)
        assert scores is not None
        assert np.isnan(scores[24:]).all() == self.trained
        assert not np.isnan(scores[:24][asked.eligible[:24]]).any()

    def test_an_item_newer_than_the_model_has_no_reason_and_the_first_one_has(self) -> None:
        if not self.trained:
            return
        grown = board.catalogue(26)
        engine = self.build(grown, range(24))
        asked = self.asked(grown, (4, 2))
        engine.scores(asked)
        assert best_reason(engine, asked, 24) is None
        assert best_reason(engine, asked, 25) is None
        assert best_reason(engine, asked, 0) is not None

    def test_an_item_gone_from_the_catalogue_is_dropped(self) -> None:
        shrunk, whole = board.catalogue(without=(6, 7)), board.catalogue()
        left = self.build(shrunk, range(24)).scores(self.asked(shrunk, LIKES_WHITE))
        before = self.build(whole, range(24)).scores(self.asked(whole, LIKES_WHITE))
        assert left is not None
        assert before is not None
        assert left.shape == (22,)
        if self.trained:
            np.testing.assert_allclose(left, np.delete(before, [6, 7]), atol=1e-5)

    def test_reasons_have_words_and_name_nobody(self, engine: Engine, tiles: Catalogue) -> None:
        asked = self.asked(tiles, LIKES_WHITE, profile={"taste": ("white",)}, user_id="person-77")
        engine.scores(asked)
        for row in range(24):
            reason = best_reason(engine, asked, row)
            assert reason is None or _fit_to_show(reason)
            assert all(_fit_to_show(one) for one in reasons(engine, asked, row))

    def test_a_reason_needs_no_score_before_it(self, engine: Engine, tiles: Catalogue) -> None:
        before = best_reason(engine, self.asked(tiles, LIKES_WHITE), 6)
        asked = self.asked(tiles, LIKES_WHITE)
        engine.scores(asked)
        assert best_reason(engine, asked, 6) == before

    def test_reasons_are_the_same_from_the_basis_of_the_scores_as_without_it(self, engine: Engine, tiles: Catalogue) -> None:
        query = self.asked(tiles, LIKES_WHITE)
        found = engine.retrieve(query, 6)
        assert found is not None
        rows, parts = found.candidates.rows, found.candidates.parts
        assert engine.explain(query, rows, parts, found.basis) == engine.explain(query, rows, parts)

    def test_a_query_is_read_once_for_its_scores_and_its_reasons(
        self, engine: Engine, tiles: Catalogue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not isinstance(engine, ModelEngine):
            return
        read, reads = type(engine).read, []
        monkeypatch.setattr(type(engine), "read", lambda self, query: reads.append(query) or read(self, query))
        query = self.asked(tiles, LIKES_WHITE)
        found = engine.retrieve(query, 6)
        assert found is not None
        engine.explain(query, found.candidates.rows, found.candidates.parts, found.basis)
        assert len(reads) == 1

    def test_an_unknown_user_gets_no_personal_reason(self, engine: Engine, tiles: Catalogue) -> None:
        if self.personal:
            assert best_reason(engine, self.asked(tiles), 6) is None

    def test_threads_do_not_see_each_others_queries(self, engine: Engine, tiles: Catalogue) -> None:
        wanted = {likes: reasons(engine, self.asked(tiles, likes), 8) for likes in (LIKES_WHITE, (10, 12), (14,))}
        wrong: list[object] = []

        def ask(likes: tuple[int, ...]) -> None:
            for _ in range(30):
                asked = self.asked(tiles, likes)
                engine.scores(asked)
                if reasons(engine, asked, 8) != wanted[likes]:
                    wrong.append(likes)

        threads = [threading.Thread(target=ask, args=(likes,)) for likes in wanted]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong

    def test_the_history_is_left_as_it_was(self, engine: Engine, tiles: Catalogue) -> None:
        asked = self.asked(tiles, LIKES_WHITE)
        candidates(engine, asked, 5)
        best_reason(engine, asked, 6)
        assert asked.history.rows.tolist() == list(LIKES_WHITE)
        assert asked.history.weights.tolist() == [1, 1, 1]

    def test_it_says_its_version_and_its_kind(self, engine: Engine) -> None:
        assert engine.version
        assert engine.label


def _fit_to_show(reason: Reason) -> bool:
    return bool(reason.text.strip()) and "person" not in reason.text and np.isfinite(reason.strength)
