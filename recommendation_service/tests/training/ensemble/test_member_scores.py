import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recommendation_service.core import numeric
from recommendation_service.core.numeric import blend
from recommendation_service.training.ensemble import search
from recommendation_service.training.ensemble.member_scores import best, renumber_columns, shortlist
from recommendation_service.training.ensemble.search import STEPS, MemberScores, scaled
from recommendation_service.training.evaluation import metrics

PEOPLE, ITEMS = 60, 400


@given(st.integers(0, 1000), st.integers(1, 12))
def test_the_best_rows_are_those_an_engine_would_name(seed, count):
    scores = np.random.default_rng(seed).integers(0, 4, (5, 10)).astype(np.float32)
    scores[scores == 0] = -np.inf
    named = best(scores, count)
    for own, row in zip(named, scores, strict=True):
        assert set(np.flatnonzero(own)) == set(numeric.top_rows(row, count, np.isfinite(row)))


def test_a_shortlist_holds_the_best_of_every_member_and_of_what_only_some_know():
    one, other = np.arange(8.0, dtype=np.float32)[None], np.arange(8.0, dtype=np.float32)[None, ::-1].copy()
    eligible = np.ones((1, 8), dtype=np.bool_)
    assert shortlist({"a": one, "b": other}, eligible, 2).tolist() == [[0, 1, 6, 7]]
    other[0, [3, 4]] = np.nan
    assert shortlist({"a": one, "b": other}, eligible, 2).tolist() == [[0, 1, 3, 4, 6, 7]]
    eligible[0, 7] = False
    assert shortlist({"a": one}, eligible, 2).tolist() == [[5, 6]]


def test_people_with_fewer_rows_have_places_that_nothing_fills():
    scores = np.array([[1, 2, 3], [np.nan, 5, np.nan], [np.nan] * 3], dtype=np.float32)
    assert shortlist({"a": scores}, np.ones((3, 3), dtype=np.bool_)).tolist() == [[0, 1, 2], [1, -1, -1], [-1, -1, -1]]


def test_what_a_person_went_for_is_counted_whether_or_not_it_is_listed():
    relevant = sparse.csr_array(np.array([[1, 0, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0]], dtype=np.float32))
    found = renumber_columns(relevant, np.array([[1, 2], [0, 3], [1, -1]])).toarray()
    assert found[:, :2].tolist() == [[0, 1], [0, 0], [1, 0]]
    assert found.sum(axis=1).tolist() == [3, 0, 1]


def crowd(seed, gaps):
    """Scores of four members who know some of what people went for; with gaps, nobody knows every item."""
    rng = np.random.default_rng(seed)
    relevant = (rng.random((PEOPLE, ITEMS)) < 0.02).astype(np.float32)
    relevant[:, 0] = 1
    tables = {name: relevant * rng.random() * 2 + rng.gumbel(size=relevant.shape) for name in "abcd"}
    tables["d"] = np.maximum(np.round(tables["d"]), 0)  # mostly ties
    if gaps:
        for own in tables.values():
            own[:, rng.random(ITEMS) < 0.2] = np.nan
            own[rng.random(PEOPLE) < 0.1] = np.nan
    eligible = rng.random(relevant.shape) < 0.9
    return {name: own.astype(np.float32) for name, own in tables.items()}, eligible, sparse.csr_array(relevant)


class Seat:
    """As much of a panel as voices need."""

    def __init__(self, eligible, relevant):
        self.eligible, self.relevant = eligible, relevant

    def __len__(self):
        return self.eligible.shape[0]


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_lists_of_the_shortlist_are_those_of_the_whole_catalogue(seed, gaps, monkeypatch):
    monkeypatch.setattr(search, "AT_ONCE", 25 * ITEMS)
    tables, eligible, relevant = crowd(seed, gaps)
    voices = MemberScores.of(tables, Seat(eligible, relevant))
    parts = {name: scaled(own, eligible) for name, own in tables.items()}
    assert voices.eligible.shape[1] < ITEMS
    rng = np.random.default_rng(seed)
    for weights in [
        *({name: 1.0} for name in tables),
        *(dict(zip("abcd", rng.exponential(size=4), strict=True)) for _ in "...."),
    ]:
        lists = metrics.ranked(blend([parts[name] for name in weights], list(weights.values())), eligible, 10)
        np.testing.assert_allclose(voices.figures(weights), metrics.measure(lists, relevant).ndcg, atol=1e-12)


@pytest.mark.parametrize("gaps", [False, True])
def test_a_step_is_worth_what_its_weights_are_worth(gaps):
    tables, eligible, relevant = crowd(9, gaps)
    voices, begun = MemberScores.of(tables, Seat(eligible, relevant)), {"a": 0.7, "b": 0.3}
    steps = voices.steps(begun)
    assert len(steps) == len(tables) * len(STEPS)
    for worth, name, step in steps:
        assert worth == pytest.approx(voices.mean_ndcg({**begun, name: begun.get(name, 0) + step}), abs=2e-3)
