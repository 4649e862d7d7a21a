"""Ensembles of ensembles, and ensembles that rank candidates only."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.engines.base import Engine
from recommendation_service.engines.co_occurrence import CoOccurrence
from recommendation_service.engines.content import Content
from recommendation_service.engines.ensemble import Ensemble
from recommendation_service.engines.similar_users import SimilarUsers
from recommendation_service.errors import ConfigurationError
from recommendation_service.tests.engines import board
from recommendation_service.tests.engines.calls import candidates, reasons, skips, timings
from recommendation_service.tests.engines.contract import EngineContract
from recommendation_service.tests.engines.says import Says, asked, blend_of, pair

NAN = float("nan")


class TestNestedEnsemble(EngineContract):
    """A shop's: content and (similar users and bought together), candidates of both, all of them scored."""

    def build(self, catalogue: Catalogue, order: Sequence[int]) -> Engine:
        members: dict[str, Engine] = {
            "content_based": Content("content_based", board.content(order), catalogue),
            "similar_users": SimilarUsers("similar_users", board.similar_users(order), catalogue),
            "bought_together": CoOccurrence("bought_together", board.co_occurrence(order), catalogue),
        }
        both = {"similar_users": 0.5, "bought_together": 0.5}
        members["collaborative"] = Ensemble.from_members("collaborative", members, members=both, min_members=1)
        return Ensemble.from_members("hybrid", members, members={"content_based": 0.6, "collaborative": 0.4})

    def test_an_item_gone_from_the_catalogue_is_dropped(self) -> None:
        """The scale is that of the rows there are, so scores may move; the order of the others does not."""
        shrunk, whole = board.catalogue(without=(6, 7)), board.catalogue()
        left = candidates(self.build(shrunk, range(24)), board.query(shrunk, (4, 2, 0)), 7)
        before = candidates(self.build(whole, range(24)), board.query(whole, (4, 2, 0)), 8)
        assert left is not None
        assert before is not None
        kept = [whole.ids.id(row) for row in before.rows.tolist() if row not in (6, 7)]
        assert [shrunk.ids.id(row) for row in left.rows.tolist()] == kept


class TestEnsembleOfCandidates(TestNestedEnsemble):
    """The same in two stages, with more candidates than there are tiles."""

    def build(self, catalogue: Catalogue, order: Sequence[int]) -> Engine:
        whole = super().build(catalogue, order)
        assert isinstance(whole, Ensemble)
        every = {"content_based": len(catalogue), "collaborative": len(catalogue)}
        stated = {"content_based": 0.6, "collaborative": 0.4}
        return Ensemble.from_members("hybrid", dict(whole._engines), members=stated, candidate_generators=every)

    def test_an_item_newer_than_the_model_is_unknown(self) -> None:
        """As for every ensemble; but what nobody proposes is no candidate, and so has no score."""
        grown = board.catalogue(26)
        scores = self.build(grown, range(24)).scores(board.query(grown, (4, 2, 0)))
        assert scores is not None
        assert np.isnan(scores[24:]).all()
        assert not np.isnan(scores[6:24:2]).any()

    def test_a_limit_beyond_what_is_left_gives_fewer(self, engine: Engine, tiles: Catalogue) -> None:
        left = np.zeros(24, dtype=np.bool_)
        left[[6, 8]] = True
        found = candidates(engine, board.query(tiles, (4, 2, 0), eligible=left), 10)
        assert found is not None
        assert sorted(found.rows.tolist()) == [6, 8]


finite = st.integers(-1000, 1000).map(float)
scores_of_members = st.lists(st.tuples(finite, finite, finite), min_size=3, max_size=20)


@settings(max_examples=80, deadline=None)
@given(rows=scores_of_members, wanted=st.tuples(st.integers(1, 6), st.integers(1, 6)))
def test_candidates_are_the_best_of_both_and_score_what_they_would_score_anyway(
    rows: list[tuple[float, float, float]], wanted: tuple[int, int]
) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    members: dict[str, Engine] = {name: Says(name, own) for name, own in zip("abc", columns, strict=True)}
    stated, question = {"a": 0.5, "b": 0.3, "c": 0.2}, asked(len(rows))
    whole = Ensemble.from_members("hybrid", members, members=stated).scores(question)
    narrow = Ensemble.from_members("hybrid", members, members=stated, candidate_generators={"a": wanted[0], "b": wanted[1]})
    found = candidates(narrow, question, 50)
    assert whole is not None
    assert found is not None
    best = {row for name, most in zip("ab", wanted, strict=True) for row in _best(members[name], question, most)}
    assert set(found.rows.tolist()) == best
    np.testing.assert_array_equal(found.scores, whole[found.rows])
    np.testing.assert_allclose(np.nansum(list(found.parts.values()), axis=0), found.scores, rtol=1e-4, atol=1e-6)


def _best(member: Engine, question: Query, most: int) -> list[int]:
    found = candidates(member, question, most)
    return [] if found is None else found.rows.tolist()


class Likes(Says):
    """Zero means that it has nothing to say for a row."""

    min_score = 0.0


def test_a_member_proposes_nothing_it_has_nothing_to_say_for() -> None:
    members = {"a": Likes("a", [0, 0, 0.5, 0]), "b": Says("b", [1, 2, 3, 4])}
    narrow = Ensemble.from_members("hybrid", members, members={"a": 0.5, "b": 0.5}, candidate_generators={"a": 3})
    found = candidates(narrow, asked(), 4)
    assert found is not None
    assert found.rows.tolist() == [2]
    assert found.parts["b"].tolist() == pytest.approx([0.5 * 2 / 3])


