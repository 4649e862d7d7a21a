import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.domain.catalogue import Facet
from recommendation_service.domain.slate import Candidates
from recommendation_service.pipeline.rerank import diversity, freshness
from recommendation_service.tests.engines import board


def ranked(scores: list[float]) -> Candidates:
    values = np.array(scores, dtype=np.float32)
    return Candidates(np.arange(values.size, dtype=np.int64), values, {"als": values})


def aged(days: list[float]):  # type: ignore[no-untyped-def]
    catalogue = board.catalogue(len(days))
    catalogue.created[:] = board.NOW / 86_400 - np.array(days)
    return board.query(catalogue)


def tagged(tags: list[list[str]]):  # type: ignore[no-untyped-def]
    catalogue = board.catalogue(len(tags))
    catalogue.facets["tags"] = Facet.build(tags)  # type: ignore[index]
    return board.query(catalogue)


def test_a_fresh_item_overtakes_a_slightly_better_old_one() -> None:
    moved = freshness(aged([400, 0, 400]), ranked([1.0, 0.9, 0.0]), days=30, boost=0.2)
    assert moved.rows.tolist() == [1, 0, 2]
    assert moved.scores[0] == pytest.approx(0.9 + 0.2, abs=1e-4)


def test_the_boost_falls_to_the_least_within_the_days_and_older_items_gain_nothing() -> None:
    moved = freshness(aged([0, 15, 29.999, 30, 300]), ranked([2.0, 1.5, 1.0, 0.5, 0.0]), days=30, boost=0.2, least=0.05)
    gain = dict(zip(moved.rows.tolist(), moved.parts["freshness"].tolist(), strict=True))
    assert gain == pytest.approx({0: 2 * 0.2, 1: 2 * 0.125, 2: 2 * 0.05, 3: 0.0, 4: 0.0}, abs=1e-3)


@given(ages=st.lists(st.floats(0, 400), min_size=2, max_size=20), days=st.floats(1, 100))
def test_younger_items_gain_five_to_twenty_percent_of_the_range_and_never_less_than_older_ones(ages, days) -> None:  # type: ignore[no-untyped-def]
    query, found = aged(ages), ranked(np.linspace(3, 0, len(ages)).tolist())
    moved = freshness(query, found, days=days, boost=0.2, least=0.05)
    gain = moved.parts["freshness"][np.argsort(moved.rows)] / 3
    age = query.now / 86_400 - query.catalogue.created.astype(np.float64)
    assert (gain[age >= days] == 0).all()
    assert ((gain[age < days] > 0.0499) & (gain[age < days] < 0.2001)).all()
    assert (np.diff(gain[np.argsort(age)]) <= 1e-6).all()


def test_an_unknown_age_gains_nothing_and_the_future_counts_as_new() -> None:
    moved = freshness(aged([float("nan"), -90]), ranked([1.0, 0.0]), days=30, boost=0.5)
    assert dict(zip(moved.rows.tolist(), moved.scores.tolist(), strict=True)) == pytest.approx({0: 1.0, 1: 0.5}, abs=1e-4)


def test_the_second_of_a_kind_goes_below_something_else() -> None:
    query = tagged([["a"], ["a"], ["b"], ["b"]])
    moved = diversity(query, ranked([1.0, 0.9, 0.8, 0.0]), weight=0.3)
    assert moved.rows.tolist() == [0, 2, 1, 3]


def test_without_weight_nothing_moves() -> None:
    query = tagged([["a"], ["a"], ["b"]])
    assert diversity(query, ranked([3.0, 2.0, 1.0]), weight=0.0).rows.tolist() == [0, 1, 2]
    assert freshness(aged([0, 9, 99]), ranked([3.0, 2.0, 1.0]), boost=0.0).rows.tolist() == [0, 1, 2]


def test_the_documented_defaults_are_the_defaults() -> None:
    query, found = tagged([["a"], ["a"], ["b"]]), ranked([3.0, 2.0, 1.0])
    assert diversity(query, found).scores.tolist() == diversity(query, found, weight=0.3).scores.tolist()
    query = aged([0, 9, 99])
    assert freshness(query, found).scores.tolist() == freshness(query, found, days=30, boost=0.2, least=0.05).scores.tolist()


def test_among_equal_scores_a_reranker_still_decides() -> None:
    moved = freshness(aged([400, 0]), ranked([2.0, 2.0]), days=30, boost=0.5)
    assert moved.rows.tolist() == [1, 0]
    assert moved.scores[0] == pytest.approx(2.5, abs=1e-3)
    assert diversity(tagged([["a"], ["a"]]), ranked([2.0, 2.0]), weight=0.5).scores.tolist() == [2.0, 1.5]


def test_a_facet_nobody_has_changes_nothing() -> None:
    query = tagged([["a"], ["a"]])
    assert diversity(query, ranked([2.0, 1.0]), facet="brand").scores.tolist() == [2.0, 1.0]


def test_likeness_may_be_of_several_facets_together() -> None:
    query = tagged([["a"], ["b"], ["a"], ["b"]])  # the board's category: white, black, white, black
    alone = diversity(query, ranked([1.0, 0.9, 0.8, 0.0]), weight=0.5, facet=("category",))
    both = diversity(query, ranked([1.0, 0.9, 0.8, 0.0]), weight=0.5, facet=("category", "tags"))
    assert alone.rows.tolist() == both.rows.tolist() == [0, 1, 2, 3]
    crossed = tagged([["a"], ["a"], ["b"], ["b"]])
    half = diversity(crossed, ranked([1.0, 0.9, 0.8, 0.0]), weight=0.5, facet=("category", "tags", "nothing such"))
    assert half.parts["diversity"].min() == pytest.approx(-0.25)  # like one item in one of two ways: half a cosine


@given(
    drawn=st.lists(
        st.tuples(st.lists(st.sampled_from("abcd"), max_size=3, unique=True), st.floats(-50, 50, width=32)),
        min_size=1,
        max_size=25,
    ),
    weight=st.floats(0, 1),
)
def test_rerankers_keep_every_candidate_in_falling_order_with_their_parts(drawn, weight) -> None:  # type: ignore[no-untyped-def]
    scores = sorted((score for _, score in drawn), reverse=True)
    query = tagged([tags for tags, _ in drawn])
    for moved in (diversity(query, ranked(scores), weight=weight), freshness(query, ranked(scores), boost=weight)):
        assert sorted(moved.rows.tolist()) == list(range(len(drawn)))
        assert (np.diff(moved.scores) <= 0).all()
        assert np.isfinite(moved.scores).all()
        total = np.sum(list(moved.parts.values()), axis=0)
        np.testing.assert_allclose(total, moved.scores, rtol=1e-4, atol=1e-4)


def test_diversity_is_greedy_maximal_marginal_relevance() -> None:
    rng = np.random.default_rng(4)
    tags = [[letter for letter in "abcdef" if rng.random() < 0.4] for _ in range(12)]
    scores = sorted(rng.random(12).tolist(), reverse=True)
    query = tagged(tags)
    moved = diversity(query, ranked(scores), weight=0.5)

    def likeness(one: int, other: int) -> float:
        both = len(set(tags[one]) & set(tags[other]))
        return both / np.sqrt(len(tags[one]) * len(tags[other])) if both else 0.0

    spread, picked, waiting = scores[0] - scores[-1], [], list(range(12))
    while waiting:
        value = {row: scores[row] - 0.5 * spread * max((likeness(row, up) for up in picked), default=0.0) for row in waiting}
        best = max(waiting, key=lambda row: value[row])
        picked.append(best)
        waiting.remove(best)
    assert moved.rows.tolist() == picked
