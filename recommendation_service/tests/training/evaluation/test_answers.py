import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.core.numeric import top_rows
from recommendation_service.domain.slate import Candidates, Retrieved
from recommendation_service.pipeline.retrieve import retrieve
from recommendation_service.pipeline.surface_pipeline import Plan
from recommendation_service.tests.support.materials import club_panel
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import ask, filled, in_chains
from recommendation_service.training.trainers import RECIPES, fit
from recommendation_service.use_cases.loader import load
from recommendation_service.wiring import build_engines

STARTUPS = load("startups")


class Knows:
    """Scores these rows by their number for everybody whose user row is even; nobody else is known."""

    def __init__(self, rows, panel):
        self._rows, self._panel = rows, panel

    def scores(self, query):
        if self._panel.material.user_ids.row(query.user_id) % 2:
            return None
        found = np.full(len(query.catalogue), np.nan, dtype=np.float32)
        found[self._rows] = self._rows
        return found

    def retrieve(self, query, limit):
        scores = self.scores(query)
        if scores is None:
            return None
        rows = top_rows(scores, limit, query.eligible)
        return Retrieved(Candidates(rows, scores[rows]))


def test_asking_keeps_the_best_rows_whom_it_answered_and_which_items_it_knows():
    panel = club_panel()[1]
    steps = []
    found = ask(Knows(np.arange(5), panel), panel, lambda *step: steps.append(step))
    known = panel.users % 2 == 0
    assert found.answered.tolist() == [bool(own.any()) for own in panel.eligible[:, :5] & known[:, None]]
    assert found.known == 5
    assert found.share(known) > found.share() > 0
    assert found.share(np.zeros(len(panel), dtype=bool)) == 0
    assert steps[-1][:2] == (len(panel), len(panel))
    for place, rows in enumerate(found.lists):
        shown = rows[rows >= 0]
        assert panel.eligible[place, shown].all()
        assert (np.diff(shown) < 0).all()


lists_of = st.lists(st.lists(st.integers(0, 20), max_size=6, unique=True), min_size=1, max_size=5)


def padded(lists, k=6):
    return np.array([own + [-1] * (k - len(own)) for own in lists], dtype=np.int64)


@given(lists_of, st.data())
def test_filling_keeps_what_was_there_and_shows_nothing_twice(lists, data):
    more = data.draw(st.lists(st.lists(st.integers(0, 20), max_size=6, unique=True), min_size=len(lists), max_size=len(lists)))
    for own, other, found in zip(lists, more, filled(padded(lists), padded(more)), strict=True):
        expected = (own + [row for row in other if row not in own])[:6]
        assert found.tolist() == expected + [-1] * (6 - len(expected))


def test_each_person_is_shown_what_their_own_chain_gives():
    lists = {"one": padded([[1, 2], [3]], 3), "two": padded([[2, 4, 5], [6, 7, 8]], 3)}
    assert in_chains(lists, [("one", "two"), ("gone", "two", "one")]).tolist() == [[1, 2, 4], [6, 7, 8]]


def test_chains_of_short_lists_are_what_the_pipeline_retrieves():
    panel = club_panel()[1]
    models = {
        kind: fit(panel.material, kind, RECIPES[kind].stated).trained.artifact("startups") for kind in ("ease", "content")
    }
    engines = build_engines(STARTUPS, panel.material.catalogue, models)
    plan = Plan.build(STARTUPS, "for-developer")
    answers = {name: ask(engine, panel).lists for name, engine in engines.items()}
    shown = in_chains(answers, [plan.route(panel.query(place)).chain for place in range(len(panel))])
    for place in range(len(panel)):
        query = panel.query(place)
        found = retrieve(plan, plan.route(query), query, engines)
        assert shown[place][: len(found.candidates)].tolist() == found.candidates.rows[:10].tolist()


def test_a_list_with_all_that_was_wanted_on_top_is_worth_one():
    panel = club_panel()[1]
    wanted = [panel.relevant[[place]].indices.tolist() for place in range(len(panel))]
    assert metrics.measure(padded(wanted, 10), panel.relevant).ndcg == pytest.approx(1)
    assert metrics.measure(np.full((len(panel), 10), -1), panel.relevant).ndcg.sum() == 0