def test_when_nobody_proposes_anything_it_passes() -> None:
    members = {"a": Likes("a", [0, 0, 0, 0]), "b": Says("b", [1, 2, 3, 4])}
    narrow = Ensemble.from_members("hybrid", members, members={"a": 0.5, "b": 0.5}, candidate_generators={"a": 3})
    assert narrow.scores(asked()) is None
    silent = {"a": Says("a", None), "b": Says("b", [1, 2, 3, 4]), "c": Says("c", [1, 2, 3, 4])}
    assert candidates(blend_with(silent, {"a": 3}), asked(), 3) is None


def blend_with(members: Mapping[str, Engine], candidate_generators: Mapping[str, int]) -> Ensemble:
    return Ensemble.from_members(
        "hybrid", members, members=dict.fromkeys(members, 1.0), candidate_generators=candidate_generators
    )


@pytest.mark.parametrize(
    ("candidate_generators", "told"),
    [({"z": 5}, "candidate_generators names 'z'; its members are a, b"), ({"a": 0}, "1 or more")],
)
def test_candidates_of_strangers_or_of_no_number_stop_the_start(candidate_generators: dict[str, int], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        blend_with({"a": Says("a", [1]), "b": Says("b", [1])}, candidate_generators)


def test_one_member_is_enough_where_the_file_says_so() -> None:
    members = pair([0, 1, 2, 3], None)
    stated = {"als": 0.6, "two_tower": 0.4}
    alone = Ensemble.from_members("ensemble", members, members=stated, min_members=1)
    found = candidates(alone, asked(), 2)
    assert found is not None
    assert found.rows.tolist() == [3, 2]
    assert [skip.engine for skip in skips(alone, asked())] == ["two_tower"]


def test_what_a_nested_ensemble_was_without_is_told_by_the_outer_one() -> None:
    members: dict[str, Engine] = dict(pair([0, 1, 2, 3], None))
    stated = {"als": 0.5, "two_tower": 0.5}
    members["inner"] = Ensemble.from_members("inner", members, members=stated, min_members=1)
    outer = Ensemble.from_members("outer", members, members={"inner": 0.5, "als": 0.5})
    question = asked()
    assert candidates(outer, question, 2) is not None
    (missing,) = skips(outer, question)
    assert missing.engine == "two_tower"
    assert "so inner had to do without it" in missing.detail


def test_why_a_nested_ensemble_cannot_say_is_told_once_and_short() -> None:
    members: dict[str, Engine] = {"als": Says("als", None), "popular": Says("popular", [1, 2])}
    members["inner"] = Ensemble.from_members("inner", members, members={"als": 0.5, "two_tower": 0.5})
    outer = Ensemble.from_members("outer", members, members={"inner": 0.5, "popular": 0.5})
    (missing,) = skips(outer, asked(2))
    assert missing.detail == (
        "inner has no prediction for this user (als has no prediction for this user; two_tower has no published model),"
        " so outer had to do without it"
    )


def test_the_reasons_of_a_nested_ensemble_are_those_of_its_members() -> None:
    members: dict[str, Engine] = dict(pair([9, 1, 2, 3], [9, 1, 2, 3]))
    members["inner"] = Ensemble.from_members("inner", members, members={"als": 0.7, "two_tower": 0.3})
    outer = Ensemble.from_members("outer", members, members={"inner": 0.5, "als": 0.5})
    question = asked()
    candidates(outer, question, 2)
    assert {reason.text for reason in reasons(outer, question, 0)} == {"Because of A", "Because of B"}


def test_a_blend_in_two_stages_tells_how_long_each_took() -> None:
    members = pair([0, 1, 2, 3], [3, 2, 1, 0])
    narrow, whole, question = blend_with(members, {"als": 2}), blend_of(members, als=0.6, two_tower=0.4), asked()
    assert list(timings(narrow, question)) == ["generate", "score"]
    assert min(timings(narrow, question).values()) >= 0
    assert timings(whole, question) == {}


def test_a_member_that_may_be_silent_is_not_missed_when_others_can_say() -> None:
    loud, mute = Says("loud", [NAN, 1.0, 0.5, *[NAN] * (board.N - 3)]), Says("mute", None)
    weights = {"loud": 0.5, "mute": 0.5}
    one = Ensemble("both", "v1", {"loud": loud, "mute": mute}, weights, min_members=1, optional_members=["mute"])
    asked = board.query(board.catalogue(), likes=(5,))
    found = candidates(one, asked, 3)
    assert found is not None
    assert found.rows.tolist() == [1, 2]
    assert skips(one, asked) == ()


def test_a_member_that_may_be_silent_is_told_when_it_is_not_there_or_nobody_can_say() -> None:
    mute, asked = Says("mute", None), board.query(board.catalogue(), likes=(5,))
    weights = {"loud": 0.5, "mute": 0.5}
    alone = Ensemble("both", "v1", {"mute": mute}, weights, min_members=1, optional_members=["mute", "loud"])
    assert candidates(alone, asked, 3) is None
    assert {skip.engine for skip in skips(alone, asked)} == {"loud", "mute"}
    untrained = Ensemble(
        "both",
        "v1",
        {"loud": Says("loud", [NAN, 1.0, *[NAN] * (board.N - 2)])},
        weights,
        min_members=1,
        optional_members=["mute"],
    )
    untrained.scores(asked)
    assert [(skip.engine, skip.code) for skip in skips(untrained, asked)] == [("mute", "partial")]


def test_a_stranger_that_may_be_silent_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="optional_members names 'nobody'; its members are loud"):
        Ensemble.from_members("both", {}, members={"loud": 1.0}, optional_members=["nobody"])
