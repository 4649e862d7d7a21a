import numpy as np

from recommendation_service.tests.support.exports import NOW, Happening, clubs
from recommendation_service.tests.support.materials import PLAIN, club_panel, material_of
from recommendation_service.training.evaluation.evaluator import (
    build_evaluation_users,
    item_likeness,
    measure_all,
    score_people,
)
from recommendation_service.training.evaluation.splits import take


def measured(scorers, panel, **options):
    return measure_all({name: score_people(scorer, panel) for name, scorer in scorers.items()}, panel, **options)


class Oracle:
    """Knows what everybody went for."""

    def __init__(self, panel):
        ids = [panel.material.user_ids.id(int(user)) for user in panel.users]
        self._wanted = dict(zip(ids, panel.relevant.toarray().astype(np.float32), strict=True))

    def scores(self, query):
        return self._wanted[query.user_id]


class Silent:
    def scores(self, query):
        return None


def panel_of(happenings, border):
    material, events = material_of(clubs()[0], happenings, {}, weight={"dismiss": -3.0})
    early = material.as_of(take(events, events.times < border), PLAIN, border)
    return build_evaluation_users(early, take(events, events.times >= border))


def test_an_oracle_scores_one_and_a_silent_model_nothing():
    panel = club_panel()[1]
    rows = {(one.model, one.segment): one for one in measured({"oracle": Oracle(panel), "silent": Silent()}, panel)}
    assert rows["oracle", "all"].ndcg == 1
    assert rows["oracle", "all"].answered == 1
    assert (rows["silent", "all"].ndcg, rows["silent", "all"].answered, rows["silent", "all"].diversity) == (0, 0, None)


def test_seen_items_are_neither_shown_nor_expected():
    happenings = [
        Happening("a", "i000", "like", NOW - 9),
        Happening("a", "i001", "dismiss", NOW - 8),
        Happening("a", "i000", "like", NOW),
        Happening("a", "i001", "like", NOW),
        Happening("a", "i002", "like", NOW),
        Happening("b", "i000", "dismiss", NOW),
    ]
    panel = panel_of(happenings, NOW - 1)
    assert panel.users.tolist() == [0]
    assert panel.relevant.indices.tolist() == [2]
    assert not panel.eligible[0, :2].any()
    assert panel.eligible[0, 2:].all()


def test_segments_count_history_before_the_part_and_newcomers_are_cold():
    happenings = [Happening("warm", f"i{row:03d}", "like", NOW - 10) for row in range(5)]
    happenings += [Happening("hot", f"i{row:03d}", "like", NOW - 10) for row in range(20)]
    happenings += [Happening(user, "i023", "like", NOW) for user in ("newcomer", "warm", "hot")]
    panel = panel_of(happenings, NOW - 1)
    found = {one.segment: one.people for one in measured({"silent": Silent()}, panel)}
    assert found == {"all": 3, "0-4": 1, "5-19": 1, "20+": 1}


def test_people_without_a_past_are_left_out_when_asked_and_the_rest_thinned_evenly():
    happenings = [Happening("known", "i000", "like", NOW - 10)]
    happenings += [Happening(user, "i001", "like", NOW) for user in ("known", "newcomer")]
    material, events = material_of(clubs()[0], happenings)
    early = material.as_of(take(events, events.times < NOW), PLAIN, NOW)
    part = take(events, events.times >= NOW)
    assert len(build_evaluation_users(early, part)) == 2
    assert len(build_evaluation_users(early, part, with_history=True)) == 1
    assert len(build_evaluation_users(early, part, most=1)) == 1


def test_a_query_is_as_of_the_border_with_popularity_of_the_past_only():
    panel = club_panel()[1]
    query = panel.query(0)
    assert query.now == panel.material.now
    assert query.history.rows.size > 0
    expected = np.clip(panel.material.histories.matrix().toarray(), 0, 1).sum(axis=0)  # each person at most once
    assert np.allclose(query.catalogue.popularity, expected)


def test_likeness_tells_clubs_apart():
    likeness = item_likeness(club_panel()[0])
    assert np.allclose(likeness[0] @ likeness[2], 1)
    assert np.allclose(likeness[0] @ likeness[1], 0)
