import numpy as np

from recommendation_service.datasets.records import ItemRecord
from recommendation_service.tests.support.exports import NOW, Happening
from recommendation_service.tests.support.materials import PLAIN, material_of
from recommendation_service.training.comparison.basket_users import build_baskets
from recommendation_service.training.evaluation.evaluator import measure_all, score_people
from recommendation_service.training.evaluation.splits import take
from recommendation_service.training.models.co_occurrence import CoOccurrenceParameters


def measured(scorers, panel, **options):
    return measure_all({name: score_people(scorer, panel) for name, scorer in scorers.items()}, panel, **options)


ITEMS = [ItemRecord(f"i{row}", f"Item {row}", category=f"c{row % 2}") for row in range(6)]
SOLD = CoOccurrenceParameters(events=("purchase",))


def panel_of(*baskets, **more):
    """Each basket is (user, items), bought in the newest part; everybody liked item 5 long before."""
    before = [Happening(user, "i5", "view", NOW - 900_000.0) for user, _ in baskets]
    bought = [Happening(user, f"i{item}", "purchase", NOW + step) for user, own in baskets for step, item in enumerate(own)]
    material, events = material_of(ITEMS, before + bought)
    early = material.as_of(take(events, events.times < NOW), PLAIN, NOW)
    return build_baskets(early, take(events, events.times >= NOW), SOLD, **more)


def test_every_product_of_a_basket_is_asked_for_once_by_the_rest():
    panel = panel_of(("a", (0, 1, 2)), ("b", (3, 4)))
    asked = [(panel.query(place).subject.tolist(), panel.relevant[[place]].indices.tolist()) for place in range(len(panel))]
    assert asked == [([1, 2], [0]), ([0, 2], [1]), ([0, 1], [2]), ([4], [3]), ([3], [4])]


def test_a_question_is_of_nobody_and_shows_all_but_what_the_basket_holds():
    panel = panel_of(("a", (0, 1)))
    query = panel.query(0)
    assert query.user_id is None
    assert query.history.rows.size == 0
    assert np.flatnonzero(~query.eligible).tolist() == [1]


def test_single_products_and_other_events_ask_nothing():
    assert len(panel_of(("a", (0,)), ("b", (3,)))) == 0


def test_many_questions_are_thinned_evenly():
    whole, few = (panel_of(("a", (0, 1, 2)), ("b", (3, 4)), most=most) for most in (99, 2))
    assert len(whole) == 5
    assert [few.relevant[[place]].indices.tolist() for place in range(2)] == [[0], [4]]


class KnowsThePair:
    """Who has an even item wants the next one."""

    def scores(self, query):
        scores = np.zeros(6, dtype=np.float32)
        scores[query.subject + 1 - 2 * (query.subject % 2)] = 1
        return scores


def test_who_knows_what_goes_together_finds_all_of_it():
    panel = panel_of(("a", (0, 1)), ("b", (2, 3)))
    figures = {one.segment: one for one in measured({"pairs": KnowsThePair()}, panel, k=1)}
    assert (figures["all"].recall, figures["all"].people) == (1, 4)
